using System.ComponentModel;
using System.Text.Json;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Spillway.App.Simulate;
using Spillway.Client;
using Spillway.Extensions.AI;
using Spillway.Hosting;
using Spillway.Tests.Hosting;
using Spillway.Tests.Server;
using Spillway.Tests.Server.OpenAi;
using Spillway.Tests.Server.Upstreams;

namespace Spillway.Tests.Extensions;

/// <summary>Routes as Microsoft.Extensions.AI has language models, in an application and over the wire.</summary>
public sealed class ChatClientTests
{
    private const string Settings = """
        { "Spillway": {
            "Upstreams": { "s": { "Kind": "simulated",
              "Simulated": { "FirstTokenMs": 0, "TokensPerSecond": 100000, "AnswerTokens": 6 } } },
            "Routes": { "chat": { "Chain": { "Steps": [ { "Model": "s" } ] } } } } }
        """;

    private static Task<EmbeddedApp> StartAsync(string settings = Settings) => EmbeddedApp.StartAsync(null, settings);

    private static string Upstream(string url) => Settings.Replace(
        "\"Kind\": \"simulated\",",
        $"\"Kind\": \"openai\", \"Targets\": {{ \"t\": {{ \"Url\": \"{url}/v1\" }} }} }}, \"x\": "
        + "{ \"Kind\": \"simulated\",", StringComparison.Ordinal);

    private static SpillwayServer Server(EmbeddedApp app) => app.App.Services.GetRequiredService<SpillwayServer>();

    [Fact]
    public async Task A_registered_route_answers_without_a_socket_and_has_its_record()
    {
        await using var app = await StartAsync();
        var services = new ServiceCollection().AddSingleton(Server(app)).AddSingleton(new SpillwayHostOptions())
            .AddSpillwayChatClient("chat").BuildServiceProvider();

        var keyed = services.GetRequiredKeyedService<IChatClient>("chat");
        var answer = await services.GetRequiredService<IChatClient>().GetResponseAsync(
            [new(ChatRole.System, "Be brief."), new(ChatRole.User, "Hello")], new() { MaxOutputTokens = 100 });

        Assert.Same(keyed, services.GetRequiredService<IChatClient>());
        Assert.Equal("This answer is simulated: no", answer.Text);
        Assert.Equal((6L, ChatFinishReason.Stop), (answer.Usage!.OutputTokenCount!.Value, answer.FinishReason));
        var record = await app.Http.GetStringAsync("/admin/v1/requests?count=1");
        Assert.Contains("\"chat\"", record, StringComparison.Ordinal);
        Assert.Equal("chat", keyed.GetService<ChatClientMetadata>()!.DefaultModelId);
    }

    [Fact]
    public async Task A_stream_comes_in_pieces_with_its_usage_at_the_end()
    {
        await using var app = await StartAsync();
        List<ChatResponseUpdate> updates = [];

        await foreach (var update in Server(app).GetChatClient("chat").GetStreamingResponseAsync("Hello"))
            updates.Add(update);

        var whole = updates.ToChatResponse();
        Assert.True(updates.Count > 3);
        Assert.Equal(("This answer is simulated: no", 6L), (whole.Text, whole.Usage!.OutputTokenCount!.Value));
        Assert.Equal(ChatFinishReason.Stop, whole.FinishReason);
        Assert.Equal(0, Server(app).Serving.InFlight);
    }

