using Spillway.Engine;
using Spillway.Shared;
using Spillway.Tests.Config;
using Spillway.Tests.Server.Access;
using Spillway.Tests.Support;

namespace Spillway.Tests.Server.Routes;

/// <summary>A route's cache over the wire.</summary>
public sealed class RouteCacheTests
{
    private const string One = "[{ model: a }]";

    private static readonly (string, string) s_noStore = ("Cache-Control", "no-store");
    private static readonly (string, string) s_noCache = ("Cache-Control", "max-age=0, No-Cache");

    [Fact]
    public async Task Miss_hit_refresh_and_bypass_are_told_and_counted()
    {
        // An answer's age is a second where this machine pauses for one.
        var time = new ManualTimeProvider();
        await using var server = await RoutedServer.StartAsync(One, RoutedServer.Cache(), clock: new Clock(time));
        (string Cache, (string, string)[] Headers)[] asked =
        [
            ("miss", []), ("hit", []), ("refresh", [s_noCache]), ("bypass", [s_noStore]), ("hit", []),
            ("bypass", [s_noStore, s_noCache]),
        ];
        for (var i = 0; i < asked.Length; i++)
        {
            var reply = await server.AnsweredAsync(
                time, server.AskAsync("1,2,3,4", [.. asked[i].Headers, ("X-Request-Id", $"c{i}")]));
            Assert.Equal((200, asked[i].Cache), (reply.Status, reply.Header("X-Spillway-Cache")));
            Assert.Equal([1, 2, 3, 4], reply.Numbers("y"));
            var isHit = asked[i].Cache == "hit";
            Assert.Equal(isHit ? "0" : null, reply.Header("Age"));
            Assert.Equal(isHit ? null : "a", reply.Header("X-Spillway-Step"));
            var record = await server.RecordAsync($"c{i}");
            record.AssertStagesSum();
            Assert.Equal(isHit, MetadataTests.Decisions(record).Contains("cache_hit"));
        }

        var other = await server.AnsweredAsync(time, server.AskAsync("4,3,2,1"));
        Assert.Equal("miss", other.Header("X-Spillway-Cache"));
        foreach (var (result, count) in new[] { ("hit", 2), ("miss", 2), ("refresh", 1), ("bypass", 2), ("join", 0) })
            Assert.Equal((result, count), (result, await server.LookUpsAsync(result)));
        Assert.Equal(2, await server.CountAsync("spillway_cache_entries{route=\"r\"}"));
        await server.IdleAsync();
    }

