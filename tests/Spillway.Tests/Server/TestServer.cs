using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Spillway.App.Hosting;
using Spillway.Config;
using Spillway.Engine;
using Spillway.Runtimes;
using Spillway.Tests.Config;
using Spillway.Tests.Support;

namespace Spillway.Tests.Server;

/// <summary>The real server in this process, on a free port, from a configuration in a temporary folder.</summary>
internal sealed class TestServer : IAsyncDisposable
{
    /// <summary>No test waits longer than this for what must happen: two minutes, for a very busy machine.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly IDisposable? _folder;
    private readonly WebApplication _app;

    private TestServer(IDisposable? folder, WebApplication app, Serving serving, Snapshot snapshot)
    {
        (_folder, _app, Serving, Snapshot) = (folder, app, serving, snapshot);
        Address = new(app.Urls.First());
        Grpc = Spillway.App.Hosting.Server.GrpcAddress(app);
        Http = new(new SocketsHttpHandler { UseProxy = false, MaxConnectionsPerServer = 256 })
        {
            BaseAddress = Address, Timeout = Patience,
        };
    }

    /// <summary>Everything served, to drain or to look at.</summary>
    public Serving Serving { get; }

    /// <summary>Its configuration.</summary>
    public Snapshot Snapshot { get; }

    /// <summary>Such as http://127.0.0.1:41234.</summary>
    public Uri Address { get; }

    /// <summary>Where it speaks gRPC; null when that is off.</summary>
    public Uri? Grpc { get; }

    /// <summary>A client of it.</summary>
    public HttpClient Http { get; }

    /// <summary>
    /// A model.yaml of a simulated model; by default y answers with x, almost at once. Its default deadline is ten
    /// minutes and not a quarter of a second, which a busy machine may need for anything.
    /// </summary>
    public static string Simulated(
        string latencyMs = "{ 1: 0.05, 2: 0.1 }", string inputs = "x: \"FP32 [-1,4]\"", string outputs = "y: \"FP32 [-1,4]\"", string more = "") =>
        $$"""
        runtime: simulated
        simulated:
          inputs: { {{inputs}} }
          outputs: { {{outputs}} }
          latencyMs: {{latencyMs}}
        {{more}}
        {{(more.Contains("deadline:", StringComparison.Ordinal) ? "" : "deadline: { floorMs: 600000 }")}}
        """;

    /// <summary>A configuration of these models, each a folder's name and its model.yaml.</summary>
    public static ConfigFolder Folder(string server, params (string Name, string Yaml)[] models)
    {
        var folder = new ConfigFolder().Write(
            "spillway.yaml", $"server: {{ port: 0{(server.Length > 0 ? ", " + server : "")} }}\nmodels: [{string.Join(", ", models.Select(m => m.Name))}]\n");
        foreach (var (name, yaml) in models)
            folder.Write($"{name}/model.yaml", yaml);
        return folder;
    }

    /// <summary>One simulated model, on which a run takes a minute: whoever is in it stays until it is stopped.</summary>
    public static Task<TestServer> StartSlowAsync(string batching = "", Clock? clock = null) => StartAsync(
        Folder("", ("slow", Simulated("{ 1: 60000 }", more: $"batching: {{ batchRowsMax: 1{batching} }}"))), clock);

    /// <summary>Starts and waits until every load has ended, well or badly.</summary>
    public static Task<TestServer> StartAsync(ConfigFolder folder, Clock? clock = null, bool load = true) =>
        StartAsync(folder.PathOf("spillway.yaml"), folder, clock, load);

    /// <summary>
    /// A server all of whose time is the test's, also that of simulated runs: a run stays until the clock moves. Ask it
    /// nothing while a run of less than a millisecond stays, which may do so on the thread that would answer.
    /// </summary>
    public static Task<TestServer> StartOnAsync(ManualTimeProvider time, ConfigFolder folder) =>
        StartAsync(folder.PathOf("spillway.yaml"), folder, new Clock(time), true, Composition.On(time), []);

    /// <summary>Starts from a configuration file; its port is overridden with a free one.</summary>
    public static Task<TestServer> StartAsync(
        string config, IDisposable? folder = null, Clock? clock = null, bool load = true,
        params (string Name, string Value)[] environment) =>
        StartAsync(config, folder, clock, load, runtimes: null, environment);

