using System.Text.Json;
using Spillway.Tests.Telemetry;

namespace Spillway.Tests.Server;

public sealed class StatisticsTests
{
    [Fact]
    public async Task Requests_rows_and_runs_are_counted_with_their_times()
    {
        await using var server = await TestServer.StartAsync(TestServer.Folder(
            "", ("m", TestServer.Simulated(more: "version: 3"))));
        for (var i = 0; i < 3; i++)
            Assert.Equal(200, (await server.InferRowAsync("m")).Status);
        const string two = """{"inputs":[{"name":"x","shape":[2,4],"datatype":"FP32","data":[1,2,3,4,5,6,7,8]}]}""";
        Assert.Equal(200, (await server.InferAsync("m", two)).Status);
        Assert.Equal(400, (await server.InferAsync("m", "{}")).Status);

        var stats = await StatsAsync(server, "/v2/models/m/stats", answered: 4, failed: 1);

        Assert.Equal(("m", "3"), (stats.GetProperty("name").GetString(), stats.GetProperty("version").GetString()));
        Assert.Equal(5, stats.GetProperty("inference_count").GetInt64());
        Assert.Equal(4, stats.GetProperty("execution_count").GetInt64());
        Assert.InRange(stats.GetProperty("last_inference").GetInt64(), 1_600_000_000_000, long.MaxValue);
        Assert.Equal(
            ["success", "fail", "queue", "compute_input", "compute_infer", "compute_output", "cache_hit", "cache_miss"],
            stats.GetProperty("inference_stats").EnumerateObject().Select(p => p.Name));
        var infer = Pair(stats.GetProperty("inference_stats"), "compute_infer");
        // The simulated run takes 0.05 ms at least.
        Assert.InRange(infer.Ns, 4 * 50_000, Pair(stats.GetProperty("inference_stats"), "success").Ns);
        Assert.Equal(4, infer.Count);
        Assert.Equal((0, 0), Pair(stats.GetProperty("inference_stats"), "cache_hit"));
        var batches = stats.GetProperty("batch_stats").EnumerateArray().ToList();
        Assert.Equal([1, 2], batches.Select(b => b.GetProperty("batch_size").GetInt32()));
        Assert.Equal([3, 1], batches.Select(b => Pair(b, "compute_infer").Count));
        Assert.All(batches, b => Assert.InRange(Pair(b, "compute_infer").Ns, 50_000, long.MaxValue));
    }

    [Fact]
    public async Task Names_that_share_a_run_count_it_once_each_and_only_their_own_rows()
    {
        const string model = """
            runtime: simulated
            simulated:
              inputs: { x: "FP32 [-1,4]" }
              outputs: { y: "FP32 [-1,4]" }
              latencyMs: { 1: 0.05, 2: 0.1 }
            deadline: { floorMs: 600000 }
            serve: { one: {}, two: {} }
            """;
        await using var server = await TestServer.StartAsync(TestServer.Folder("", ("m", model)));
        var asked = Enumerable.Range(0, 40).Select(i => server.InferRowAsync(i % 4 == 0 ? "two" : "one")).ToList();
        Assert.All(await Task.WhenAll(asked), r => Assert.Equal(200, r.Status));

        var one = await StatsAsync(server, "/v2/models/one/stats", answered: 30, failed: 0);
        var two = await StatsAsync(server, "/v2/models/two/versions/1/stats", answered: 10, failed: 0);

        Assert.Equal(30, one.GetProperty("inference_count").GetInt64());
        Assert.Equal(10, two.GetProperty("inference_count").GetInt64());
        Assert.InRange(one.GetProperty("execution_count").GetInt64(), 1, 30);
        Assert.InRange(two.GetProperty("execution_count").GetInt64(), 1, 10);
        foreach (var stats in new[] { one, two })
        {
            Assert.Equal(
                stats.GetProperty("execution_count").GetInt64(),
                stats.GetProperty("batch_stats").EnumerateArray().Sum(b => Pair(b, "compute_infer").Count));
        }
    }

