using System.Globalization;
using Spillway.Flow;
using Spillway.Tests.Config;
using Spillway.Tests.Support;

namespace Spillway.Tests.Server;

/// <summary>More models than fit in memory, through the real server.</summary>
public sealed class ResidencyTests
{
    [Fact]
    public async Task What_does_not_fit_is_loaded_when_it_is_asked_for_and_the_least_recently_used_one_goes()
    {
        await using var server = await StartAsync(budget: 20, ("a", 10), ("b", 10), ("c", 10));
        Assert.Equal([RouteState.Ready, RouteState.Ready, RouteState.Absent], States(server));
        Assert.Equal(200, (await server.GetAsync("/v2/health/ready")).Status);
        Assert.Equal(20, await UsedAsync(server));

        await AnswersAsync(server, "b");
        await AnswersAsync(server, "a");
        await AnswersAsync(server, "c");
        Assert.Equal([RouteState.Ready, RouteState.Absent, RouteState.Ready], States(server));
        await AnswersAsync(server, "b");
        Assert.Equal([RouteState.Absent, RouteState.Ready, RouteState.Ready], States(server));
        Assert.Equal(20, await UsedAsync(server));
    }

    [Fact]
    public async Task The_memory_of_each_model_stands_in_the_metrics_and_in_the_list_of_models_while_it_is_loaded()
    {
        await using var server = await StartAsync(budget: 20, ("a", 12), ("b", 8), ("c", 5));
        Assert.Equal(12, (await server.ModelAsync("a")).GetProperty("memory_bytes").GetInt64());
        Assert.Equal(8, (await server.ModelAsync("b")).GetProperty("memory_bytes").GetInt64());
        Assert.False((await server.ModelAsync("c")).TryGetProperty("memory_bytes", out _));
        var metrics = (await server.GetAsync("/metrics")).Text;
        Assert.Contains("spillway_model_memory_bytes{deployment=\"a\",version=\"1\"} 12\n", metrics,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Everybody_is_answered_when_all_models_are_wanted_at_once_and_one_fits()
    {
        await using var server = await StartAsync(budget: 10, ("a", 10), ("b", 10), ("c", 10));

        var answers = await Task.WhenAll(Enumerable.Range(0, 60)
            .Select(i => server.InferRowAsync("abc"[i % 3].ToString(), "\"timeout\":60000000")));

        Assert.All(answers, a => Assert.True(a.Status == 200, a.Text));
        Assert.Single(States(server), RouteState.Ready);
    }

    [Fact]
    public async Task A_pinned_model_stays_and_one_that_can_never_fit_beside_it_says_why()
    {
        await using var server = await StartAsync(budget: 20, "pinned: true", ("a", 15), ("b", 5), ("c", 6));

        await AnswersAsync(server, "b");
        var refused = await server.InferRowAsync("c");

        refused.Is(
            503, "model_not_ready", "takes about 6 bytes; models may take 20 on simulated, and pinned ones stay");
        Assert.Equal([RouteState.Ready, RouteState.Ready, RouteState.Absent], States(server));
    }

    [Fact]
    public async Task A_request_waits_for_a_load_no_longer_than_its_deadline()
    {
        await using var server = await StartAsync(
            budget: 10, "", ("a", 10, 0), ("b", 10, 60_000));

        var late = await server.InferRowAsync("b", "\"timeout\":50000");

        late.Is(503, "model_not_ready", "was not there within 50 ms");
        Assert.NotEmpty(late.Headers["retry-after-ms"]);
    }

    [Fact]
    public async Task A_busy_model_answers_whom_it_has_before_it_goes()
    {
        var time = new ManualTimeProvider();
        await using var server = await StartAsync(
            budget: 10, "", "{ 1: 300 }", time, ("a", 10, 0), ("b", 10, 0));
        var held = server.InferRowAsync("a");
        await TestServer.UntilAsync(() => server.Serving.Find("a")!.Deployment!.Look().Active == 1);

        var next = await TestServer.ThroughAsync(time, server.InferRowAsync("b"), stepMs: 5);

        Assert.True(next.Status == 200, next.Text);
        Assert.Equal(200, (await held).Status);
    }

    private static async Task AnswersAsync(TestServer server, string model)
    {
        var answer = await server.InferRowAsync(model);
        Assert.True(answer.Status == 200, answer.Text);
    }

    private static RouteState[] States(TestServer server) => [.. server.Serving.Doors.Select(d => d.Route.State)];

    private static async Task<double> UsedAsync(TestServer server)
    {
        var metrics = (await server.GetAsync("/metrics")).Text;
        var line = metrics.Split('\n')
            .Single(l => l.StartsWith("spillway_memory_used_bytes{", StringComparison.Ordinal));
        return double.Parse(line.Split(' ')[1], CultureInfo.InvariantCulture);
    }

    private static Task<TestServer> StartAsync(long budget, params (string Name, long Bytes)[] models) =>
        StartAsync(budget, "", models);

    private static Task<TestServer> StartAsync(long budget, string first, params (string Name, long Bytes)[] models) =>
        StartAsync(budget, first, [.. models.Select(m => (m.Name, m.Bytes, 2.0))]);

    private static Task<TestServer> StartAsync(
        long budget, string first, params (string Name, long Bytes, double LoadMs)[] models) =>
        StartAsync(budget, first, "{ 1: 0.05 }", null, models);

    private static Task<TestServer> StartAsync(
        long budget, string first, string latency, ManualTimeProvider? time,
        params (string Name, long Bytes, double LoadMs)[] models)
    {
        var folder = new ConfigFolder().Write("spillway.yaml", $$"""
            server: { port: 0 }
            residency: { memoryBytesMax: { simulated: {{budget}} } }
            models: [{{string.Join(", ", models.Select(m => m.Name))}}]
            """);
        foreach (var (name, bytes, loadMs) in models)
        {
            folder.Write($"{name}/model.yaml", string.Create(CultureInfo.InvariantCulture, $$"""
                runtime: simulated
                simulated:
                  inputs: { x: "FP32 [-1,4]" }
                  outputs: { y: "FP32 [-1,4]" }
                  latencyMs: {{latency}}
                  memoryBytes: {{bytes}}
                  loadMs: {{loadMs}}
                deadline: { floorMs: 600000 }
                {{(name == "a" ? first : "")}}
                """));
        }

        return time is null ? TestServer.StartAsync(folder) : TestServer.StartOnAsync(time, folder);
    }
}