    private static async Task<TestServer> StartAsync(
        string config, IDisposable? folder, Clock? clock, bool load, IReadOnlyDictionary<string, IRuntime>? runtimes,
        (string Name, string Value)[] environment)
    {
        var variables = environment.Append(("SPILLWAY__SERVER__PORT", "0")).ToDictionary(e => e.Item1, e => e.Item2);
        ConfigResult Read() => ConfigLoader.Load(config, Composition.RuntimeOptions, variables);
        var loaded = Read();
        Assert.True(loaded.Valid, ConfigErrorText.Format(loaded.Errors));
        var snapshot = Snapshot.From(loaded, number: 1, DateTimeOffset.UnixEpoch);
        var app = Spillway.App.Hosting.Server.Build(snapshot, out var serving, clock, variables, runtimes, Read);
        await app.StartAsync();
        var server = new TestServer(folder, app, serving, snapshot);
        if (load)
            await server.LoadAsync();
        return server;
    }

    /// <summary>Loads the models of a server that was started without.</summary>
    public Task LoadAsync()
    {
        Serving.Start();
        return Serving.Loaded.WaitAsync(Patience);
    }

    /// <summary>Sends a request and reads the whole answer.</summary>
    public async Task<Reply> SendAsync(HttpRequestMessage request, CancellationToken cancellation = default)
    {
        using (request)
        {
            using var response = await Http.SendAsync(request, cancellation);
            return new(
                (int)response.StatusCode, await response.Content.ReadAsByteArrayAsync(cancellation),
                response.Headers.Concat(response.Content.Headers).ToDictionary(
                    h => h.Key, h => string.Join(", ", h.Value), StringComparer.OrdinalIgnoreCase));
        }
    }

    /// <summary>GET.</summary>
    public Task<Reply> GetAsync(string path) => SendAsync(new(HttpMethod.Get, path));

