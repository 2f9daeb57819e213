using System.ClientModel;
using System.ClientModel.Primitives;
using System.Text;
using System.Text.Json;
using OpenAI;
using OpenAI.Chat;
using Spillway.App.Simulate;
using Spillway.Tests.Config;
using Spillway.Tests.Server.Upstreams;

namespace Spillway.Tests.Server.OpenAi;

/// <summary>OpenAI's own client for .NET, which nobody here wrote, against a running server.</summary>
public sealed class OpenAiPackageTests : IAsyncLifetime
{
    private const string Whole =
        """{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":"""
        + """{"role":"assistant","content":"fine"},"finish_reason":"stop"}]}""";

    private SimulatedModelServer _upstream = null!;
    private TestServer _server = null!;
    private OpenAIClient _client = null!;

    public async Task InitializeAsync()
    {
        _upstream = await SimulatedModelServer.StartAsync(ChatServer.Fast);
        _server = await OpenAiClientTests.StartAsync(_upstream);
        _client = new(new ApiKeyCredential("any"), new OpenAIClientOptions
        {
            Endpoint = new($"{_server.Address}v1"),
            RetryPolicy = new ClientRetryPolicy(maxRetries: 0),
        });
    }

    public async Task DisposeAsync()
    {
        await _server.DisposeAsync();
        await _upstream.DisposeAsync();
    }

    [Fact]
    public async Task A_chat_is_answered()
    {
        ChatCompletion answer = await _client.GetChatClient("chat").CompleteChatAsync("Hello");

        Assert.Equal("This answer is simulated: no", answer.Content[0].Text);
        Assert.Equal(6, answer.Usage.OutputTokenCount);
    }

    [Fact]
    public async Task A_stream_comes_in_pieces_and_ends()
    {
        var (text, finish) = (new StringBuilder(), default(ChatFinishReason?));

        await foreach (var piece in _client.GetChatClient("chat").CompleteChatStreamingAsync("Hello"))
        {
            foreach (var part in piece.ContentUpdate)
                text.Append(part.Text);
            finish ??= piece.FinishReason;
        }

        Assert.Equal("This answer is simulated: no", text.ToString());
        Assert.Equal(ChatFinishReason.Stop, finish);
    }

    [Fact]
    public async Task A_tool_is_called()
    {
        var options = new ChatCompletionOptions { Tools = { ChatTool.CreateFunctionTool("look", "Looks.") } };

        ChatCompletion answer = await _client.GetChatClient("chat").CompleteChatAsync(
            [new UserChatMessage("Hello")], options);

        Assert.Equal(ChatFinishReason.ToolCalls, answer.FinishReason);
        Assert.Equal("look", answer.ToolCalls[0].FunctionName);
        Assert.True(JsonElement.Parse(answer.ToolCalls[0].FunctionArguments.ToString()).GetProperty("simulated")
            .GetBoolean());
    }

    [Fact]
    public async Task An_embedding_is_read_whatever_form_the_client_asks_for()
    {
        var made = await _client.GetEmbeddingClient("chat").GenerateEmbeddingAsync("a", new() { Dimensions = 4 });

        Assert.Equal([1, 0, 0, 0], made.Value.ToFloats().ToArray());
    }

    [Theory]
    [InlineData("none", 404)]
    [InlineData("error", 502)]
    [InlineData("throttle", 429)]
    [InlineData("empty", 502)]
    public async Task A_refusal_is_its_exception_with_the_status(string model, int status)
    {
        var refused = await Assert.ThrowsAsync<ClientResultException>(
            () => _client.GetChatClient(model).CompleteChatAsync("Hello"));

        Assert.Equal(status, refused.Status);
    }

    [Fact]
    public async Task A_caller_that_cancels_stops_the_upstream()
    {
        using var leaves = new CancellationTokenSource();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var piece in _client.GetChatClient("hang-middle")
                .CompleteChatStreamingAsync([new UserChatMessage("Hello")], cancellationToken: leaves.Token))
            {
                if (piece.ContentUpdate.Count > 0)
                    await leaves.CancelAsync();
            }
        });

        await TestServer.UntilAsync(() => Task.FromResult(_upstream.Under == 0 && _server.Serving.InFlight == 0));
    }

    [Fact]
    public async Task What_failed_for_a_moment_is_asked_again_and_answered()
    {
        var calls = 0;
        await using var upstream = new RogueServer(call => (Interlocked.Increment(ref calls) == 1
            ? RogueServer.Status(500) : RogueServer.Text("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                + $"Content-Length: {Whole.Length}\r\n\r\n{Whole}"))(call));
        await using var server = await TestServer.StartAsync(new ConfigFolder().Write("spillway.yaml", $$"""
            server: { port: 0 }
            upstreams:
              u: { kind: openai, retry: { attemptsMax: 1 }, targets: { t: { url: "{{upstream.Url}}/v1" } } }
            routes: { chat: { chain: { steps: [{ model: u }] } } }
            """));
        var policy = new AtOnce();
        var client = new OpenAIClient(new ApiKeyCredential("any"), new OpenAIClientOptions
        {
            Endpoint = new($"{server.Address}v1"), RetryPolicy = policy,
        });

        ChatCompletion answer = await client.GetChatClient("chat").CompleteChatAsync("Hello");
        await Assert.ThrowsAsync<ClientResultException>(
            () => client.GetChatClient("nobody").CompleteChatAsync("Hello"));

        Assert.Equal(("fine", 2), (answer.Content[0].Text, upstream.Calls));
        // Once for the failure; what nobody has is not asked for again.
        Assert.Equal(1, policy.Waits);
    }

    /// <summary>Repeats as the package does, without its pauses.</summary>
    private sealed class AtOnce() : ClientRetryPolicy(maxRetries: 3)
    {
        public int Waits { get; private set; }

        protected override Task WaitAsync(TimeSpan time, CancellationToken cancellationToken)
        {
            Waits++;
            return Task.CompletedTask;
        }
    }
}
