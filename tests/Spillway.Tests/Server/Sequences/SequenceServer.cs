using System.Globalization;
using System.Text;
using Spillway.Engine;
using Spillway.Shared;
using Spillway.Tests.Telemetry;
using Spillway.Tests.Protocols.Grpc;
using Spillway.Tests.Support;

namespace Spillway.Tests.Server.Sequences;

/// <summary>A server whose model adds up the numbers of a sequence, on a clock and a gate of the test's own.</summary>
internal sealed class SequenceServer : IAsyncDisposable
{
    private readonly ManualResetEventSlim _open = new(initialState: true);
    private readonly SemaphoreSlim _inside = new(0);

    private SequenceServer()
    {
    }

    public ManualTimeProvider Time { get; } = new();

    public TestServer Server { get; private set; } = null!;

    public HttpClient Grpc { get; private set; } = null!;

    public static string Yaml(string more = "idleMs: 1000", string state = "- { input: s, output: next }") => $$"""
        runtime: onnx
        deadline: { floorMs: 600000 }
        sequences:
          {{more}}
          state:
            {{state}}
        """;

    public static async Task<SequenceServer> StartAsync(string? yaml = null, byte[]? model = null)
    {
        var folder = TestServer.Folder("", ("sum", yaml ?? Yaml()));
        await File.WriteAllBytesAsync(folder.PathOf("sum/model.onnx"), model ?? OnnxModels.Sum());
        var server = new SequenceServer();
        var clock = new Clock(server.Time) { Stamping = server.Pause };
        server.Server = await TestServer.StartAsync(folder, clock);
        server.Grpc = GrpcCalls.Client(server.Server);
        return server;
    }

    /// <summary>From now on a run stays at its end.</summary>
    public void Shut() => _open.Reset();

    public void Open() => _open.Set();

    /// <summary>Until a run stays at its end.</summary>
    public async Task InsideAsync() => Assert.True(await _inside.WaitAsync(TestServer.Patience));

    /// <summary>One request; flags is any of "start", "end", and timeout in microseconds.</summary>
    public Task<Reply> AskAsync(
        object id, double x, string flags = "", long timeout = 0, string name = "",
        CancellationToken cancellation = default)
    {
        var key = id is string text ? $"\"{text}\"" : Convert.ToString(id, CultureInfo.InvariantCulture);
        var given = flags.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var parameters = $"\"sequence_id\":{key}" + string.Concat(given.Select(f => $",\"sequence_{f}\":true"))
            + (timeout > 0 ? $",\"timeout\":{timeout}" : "");
        return Server.InferAsync(
            "sum", Encoding.UTF8.GetBytes(FormattableString.Invariant(
                $$$"""
                {"parameters":{{{{parameters}}}},
                "inputs":[{"name":"x","shape":[1,1],"datatype":"FP32","data":[{{{x}}}]}]}
                """)),
            name.Length > 0 ? [("X-Request-Id", name)] : [], cancellation);
    }

    /// <summary>One request that must be answered with this sum.</summary>
    public async Task SumAsync(object id, double x, double sum, string flags = "")
    {
        var reply = await AskAsync(id, x, flags);
        Assert.True(reply.Status == 200, reply.Text);
        Assert.Equal([sum], reply.Numbers("y"));
    }

    /// <summary>A figure of /metrics.</summary>
    public async Task<double> FigureAsync(string name)
    {
        var samples = Exposition.Parse((await Server.GetAsync("/metrics")).Body).Samples;
        return samples.Single(s => s.Key.StartsWith(name, StringComparison.Ordinal)).Value;
    }

    public async ValueTask DisposeAsync()
    {
        Open();
        Grpc.Dispose();
        await Server.DisposeAsync();
        _open.Dispose();
        _inside.Dispose();
    }

    private void Pause(Stage stage)
    {
        if (stage is not Stage.Execute || _open.IsSet)
            return;
        _inside.Release();
        _open.Wait();
    }
}
