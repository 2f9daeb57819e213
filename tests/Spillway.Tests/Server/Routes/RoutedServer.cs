using System.Globalization;
using System.Text.Json;
using Spillway.Engine;
using Spillway.Engine.Routes;
using Spillway.Tests.Config;
using Spillway.Tests.Support;

namespace Spillway.Tests.Server.Routes;

/// <summary>Servers with one route, r, over simulated models: a and b answer with what they get.</summary>
internal static class RoutedServer
{
    public const string Route = "r";

    /// <summary>A first step and one behind it.</summary>
    public const string Two = "[{ model: a }, { model: b }]";

    /// <summary>A model whose every run fails.</summary>
    public static string Broken => TestServer.Simulated(more: "  faultRate: 1");

    /// <summary>A model whose run takes a minute.</summary>
    public static string Slow => TestServer.Simulated("{ 1: 60000 }", more: "batching: { batchRowsMax: 1 }");

    /// <summary>The route's section and others of the root file.</summary>
    public static string Section(string steps, string more = "") =>
        $"routes:\n  {Route}:\n    chain: {{ steps: {steps} }}\n{Indent(more)}";

    /// <summary>A cache with that beside its switch.</summary>
    public static string Cache(string more = "") => $"cache: {{ enabled: true{(more.Length > 0 ? ", " + more : "")} }}";

    public static ConfigFolder Folder(
        string steps, string more = "", string root = "", string? a = null, string? b = null)
    {
        var folder = TestServer.Folder(
            "", ("a", a ?? TestServer.Simulated()), ("b", b ?? TestServer.Simulated()));
        File.AppendAllText(folder.PathOf("spillway.yaml"), Section(steps, more) + root + "\n");
        return folder;
    }

    public static Task<TestServer> StartAsync(
        string steps, string more = "", string root = "", string? a = null, string? b = null, Clock? clock = null) =>
        TestServer.StartAsync(Folder(steps, more, root, a, b), clock);

    /// <summary>One row to the route.</summary>
    public static Task<Reply> AskAsync(
        this TestServer server, string values = "1,2,3,4", params (string Name, string Value)[] headers) =>
        server.InferAsync(Route, Row(values), headers);

    /// <summary>The JSON of one row.</summary>
    public static string Row(string values) =>
        $$"""{"inputs":[{"name":"x","shape":[1,4],"datatype":"FP32","data":[{{values}}]}]}""";

    /// <summary>It was answered by that step; degraded for that reason, or plainly.</summary>
    public static Reply By(this Reply reply, string step, string? degraded = null)
    {
        Assert.True(reply.Status == 200, $"{reply.Status}: {reply.Text}");
        Assert.Equal((step, degraded), (reply.Header("X-Spillway-Step"), reply.Header("X-Spillway-Degraded")));
        return reply;
    }

    /// <summary>Waits until /metrics has a value, which is written when a record is.</summary>
    public static Task CountsAsync(this TestServer server, string series, long value) =>
        TestServer.UntilAsync(async () => await server.CountAsync(series) == value);

    /// <summary>A value of /metrics; -1 where it does not stand.</summary>
    public static async Task<long> CountAsync(this TestServer server, string series)
    {
        var line = (await server.GetAsync("/metrics")).Text.Split('\n')
            .SingleOrDefault(l => l.StartsWith(series + " ", StringComparison.Ordinal));
        return line is null ? -1 : (long)double.Parse(line[(series.Length + 1)..], CultureInfo.InvariantCulture);
    }

    /// <summary>What became of look-ups in the route's cache.</summary>
    public static Task<long> LookUpsAsync(this TestServer server, string result) =>
        server.CountAsync($"spillway_cache_lookups_total{{route=\"{Route}\",result=\"{result}\"}}");

    /// <summary>How many look-ups of the route's cache wait for another's answer, or did.</summary>
    public static Task UntilJoinedAsync(this TestServer server, int count) => TestServer.UntilAsync(() =>
        Task.FromResult(server.Memory().Cache!.Counts.Joins >= count));

    /// <summary>Nothing is in flight: a request ends just after its answer's last byte.</summary>
    public static Task IdleAsync(this TestServer server) =>
        TestServer.UntilAsync(() => Task.FromResult(server.Serving.InFlight == 0));

    /// <summary>What the route remembers.</summary>
    public static RouteMemory Memory(this TestServer server) => server.Serving.Models.Routes.All.Single();

    /// <summary>
    /// Moves the clock on until the answer is there: a simulated run takes its time. Each step is a question over the
    /// wire, which keeps the steps few.
    /// </summary>
    public static async Task<Reply> AnsweredAsync(
        this TestServer server, ManualTimeProvider time, Task<Reply> reply, double stepMs = 0.1)
    {
        await TestServer.UntilAsync(async () =>
        {
            await server.GetAsync("/v2/health/live");
            time.Advance(TimeSpan.FromMilliseconds(stepMs));
            return reply.IsCompleted;
        });
        return await reply;
    }

    /// <summary>A decision's sentence.</summary>
    public static string Says(this JsonElement record, string decision) => record.GetProperty("decisions")
        .EnumerateArray().Single(d => d.GetProperty("kind").GetString() == decision).GetProperty("text").GetString()!;

    /// <summary>The stages sum to the total.</summary>
    public static void AssertStagesSum(this JsonElement record)
    {
        var sum = record.GetProperty("stages").EnumerateArray().Sum(s => s.GetProperty("ms").GetDecimal());
        Assert.Equal(sum, record.GetProperty("total_ms").GetDecimal());
    }

    private static string Indent(string more) => string.Concat(more.Split('\n', StringSplitOptions.RemoveEmptyEntries)
        .Select(line => $"    {line}\n"));
}