    [Fact]
    public async Task Tools_are_declared_called_and_answered()
    {
        string asked = "";
        await using var upstream = new RogueServer(call =>
        {
            asked = System.Text.Encoding.UTF8.GetString(call.Body);
            const string Text = """
                {"id":"c","choices":[{"index":0,"message":{"role":"assistant","content":null,"tool_calls":[
                {"id":"t2","type":"function","function":{"name":"Look","arguments":"{\"where\":\"here\"}"}}]},
                "finish_reason":"tool_calls"}]}
                """;
            return call.WriteAsync(
                $"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {Text.Length}\r\n\r\n{Text}");
        });
        await using var app = await StartAsync(Upstream(upstream.Url));
        var tool = AIFunctionFactory.Create(([Description("a place")] string where) => where, "Look");

        var answer = await Server(app).GetChatClient("chat").GetResponseAsync(
        [
            new(ChatRole.User, [new TextContent("see"), new UriContent("https://x.org/a.png", "image/png")]),
            new(ChatRole.Assistant,
                [new FunctionCallContent("t1", "Look", new Dictionary<string, object?> { ["where"] = "up" })]),
            new(ChatRole.Tool, [new FunctionResultContent("t1", "nothing")]),
        ], new()
        {
            Tools = [tool], ToolMode = ChatToolMode.RequireSpecific("Look"), Temperature = 0.5f, StopSequences = ["x"],
        });

        var call = Assert.IsType<FunctionCallContent>(Assert.Single(answer.Messages[0].Contents));
        Assert.Equal(("t2", "Look", "here"), (call.CallId, call.Name, $"{call.Arguments!["where"]}"));
        Assert.Equal(ChatFinishReason.ToolCalls, answer.FinishReason);
        var body = JsonElement.Parse(asked);
        Assert.Equal("image_url",
            body.GetProperty("messages")[0].GetProperty("content")[1].GetProperty("type").GetString());
        Assert.Equal("{\"where\":\"up\"}", body.GetProperty("messages")[1].GetProperty("tool_calls")[0]
            .GetProperty("function").GetProperty("arguments").GetString());
        Assert.Equal(("tool", "t1", "nothing"), (body.GetProperty("messages")[2].GetProperty("role").GetString(),
            body.GetProperty("messages")[2].GetProperty("tool_call_id").GetString(),
            body.GetProperty("messages")[2].GetProperty("content").GetString()));
        Assert.Equal("a place", body.GetProperty("tools")[0].GetProperty("function").GetProperty("parameters")
            .GetProperty("properties").GetProperty("where").GetProperty("description").GetString());
        Assert.Equal("Look", body.GetProperty("tool_choice").GetProperty("function").GetProperty("name").GetString());
    }