    [Fact]
    public async Task Hits_are_served_while_the_model_is_flooded_and_its_queue_is_full()
    {
        // Two rows take a minute and one row takes nothing: the flood holds the model, the question was asked before.
        await using var server = await RoutedServer.StartAsync(
            One, RoutedServer.Cache(), a: TestServer.Simulated(
                "{ 1: 0.05, 2: 60000 }", more: "batching: { batchRowsMax: 2, queueLengthMax: 1 }"));
        Assert.Equal("miss", (await server.AskAsync()).Header("X-Spillway-Cache"));
        using var leave = new CancellationTokenSource();
        var body = """{"inputs":[{"name":"x","shape":[2,4],"datatype":"FP32","data":[1,2,3,4,5,6,7,8]}]}"""u8.ToArray();
        var holds = server.InferAsync("a", body, [], leave.Token);
        await server.UntilModelAsync("a", "active_runs", 1);
        var waits = server.InferAsync("a", body, [], leave.Token);
        await server.UntilModelAsync("a", "queue_length", 1);

        (await server.AskAsync("9,9,9,9")).Is(503, "queue_full");
        for (var i = 0; i < 20; i++)
            Assert.Equal("hit", (await server.AskAsync()).Header("X-Spillway-Cache"));

        await leave.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Task.WhenAll(holds, waits));
    }

    [Theory]
    [InlineData("tenant", "miss")]
    [InlineData("shared", "hit")]
    public async Task Answers_are_a_tenants_own_unless_declared_shared(string scope, string second)
    {
        var folder = KeyedServer.Folder(
            more: RoutedServer.Section("[{ model: echo }]", RoutedServer.Cache($"scope: {scope}")));
        await using var server = await KeyedServer.StartAsync(folder);
        // Each may use the route only, and not the model of its step.
        var (a, _) = await server.KeyAsync("""{"tenant":"a","models":["r"]}""");
        var (b, _) = await server.KeyAsync("""{"tenant":"b","models":["r"]}""");
        Assert.Equal("miss", (await server.InferAsync("r", a)).Header("X-Spillway-Cache"));
        Assert.Equal("hit", (await server.InferAsync("r", a)).Header("X-Spillway-Cache"));
        Assert.Equal(second, (await server.InferAsync("r", b)).Header("X-Spillway-Cache"));
        (await server.InferAsync("echo", a)).Is(403, "forbidden");
        var (other, _) = await server.KeyAsync("""{"tenant":"a","models":["echo"]}""");
        (await server.InferAsync("r", other)).Is(403, "forbidden");
    }

    [Fact]
    public async Task New_version_of_the_model_makes_remembered_answers_unreachable()
    {
        var folder = new ConfigFolder().Write(
            "spillway.yaml",
            "server: { port: 0 }\nrepository: { path: models, modelControl: explicit }\n"
            + RoutedServer.Section("[{ model: m }]", RoutedServer.Cache())).Model("m", 1);
        await using var server = await TestServer.StartAsync(folder);
        await LoadAsync(server);
        Assert.Equal("miss", (await server.AskAsync()).Header("X-Spillway-Cache"));
        Assert.Equal("hit", (await server.AskAsync()).Header("X-Spillway-Cache"));

        folder.Model("m", 2);
        await File.WriteAllBytesAsync(folder.PathOf("models/m/2/w"), Weights(10));
        await File.WriteAllBytesAsync(folder.PathOf("models/m/2/model.onnx"), OnnxModels.External("w"));
        await LoadAsync(server);
        var changed = await server.AskAsync();
        Assert.Equal("miss", changed.Header("X-Spillway-Cache"));
        Assert.Equal([11, 12, 13, 14], changed.Numbers("y"));

        // The same files are the same answers, but another declaration may make others of them.
        folder.Write("models/m/model.yaml", "owner: somebody-else\n");
        await LoadAsync(server);
        Assert.Equal("miss", (await server.AskAsync()).Header("X-Spillway-Cache"));
        Assert.Equal("hit", (await server.AskAsync()).Header("X-Spillway-Cache"));
    }

    [Fact]
    public async Task Identical_requests_at_once_make_one_run()
    {
        var time = new ManualTimeProvider();
        await using var server = await TestServer.StartOnAsync(time, RoutedServer.Folder(
            One, RoutedServer.Cache(), a: TestServer.Simulated("{ 1: 400 }", more: "batching: { batchRowsMax: 1 }")));
        const int others = 15;
        var first = server.AskAsync();
        await server.UntilModelAsync("a", "active_runs", 1);
        var joined = Enumerable.Range(0, others).Select(_ => server.AskAsync()).ToList();
        await server.UntilJoinedAsync(others);

        Assert.Equal("miss", (await TestServer.ThroughAsync(time, first, stepMs: 5)).Header("X-Spillway-Cache"));
        foreach (var reply in await Task.WhenAll(joined))
        {
            Assert.Equal(200, reply.Status);
            Assert.Equal("joined", reply.Header("X-Spillway-Cache"));
            Assert.Equal([1, 2, 3, 4], reply.Numbers("y"));
        }

        var stats = (await server.GetAsync("/v2/models/a/stats")).Json.GetProperty("model_stats")[0];
        Assert.Equal(1, stats.GetProperty("execution_count").GetInt64());
        await server.IdleAsync();
    }

    [Fact]
    public async Task Others_get_an_answer_when_the_client_that_asked_first_leaves()
    {
        var time = new ManualTimeProvider();
        await using var server = await TestServer.StartOnAsync(time, RoutedServer.Folder(
            One, RoutedServer.Cache(), a: TestServer.Simulated("{ 1: 1000 }", more: "batching: { batchRowsMax: 1 }")));
        using var leave = new CancellationTokenSource();
        var leads = server.InferAsync(
            "r", System.Text.Encoding.UTF8.GetBytes(RoutedServer.Row("1,2,3,4")), [], leave.Token);
        await server.UntilModelAsync("a", "active_runs", 1);
        var others = Enumerable.Range(0, 4).Select(_ => server.AskAsync()).ToList();
        await server.UntilJoinedAsync(4);
        await leave.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leads);
        var replies = await TestServer.ThroughAsync(time, Task.WhenAll(others), stepMs: 50);
        Assert.All(replies, r => Assert.Equal([1, 2, 3, 4], r.Numbers("y")));
        Assert.Single(replies, r => r.Header("X-Spillway-Cache") == "miss");
        Assert.Equal(3, replies.Count(r => r.Header("X-Spillway-Cache") == "joined"));
        await server.IdleAsync();
    }

    [Fact]
    public async Task Others_that_wait_for_one_that_is_degraded_are_degraded_too_and_not_refused()
    {
        // The run of the first step fails after a while; then everybody is to have the second step's answer.
        var time = new ManualTimeProvider();
        await using var server = await TestServer.StartOnAsync(time, RoutedServer.Folder(
            RoutedServer.Two, RoutedServer.Cache(),
            a: TestServer.Simulated("{ 1: 1000 }", more: "  faultRate: 1\nbatching: { batchRowsMax: 1 }")));
        var first = server.AskAsync();
        await server.UntilModelAsync("a", "active_runs", 1);
        var others = Enumerable.Range(0, 12).Select(_ => server.AskAsync()).ToList();
        await server.UntilJoinedAsync(12);
        foreach (var reply in await TestServer.ThroughAsync(time, Task.WhenAll(others.Append(first)), stepMs: 50))
            reply.By("b", "runtime_failed");
        // The first three try the step; the others take their word.
        var stats = (await server.GetAsync("/v2/models/a/stats")).Json.GetProperty("model_stats")[0];
        Assert.Equal(0, stats.GetProperty("inference_count").GetInt64());
        await server.CountsAsync("spillway_route_left_total{route=\"r\",step=\"0:a\"}", 13);
        Assert.Equal(0, await server.CountAsync("spillway_cache_entries{route=\"r\"}"));
    }

    [Fact]
    public async Task Old_answer_is_given_when_the_model_cannot_and_a_caller_that_wants_a_new_one_gets_none()
    {
        var time = new ManualTimeProvider();
        await using var server = await RoutedServer.StartAsync(
            "[{ model: a, on: [failure, off] }, { kind: cached }]",
            RoutedServer.Cache("ttlMs: 1000, staleIfErrorMs: 60000"), clock: new Clock(time));
        Assert.Equal("miss", (await server.AnsweredAsync(time, server.AskAsync())).Header("X-Spillway-Cache"));
        time.Advance(TimeSpan.FromSeconds(30));

        var off = await server.SendAsync(new(HttpMethod.Post, "/admin/v1/switches/off?model=a"));
        Assert.True(off.Status == 200, off.Text);

        var old = (await server.AskAsync("1,2,3,4", ("X-Request-Id", "old"))).By("cached", "switched_off");
        Assert.Equal(("stale", "30"), (old.Header("X-Spillway-Cache"), old.Header("Age")));
        Assert.Contains("cache_stale", MetadataTests.Decisions(await server.RecordAsync("old")));
        (await server.AskAsync("1,2,3,4", s_noCache)).Is(503, "model_not_ready");
        (await server.AskAsync("5,6,7,8")).Is(503, "model_not_ready");
        time.Advance(TimeSpan.FromSeconds(40));
        (await server.AskAsync()).Is(503, "model_not_ready");
    }

    [Fact]
    public async Task Old_answer_is_given_at_once_while_one_request_asks_anew()
    {
        var time = new ManualTimeProvider();
        await using var server = await RoutedServer.StartAsync(
            One, RoutedServer.Cache("ttlMs: 1000, staleWhileRevalidateMs: 60000"),
            a: TestServer.Simulated("{ 1: 3 }"), clock: new Clock(time));
        await server.AnsweredAsync(time, server.AskAsync());
        time.Advance(TimeSpan.FromSeconds(2));

        var old = await server.AskAsync();
        Assert.Equal(("stale", "2", null), (
            old.Header("X-Spillway-Cache"), old.Header("Age"), old.Header("X-Spillway-Degraded")));
        await TestServer.UntilAsync(() =>
        {
            time.Advance(TimeSpan.FromMilliseconds(1));
            return Task.FromResult(server.Memory().Cache!.Counts.Stores == 2);
        });
        await server.IdleAsync();
    }

    [Fact]
    public async Task Degraded_answer_is_not_remembered()
    {
        await using var server = await RoutedServer.StartAsync(
            RoutedServer.Two, RoutedServer.Cache(), a: RoutedServer.Broken);
        for (var i = 0; i < 3; i++)
            Assert.Equal("miss", (await server.AskAsync()).By("b", "runtime_failed").Header("X-Spillway-Cache"));
        Assert.Equal(0, await server.CountAsync("spillway_cache_entries{route=\"r\"}"));
    }

    private static byte[] Weights(float each) =>
        [.. Enumerable.Range(0, 4).SelectMany(_ => BitConverter.GetBytes(each))];

    private static async Task LoadAsync(TestServer server)
    {
        var reply = await server.SendAsync(new(HttpMethod.Post, "/v2/repository/models/m/load"));
        Assert.True(reply.Status == 200, reply.Text);
    }
}