    [Fact]
    public async Task Failed_runs_are_no_executions_and_the_list_has_every_loaded_model()
    {
        var models = TestServer.Folder(
            "", ("echo", TestServer.Simulated()), ("broken", TestServer.Simulated(more: "  faultRate: 1")));
        await using var server = await TestServer.StartAsync(models, load: false);
        Assert.Empty((await server.GetAsync("/v2/models/stats")).Json.GetProperty("model_stats").EnumerateArray());
        (await server.GetAsync("/v2/models/echo/stats")).Is(503, "model_not_ready", "still loading");
        await server.LoadAsync();
        Assert.Equal(500, (await server.InferRowAsync("broken")).Status);
        var broken = await StatsAsync(server, "/v2/models/broken/stats", answered: 0, failed: 1);
        Assert.Equal(0, broken.GetProperty("execution_count").GetInt64());
        Assert.Equal(0, broken.GetProperty("last_inference").GetInt64());
        var all = (await server.GetAsync("/v2/models/stats")).Json.GetProperty("model_stats").EnumerateArray();
        Assert.Equal(["echo", "broken"], all.Select(m => m.GetProperty("name").GetString()));
        (await server.GetAsync("/v2/models/nobody/stats")).Is(404, "unknown_model", "Request for unknown model");
        (await server.GetAsync("/v2/models/echo/versions/2/stats")).Is(404, "unknown_model", "version 2");
    }

    [Fact]
    public async Task Tritons_counters_stand_beside_ours_and_can_be_switched_off()
    {
        await using var server = await TestServer.StartAsync(TestServer.Folder(
            "tritonMetricNames: true", ("m", TestServer.Simulated())));
        Assert.Equal(200, (await server.InferRowAsync("m")).Status);
        Assert.Equal(400, (await server.InferAsync("m", "{}")).Status);
        await StatsAsync(server, "/v2/models/m/stats", answered: 1, failed: 1);
        var page = Exposition.Parse((await server.GetAsync("/metrics")).Body);
        const string Labels = """{model="m",version="1"}""";
        Assert.Equal(1, page.Samples["nv_inference_request_success" + Labels]);
        Assert.Equal(1, page.Samples["""nv_inference_request_failure{model="m",version="1",reason="OTHER"}"""]);
        Assert.Equal(1, page.Samples["nv_inference_count" + Labels]);
        Assert.Equal(1, page.Samples["nv_inference_exec_count" + Labels]);
        var whole = page.Samples["nv_inference_request_duration_us" + Labels];
        Assert.InRange(page.Samples["nv_inference_compute_infer_duration_us" + Labels], 50, whole);
        Assert.Equal("counter", page.Types["nv_inference_queue_duration_us"]);
        Assert.Equal("gauge", page.Types["nv_inference_pending_request_count"]);

        await using var without = await TestServer.StartAsync(TestServer.Folder(
            "", ("m", TestServer.Simulated())));
        Assert.DoesNotContain("nv_inference", (await without.GetAsync("/metrics")).Text, StringComparison.Ordinal);
    }

    /// <summary>A request is counted just after its answer's last byte, so its figures are waited for.</summary>
    private static async Task<JsonElement> StatsAsync(TestServer server, string path, long answered, long failed)
    {
        JsonElement found = default;
        await TestServer.UntilAsync(async () =>
        {
            found = Assert.Single((await server.GetAsync(path)).Json.GetProperty("model_stats").EnumerateArray());
            var stats = found.GetProperty("inference_stats");
            return (Pair(stats, "success").Count, Pair(stats, "fail").Count) == (answered, failed);
        });
        return found;
    }

    private static (long Count, long Ns) Pair(JsonElement of, string name) =>
        (of.GetProperty(name).GetProperty("count").GetInt64(), of.GetProperty(name).GetProperty("ns").GetInt64());
}