    [Fact]
    public async Task A_refusal_is_an_exception_that_says_which()
    {
        await using var app = await StartAsync();

        var gone = await Assert.ThrowsAsync<InferenceException>(
            () => Server(app).GetChatClient("nobody").GetResponseAsync("Hello"));
        var wrong = await Assert.ThrowsAsync<InferenceException>(
            () => Server(app).GetChatClient("chat").GetResponseAsync("Hello", new() { MaxOutputTokens = 1_000_000 }));

        Assert.Equal((FaultKind.UnknownModel, FaultKind.InvalidInput), (gone.Kind, wrong.Kind));
        Assert.Contains("maxTokens", wrong.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stream_that_breaks_off_throws_and_is_no_clean_end()
    {
        await using var upstream = await SimulatedModelServer.StartAsync(ChatServer.Fast);
        var settings = Upstream(upstream.Address.ToString().TrimEnd('/')).Replace(
            "\"Kind\": \"openai\",", "\"Kind\": \"openai\", \"Model\": \"truncated-chunk\",", StringComparison.Ordinal);
        await using var app = await StartAsync(settings);
        var text = "";

        var broken = await Assert.ThrowsAsync<InferenceException>(async () =>
        {
            await foreach (var update in Server(app).GetChatClient("chat").GetStreamingResponseAsync("Hello"))
                text += update.Text;
        });

        Assert.NotEmpty(text);
        Assert.Equal(FaultKind.UpstreamFailed, broken.Kind);
    }

    [Fact]
    public async Task Halves_of_a_character_in_two_events_are_a_character()
    {
        await using var upstream = new RogueServer(RogueServer.Text(
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
            + """data: {"id":"c","choices":[{"index":0,"delta":{"content":"a\n\ud83d"}}]}""" + "\n\n"
            + """data: {"id":"c","choices":[{"index":0,"delta":{"content":"\ude00\u00e9"}}]}""" + "\n\n"
            + """data: {"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}""" + "\n\n"
            + "data: [DONE]\n\n", closes: true));
        await using var app = await StartAsync(Upstream(upstream.Url));
        var text = "";

        await foreach (var update in Server(app).GetChatClient("chat").GetStreamingResponseAsync("Hello"))
            text += update.Text;

        Assert.Equal("a\n😀é", text);
    }

    [Fact]
    public async Task What_a_chat_cannot_hold_is_refused_and_not_left_out()
    {
        await using var app = await StartAsync();
        var client = Server(app).GetChatClient("chat");

        var tool = await Assert.ThrowsAsync<NotSupportedException>(
            () => client.GetResponseAsync("Hello", new() { Tools = [new HostedWebSearchTool()] }));
        var file = await Assert.ThrowsAsync<NotSupportedException>(() => client.GetResponseAsync(
            [new(ChatRole.User, [new TextContent("see"), new HostedFileContent("file-1")])]));
        var again = await client.GetResponseAsync(
        [
            new(ChatRole.User, "see"),
            new(ChatRole.Assistant, [new TextReasoningContent("hm"), new TextContent("I do")]),
            new(ChatRole.User, "well?"),
        ]);

        Assert.Contains("HostedWebSearchTool", tool.Message, StringComparison.Ordinal);
        Assert.Contains("HostedFileContent", file.Message, StringComparison.Ordinal);
        Assert.NotEmpty(again.Text);
    }

    [Fact]
    public async Task Who_stops_reading_or_cancels_stops_the_upstream()
    {
        await using var upstream = await SimulatedModelServer.StartAsync(ChatServer.Fast);
        var settings = Upstream(upstream.Address.ToString().TrimEnd('/')).Replace(
            "\"Kind\": \"openai\",", "\"Kind\": \"openai\", \"Model\": \"hang-middle\",", StringComparison.Ordinal);
        await using var app = await StartAsync(settings);
        var client = Server(app).GetChatClient("chat");

        await foreach (var _ in client.GetStreamingResponseAsync("Hello"))
            break;
        await TestServer.UntilAsync(() => Task.FromResult(upstream.Under == 0 && Server(app).Serving.InFlight == 0));

        using var stop = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var _ in client.GetStreamingResponseAsync("Hello", cancellationToken: stop.Token))
                await stop.CancelAsync();
        });
        await TestServer.UntilAsync(() => Task.FromResult(upstream.Under == 0 && Server(app).Serving.InFlight == 0));
    }

    [Fact]
    public async Task Embeddings_come_in_the_order_of_the_texts_with_their_usage()
    {
        await using var app = await StartAsync();
        var services = new ServiceCollection().AddSingleton(Server(app)).AddSingleton(new SpillwayHostOptions())
            .AddSpillwayEmbeddingGenerator("chat").BuildServiceProvider();

        var vectors = await services.GetRequiredService<IEmbeddingGenerator<string, Embedding<float>>>()
            .GenerateAsync(["one", "two", "three"]);

        Assert.Equal(3, vectors.Count);
        Assert.All(vectors, v => Assert.True(v.Vector.Length > 0));
        Assert.True(vectors.Usage!.InputTokenCount > 0);
    }

    [Fact]
    public async Task The_same_client_asks_a_server_elsewhere()
    {
        await using var chat = await ChatServer.StartAsync();
        using var handler = new SocketsHttpHandler { UseProxy = false };
        using var client = new SpillwayChatClient(handler, "chat", new($"{chat.Server.Address}v1/"), "any");

        Assert.Equal("This answer is simulated: no", (await client.GetResponseAsync("Hello")).Text);
    }

    [Fact]
    public async Task OpenAIs_own_client_takes_the_handler_as_its_transport()
    {
        await using var app = await StartAsync();
        using var http = new HttpClient(Server(app).CreateHandler());
        var client = new OpenAI.Chat.ChatClient("chat", new System.ClientModel.ApiKeyCredential("none"), new()
        {
            Endpoint = new("http://inside.invalid/v1"),
            Transport = new System.ClientModel.Primitives.HttpClientPipelineTransport(http),
        });

        Assert.Equal("This answer is simulated: no",
            (await client.CompleteChatAsync("Hello")).Value.Content[0].Text);
    }
}