    /// <summary>POST …/infer.</summary>
    public Task<Reply> InferAsync(string model, byte[] body, (string Name, string Value)[] headers, CancellationToken cancellation = default)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, $"/v2/models/{model}/infer") { Content = new ByteArrayContent(body) };
        foreach (var (name, value) in headers)
            Assert.True(request.Headers.TryAddWithoutValidation(name, value));
        return SendAsync(request, cancellation);
    }

    /// <summary>POST …/infer of a JSON text.</summary>
    public Task<Reply> InferAsync(string model, string json, params (string Name, string Value)[] headers) =>
        InferAsync(model, Encoding.UTF8.GetBytes(json), headers);

    /// <summary>Asks for one row of x; the values come back as y.</summary>
    public Task<Reply> InferRowAsync(string model, string parameters = "", string id = "", CancellationToken cancellation = default) => InferAsync(
        model, Encoding.UTF8.GetBytes(Row(parameters)), id.Length > 0 ? [("X-Request-Id", id)] : [], cancellation);

    /// <summary>The JSON of one row of x: 1, 2, 3, 4.</summary>
    public static string Row(string parameters = "") =>
        $$"""{"parameters":{{{parameters}}},"inputs":[{"name":"x","shape":[1,4],"datatype":"FP32","data":[1,2,3,4]}]}""";

    /// <summary>The record of a request, which is kept just after its answer's last byte.</summary>
    public async Task<JsonElement> RecordAsync(string id)
    {
        Reply? found = null;
        await UntilAsync(async () => (found = await GetAsync($"/admin/v1/requests/{id}")).Status == 200);
        return found!.Json;
    }

    /// <summary>Waits until a model's figure in the admin protocol has a value.</summary>
    public Task UntilModelAsync(string model, string figure, int value) => UntilAsync(async () =>
        (await ModelAsync(model)).GetProperty(figure).GetInt32() == value);

    /// <summary>A model's figures in the admin protocol.</summary>
    public async Task<JsonElement> ModelAsync(string model) => (await GetAsync("/admin/v1/models")).Json.GetProperty("models")
        .EnumerateArray().Single(m => m.GetProperty("name").GetString() == model);

    /// <summary>
    /// Asks again until it is so. Between two questions a moment passes: a question that costs nothing would else take
    /// a core, and a thread of the pool, from what it waits for.
    /// </summary>
    public static async Task UntilAsync(Func<Task<bool>> isSo)
    {
        var began = TimeProvider.System.GetTimestamp();
        for (var round = 0; !await isSo(); round++)
        {
            Assert.True(TimeProvider.System.GetElapsedTime(began) < Patience, "It did not happen.");
            await Task.Delay(TimeSpan.FromMilliseconds(round < 20 ? 1 : 5), TimeProvider.System);
        }
    }

    /// <summary>The same, of what is known without asking.</summary>
    public static Task UntilAsync(Func<bool> isSo) => UntilAsync(() => Task.FromResult(isSo()));

    /// <summary>
    /// Moves a clock on, step by step, until a task has ended: simulated runs and time-outs take their time on it,
    /// whatever the machine makes of ours.
    /// </summary>
    public static async Task<T> ThroughAsync<T>(ManualTimeProvider time, Task<T> task, double stepMs = 0.1)
    {
        await UntilAsync(() =>
        {
            time.Advance(TimeSpan.FromMilliseconds(stepMs));
            return task.IsCompleted;
        });
        return await task;
    }

    /// <summary>The same for what gives nothing.</summary>
    public static async Task ThroughAsync(ManualTimeProvider time, Task task, double stepMs = 0.1)
    {
        await UntilAsync(() =>
        {
            time.Advance(TimeSpan.FromMilliseconds(stepMs));
            return task.IsCompleted;
        });
        await task;
    }

    /// <summary>The server lives: it is live, and it answers an ordinary request of that model.</summary>
    public async Task AssertAliveAsync(string model = "echo")
    {
        Assert.Equal(200, (await GetAsync("/v2/health/live")).Status);
        var reply = await InferRowAsync(model);
        Assert.True(reply.Status == 200, reply.Text);
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        // Whoever is still connected is cut off at once.
        await _app.StopAsync(new CancellationToken(canceled: true));
        await Serving.DisposeAsync();
        await _app.DisposeAsync();
        _folder?.Dispose();
    }
}

/// <summary>A whole answer.</summary>
/// <param name="Status">HTTP status.</param>
/// <param name="Body">Its bytes.</param>
/// <param name="Headers">Of response and content; several values of one name joined by commas.</param>
internal sealed record Reply(int Status, byte[] Body, IReadOnlyDictionary<string, string> Headers)
{
    public string Text => Encoding.UTF8.GetString(Body);

    public JsonElement Json => JsonElement.Parse(Body);

    /// <summary>The "error" of a refusal, which has nothing else in it.</summary>
    public string Error
    {
        get
        {
            Assert.Equal("application/json", Header("Content-Type"));
            var member = Assert.Single(Json.EnumerateObject());
            Assert.Equal("error", member.Name);
            return member.Value.GetString()!;
        }
    }

    public string? Header(string name) => Headers.GetValueOrDefault(name);

    /// <summary>The numbers of an output in JSON.</summary>
    public double[] Numbers(string output) => [.. Output(output).GetProperty("data").EnumerateArray().Select(v => v.GetDouble())];

    public JsonElement Output(string name) =>
        Json.GetProperty("outputs").EnumerateArray().Single(o => o.GetProperty("name").GetString() == name);

    /// <summary>It is this refusal, in words that hold all of these.</summary>
    public Reply Is(int status, string fault, params string[] says)
    {
        Assert.True(status == Status, $"{Status}: {Text}");
        Assert.Equal(fault, Header("X-Spillway-Fault"));
        Assert.All(says, s => Assert.Contains(s, Error, StringComparison.Ordinal));
        if (status == 503)
        {
            var seconds = int.Parse(Header("Retry-After")!, CultureInfo.InvariantCulture);
            var ms = int.Parse(Header("retry-after-ms")!, CultureInfo.InvariantCulture);
            Assert.True(ms >= 1 && seconds == Math.Max(1, (ms + 999) / 1000), $"{seconds} s, {ms} ms");
        }

        return this;
    }
}
