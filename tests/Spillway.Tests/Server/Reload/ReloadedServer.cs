using System.Text.Json;
using Spillway.App.Simulate;
using Spillway.Engine;
using Spillway.Runtimes.Simulated.Chat;
using Spillway.Tests.Config;
using Spillway.Tests.Server.OpenAi;
using Spillway.Tests.Server.Upstreams;

namespace Spillway.Tests.Server.Reload;

/// <summary>A server over one or more simulated upstreams whose configuration a test writes anew.</summary>
internal sealed class ReloadedServer : IAsyncDisposable
{
    private readonly ConfigFolder _folder;
    private readonly List<SimulatedModelServer> _upstreams;

    private ReloadedServer(TestServer server, ConfigFolder folder, List<SimulatedModelServer> upstreams) =>
        (Server, _folder, _upstreams) = (server, folder, upstreams);

    public TestServer Server { get; }

    public SimulatedModelServer this[int upstream] => _upstreams[upstream];

    /// <summary>Lines for an upstream with bounds that no pause of a busy machine reaches.</summary>
    public static string Upstream(
        string name, string url, string more = "retry: { attemptsMax: 1 }", string target = "t") =>
        $"  {name}:\n    kind: openai\n    model: simulated\n    targets: {{ {target}: {{ url: \"{url}v1\" }} }}\n"
        + string.Concat(UpstreamServer.Patient(more).Split('\n').Select(l => $"    {l}\n"));

    /// <summary>A whole file.</summary>
    public static string Yaml(string upstreams, string routes, string root = "", string server = "") =>
        $"server: {{ port: 0{(server.Length > 0 ? ", " + server : "")} }}\nupstreams:\n{upstreams}"
        + $"routes:\n{routes}{root}\n";

    /// <summary>A route with that one step.</summary>
    public static string Route(string name, string upstream, string more = "") =>
        $"  {name}:\n    chain: {{ steps: [{{ model: {upstream} }}] }}\n{(more.Length > 0 ? $"    {more}\n" : "")}";

    /// <summary>Starts with as many upstreams as wanted.</summary>
    /// <param name="yaml">The file, of the upstreams' addresses.</param>
    /// <param name="count">How many upstreams.</param>
    /// <param name="chat">How they answer.</param>
    /// <param name="time">Their clock.</param>
    /// <param name="clock">The server's.</param>
    /// <param name="files">Further files, which only their owner may read.</param>
    public static async Task<ReloadedServer> StartAsync(
        Func<IReadOnlyList<Uri>, string> yaml, int count = 1, SimulatedChatOptions? chat = null,
        TimeProvider? time = null, Clock? clock = null, params (string Name, string Text)[] files)
    {
        List<SimulatedModelServer> upstreams = [];
        for (var i = 0; i < count; i++)
            upstreams.Add(await SimulatedModelServer.StartAsync(chat ?? ChatServer.Fast, time: time));
        var folder = new ConfigFolder().Write("spillway.yaml", yaml([.. upstreams.Select(u => u.Address)]));
        foreach (var (name, text) in files)
        {
            folder.Write(name, text);
            UpstreamKeyTests.Mine(folder.PathOf(name));
        }

        var server = await TestServer.StartAsync(folder.PathOf("spillway.yaml"), folder, clock);
        return new(server, folder, upstreams);
    }

    /// <summary>Writes a file of the configuration.</summary>
    public void Write(string yaml, string file = "spillway.yaml") => File.WriteAllText(_folder.PathOf(file), yaml);

    /// <summary>The addresses of the upstreams.</summary>
    public string Url(int upstream = 0) => _upstreams[upstream].Address.ToString();

    public Task<Reply> ReloadAsync() => Server.SendAsync(new(HttpMethod.Post, "/admin/v1/reload"));

    /// <summary>Writes the file and reloads; it is put in force.</summary>
    public async Task<JsonElement> ReloadAsync(string yaml)
    {
        Write(yaml);
        var reply = await ReloadAsync();
        Assert.True(reply.Status == 200, reply.Text);
        return reply.Json;
    }

    /// <summary>A chat.</summary>
    public Task<Reply> ChatAsync(string model = "chat", params (string Name, string Value)[] headers) =>
        Server.SendAsync(ChatServer.Request("/v1/chat/completions", ChatServer.Body(model: model), headers));

    /// <summary>A chat that is answered.</summary>
    public async Task AnsweredAsync(string model = "chat", params (string Name, string Value)[] headers)
    {
        var reply = await ChatAsync(model, headers);
        Assert.True(reply.Status == 200, reply.Text);
    }

    /// <summary>A member of an answer that is a list of keys.</summary>
    public static string[] Keys(JsonElement answer, string member) =>
        [.. answer.GetProperty(member).EnumerateArray().Select(k => k.GetString()!)];

    /// <summary>Nothing is held: no request here or at a target, every ticket is settled.</summary>
    public async Task AssertNothingHeldAsync()
    {
        await TestServer.UntilAsync(() => Server.Serving.InFlight == 0);
        await TestServer.UntilAsync(() => Server.Serving.Gateway.Upstreams
            .All(u => u.Look().All(t => t.InFlight == 0) && u.Waiting == 0));
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
