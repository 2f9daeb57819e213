using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Spillway.App.Simulate;
using Spillway.Engine;
using Spillway.Runtimes.Simulated.Chat;
using Spillway.Tests.Config;
using Spillway.Tests.Server.Upstreams;

namespace Spillway.Tests.Server.OpenAi;

/// <summary>A server with one route, chat, over simulated upstreams that listen on ports of their own.</summary>
internal sealed class ChatServer : IAsyncDisposable
{
    /// <summary>Fast: a test waits for nothing that it does not ask for.</summary>
    public static readonly SimulatedChatOptions Fast = new()
    {
        FirstTokenMs = 0, PromptTokensPerSecond = 1e9, TokensPerSecond = 1e5, AnswerTokens = 6,
    };

    private readonly List<SimulatedModelServer> _upstreams;

    private ChatServer(TestServer server, List<SimulatedModelServer> upstreams) =>
        (Server, _upstreams) = (server, upstreams);

    public TestServer Server { get; }

    public SimulatedModelServer Upstream => _upstreams[0];

    public IReadOnlyList<SimulatedModelServer> Upstreams => _upstreams;

    /// <summary>Starts one: for each model named an upstream of its own, and a step of the route.</summary>
    /// <param name="models">What each upstream is asked for: a misbehaviour by its name, or "simulated".</param>
    /// <param name="upstream">Lines of each upstream.</param>
    /// <param name="route">Lines of the route.</param>
    /// <param name="root">Lines of the root.</param>
    /// <param name="chat">How the upstreams answer.</param>
    /// <param name="clock">The server's.</param>
    /// <param name="steps">Of the route; null for one a model, in their order.</param>
    /// <param name="environment">Variables.</param>
    public static async Task<ChatServer> StartAsync(
        string[]? models = null, string upstream = "retry: { attemptsMax: 1 }", string route = "", string root = "",
        SimulatedChatOptions? chat = null, Clock? clock = null, string? steps = null,
        params (string, string)[] environment)
    {
        List<SimulatedModelServer> upstreams = [];
        var yaml = new StringBuilder("server: { port: 0 }\nupstreams:\n");
        foreach (var model in models ?? ["simulated"])
        {
            var one = await SimulatedModelServer.StartAsync(chat ?? Fast);
            yaml.Append($"  u{upstreams.Count}:\n    kind: openai\n    model: {model}\n");
            yaml.Append($"    targets: {{ t: {{ url: \"{one.Address}v1\" }} }}\n");
            yaml.Append(string.Concat(UpstreamServer.Patient(upstream).Split('\n').Select(l => $"    {l}\n")));
            upstreams.Add(one);
        }

        steps ??= string.Join(", ", upstreams.Select((_, i) => $"{{ model: u{i} }}"));
        yaml.Append($"routes:\n  chat:\n    chain: {{ steps: [{steps}] }}\n");
        yaml.Append(string.Concat(route.Split('\n').Select(l => $"    {l}\n"))).Append(root).Append('\n');
        var folder = new ConfigFolder().Write("spillway.yaml", yaml.ToString());
        var server = await TestServer.StartAsync(
            folder.PathOf("spillway.yaml"), folder, clock, environment: environment);
        return new(server, upstreams);
    }

    /// <summary>A chat's body.</summary>
    public static string Body(string more = "", string model = "chat", string content = "Hello") =>
        $$"""{"model":"{{model}}"{{(more.Length > 0 ? "," + more : "")}},"""
        + $$"""
        "messages":[{"role":"user","content":"{{content}}"}]}
        """;

    /// <summary>POST.</summary>
    public Task<Reply> PostAsync(string path, string body, params (string Name, string Value)[] headers) =>
        Server.SendAsync(Request(path, body, headers));

    /// <summary>A chat, whole or as the text of its stream.</summary>
    public Task<Reply> ChatAsync(string more = "", params (string Name, string Value)[] headers) =>
        PostAsync("/v1/chat/completions", Body(more), headers);

    /// <summary>A streamed chat.</summary>
    public async Task<Events> StreamAsync(string more = "", params (string Name, string Value)[] headers) =>
        new(await ChatAsync("\"stream\":true" + (more.Length > 0 ? "," + more : ""), headers));

    /// <summary>A stream of which the caller has the head, and reads as it likes.</summary>
    public async Task<HttpResponseMessage> OpenAsync(
        string more = "", CancellationToken stop = default, params (string Name, string Value)[] headers) =>
        await Server.Http.SendAsync(
            Request("/v1/chat/completions", Body("\"stream\":true" + more), headers),
            HttpCompletionOption.ResponseHeadersRead, stop);

    public static HttpRequestMessage Request(string path, string body, (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, path)
        {
            Content = new StringContent(body, Encoding.UTF8, new MediaTypeHeaderValue("application/json")),
        };
        foreach (var (name, value) in headers)
            Assert.True(request.Headers.TryAddWithoutValidation(name, value));
        return request;
    }

    /// <summary>Nothing is held: no request here, at a target, or in line; every ticket is settled.</summary>
    public async Task AssertNothingHeldAsync()
    {
        await TestServer.UntilAsync(() => Task.FromResult(Server.Serving.InFlight == 0));
        await TestServer.UntilAsync(() => Task.FromResult(
            Server.Serving.Gateway.Upstreams.All(u => u.Look().All(t => t.InFlight == 0) && u.Waiting == 0)));
        await TestServer.UntilAsync(() => Task.FromResult(_upstreams.All(u => u.Under == 0)));
        Assert.Equal(0, Server.Serving.Gateway.Open);
        if (Server.Serving.Guards.Desk is { } desk)
            Assert.Equal(desk.Borrowed, desk.Settled);
    }

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        foreach (var upstream in _upstreams)
            await upstream.DisposeAsync();
    }
}

/// <summary>The events of a stream.</summary>
/// <param name="Reply">As it came.</param>
internal sealed record Events(Reply Reply)
{
    /// <summary>The data of each event, in order.</summary>
    public IReadOnlyList<string> Data { get; } =
    [
        .. Reply.Text.Split("\n\n", StringSplitOptions.RemoveEmptyEntries).Select(e =>
        {
            Assert.StartsWith("data: ", e, StringComparison.Ordinal);
            return e["data: ".Length..];
        }),
    ];

    /// <summary>Whether it ends as whole streams do.</summary>
    public bool IsDone => Data[^1] == "[DONE]";

    /// <summary>The error event at its end; null for none.</summary>
    public JsonElement? Error =>
        Data[^1] != "[DONE]" && JsonElement.Parse(Data[^1]).TryGetProperty("error", out var error)
        ? error : null;

    /// <summary>The text.</summary>
    public string Text => string.Concat(Chunks.SelectMany(c => c.GetProperty("choices").EnumerateArray())
        .Select(c => c.GetProperty("delta").TryGetProperty("content", out var text) ? text.GetString() : ""));

    /// <summary>Its chunks.</summary>
    public IReadOnlyList<JsonElement> Chunks => [.. Data.Where(d => d != "[DONE]").Select(d => JsonElement.Parse(d))
        .Where(c => !c.TryGetProperty("error", out _))];
}
