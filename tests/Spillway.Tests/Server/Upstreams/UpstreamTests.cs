using System.Text;
using System.Text.Json;
using Spillway.Engine;
using Spillway.Policies.Breaking;
using Spillway.Tests.Server.Routes;
using Spillway.Tests.Support;

namespace Spillway.Tests.Server.Upstreams;

/// <summary>Other servers as steps of a route: which target is asked, again or not, and what travels along.</summary>
public sealed class UpstreamTests
{
    private const string Fragile = "healthMs: 0\nretry: { attemptsMax: 1 }\n"
        + "breaker: { failuresInRowMax: 2, coolMs: 2000, coolMaxMs: 2000, probes: 1 }";

    [Fact]
    public async Task Second_attempt_goes_to_another_target()
    {
        await using var bad = new RogueServer(RogueServer.Status(500));
        await using var good = new RogueServer(RogueServer.Echo);
        await using var server = await UpstreamServer.StartAsync(
            "[{ model: gpu }]", [bad, good],
            "healthMs: 0\nretry: { baseMs: 1, budgetFloor: 100 }\n"
            + "breaker: { failuresInRowMax: 1000, requestsMin: 10000 }");
        for (var i = 0; i < 20; i++)
        {
            var reply = (await server.AskAsync("1,2,3,4", ("X-Request-Id", $"q{i}"))).By("gpu");
            Assert.Equal([1, 2, 3, 4], reply.Numbers("y"));
        }

        Assert.Equal(20, good.Calls);
        Assert.InRange(bad.Calls, 1, 20);
        await server.CountsAsync("spillway_upstream_retries_total{upstream=\"gpu\"}", bad.Calls);
        for (var i = 0; i < 20; i++)
            (await server.RecordAsync($"q{i}")).AssertStagesSum();
        await server.AssertNothingHeldAsync();
    }

    [Fact]
    public async Task Target_that_fails_is_left_alone_and_comes_back()
    {
        var time = new ManualTimeProvider();
        await using var rogue = new RogueServer(RogueServer.Status(500));
        await using var server = await UpstreamServer.StartAsync(
            UpstreamServer.ThenMessage, [rogue], Fragile, clock: new Clock(time));
        for (var i = 0; i < 2; i++)
            (await server.AskAsync()).By("message", "upstream_failed");
        Assert.Equal(BreakerState.Open, server.Group().Look()[0].State);
        Assert.Equal(1, await server.CountAsync("spillway_upstream_open{upstream=\"gpu\",target=\"t0\"}"));

        // Less time than it is left alone for: it is not asked, and the next step answers at once.
        (await server.InferAsync("r", TestServer.Row("\"timeout\":100000"))).By("message", "targets_open");
        Assert.Equal(2, rogue.Calls);

        rogue.Infer = RogueServer.Echo;
        time.Advance(TimeSpan.FromSeconds(3));
        (await server.AskAsync()).By("gpu");
        Assert.Equal(BreakerState.Closed, server.Group().Look()[0].State);
        await server.AssertNothingHeldAsync();
    }

    [Fact]
    public async Task With_every_target_left_alone_nobody_waits_where_there_is_a_next_step()
    {
        // The clock stands still: who waited for the target would wait for ever.
        var time = new ManualTimeProvider();
        await using var rogue = new RogueServer(RogueServer.Status(500));
        await using var server = await UpstreamServer.StartAsync(
            UpstreamServer.ThenMessage, [rogue], Fragile, clock: new Clock(time));
        for (var i = 0; i < 2; i++)
            (await server.AskAsync()).By("message", "upstream_failed");
        (await server.InferAsync("r", TestServer.Row("\"timeout\":30000000"))).By("message", "targets_open");
        Assert.Equal(2, rogue.Calls);
        await server.AssertNothingHeldAsync();
    }

    [Fact]
    public async Task Predicted_wait_of_an_upstream_passes_it_over_and_it_is_taken_again()
    {
        var time = new ManualTimeProvider();
        await using var rogue = new RogueServer(RogueServer.Status(500));
        await using var server = await UpstreamServer.StartAsync(
            "[{ model: gpu, whenPredictedWaitMs: 50 }, { kind: message, message: busy }]", [rogue], Fragile,
            clock: new Clock(time));
        Assert.Equal(TimeSpan.Zero, server.Group().PredictWait());
        for (var i = 0; i < 2; i++)
            (await server.AskAsync()).By("message", "upstream_failed");
        Assert.Equal(TimeSpan.FromSeconds(2), server.Group().PredictWait());
        (await server.AskAsync("1,2,3,4", ("X-Request-Id", "early"))).By("message", "predicted_wait; ms=2000");
        Assert.Equal(2, rogue.Calls);
        Assert.Contains("2", (await server.RecordAsync("early")).Says("step_avoided"), StringComparison.Ordinal);

        rogue.Infer = RogueServer.Echo;
        time.Advance(TimeSpan.FromSeconds(3));
        (await server.AskAsync()).By("gpu");
    }

    [Fact]
    public async Task With_every_target_left_alone_a_request_waits_within_its_deadline()
    {
        var time = new ManualTimeProvider();
        await using var rogue = new RogueServer(RogueServer.Status(500));
        await using var server = await UpstreamServer.StartAsync(
            "[{ model: gpu }]", [rogue], Fragile, clock: new Clock(time));
        for (var i = 0; i < 2; i++)
            (await server.AskAsync()).Is(502, "upstream_failed");
        rogue.Infer = RogueServer.Echo;

        var waits = server.InferAsync("r", TestServer.Row("\"timeout\":30000000"));
        await TestServer.UntilAsync(async () =>
        {
            await server.GetAsync("/v2/health/live");
            time.Advance(TimeSpan.FromMilliseconds(50));
            return waits.IsCompleted;
        });

        (await waits).By("gpu");
        Assert.Equal(3, rogue.Calls);
    }

    [Fact]
    public async Task With_every_target_left_alone_and_no_time_a_request_is_told_when()
    {
        var time = new ManualTimeProvider();
        await using var rogue = new RogueServer(RogueServer.Status(500));
        await using var server = await UpstreamServer.StartAsync(
            "[{ model: gpu }]", [rogue], Fragile, clock: new Clock(time));
        for (var i = 0; i < 2; i++)
            (await server.AskAsync()).Is(502, "upstream_failed");
        var refused = (await server.InferAsync("r", TestServer.Row("\"timeout\":100000")))
            .Is(503, "targets_open", "gpu");
        Assert.InRange(int.Parse(
            refused.Header("retry-after-ms")!, System.Globalization.CultureInfo.InvariantCulture), 1, 2000);
    }

    [Fact]
    public async Task Client_that_goes_away_takes_its_call_with_it()
    {
        await using var rogue = new RogueServer(RogueServer.Echo);
        rogue.Infer = rogue.HangAfter();
        await using var server = await UpstreamServer.StartAsync(UpstreamServer.ThenModel, [rogue]);
        using var leave = new CancellationTokenSource();
        var asks = server.InferAsync(
            "r", Encoding.UTF8.GetBytes(RoutedServer.Row("1,2,3,4")), [("X-Request-Id", "left")], leave.Token);
        await TestServer.UntilAsync(() => Task.FromResult(rogue.Calls == 1));
        await leave.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asks);
        await TestServer.UntilAsync(() => Task.FromResult(rogue.Left == 1));
        var record = await server.RecordAsync("left");
        Assert.Equal("cancelled", record.GetProperty("outcome").GetString());
        record.AssertStagesSum();
        await server.AssertNothingHeldAsync();
        Assert.Equal(0, await server.CountAsync("spillway_route_answered_total{route=\"r\",step=\"1:b\"}"));
    }

    [Fact]
    public async Task Beyond_its_room_and_its_line_the_chain_goes_on_and_nothing_stays_held()
    {
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var rogue = new RogueServer(async call =>
        {
            await release.Task.WaitAsync(call.Stop);
            await RogueServer.Echo(call);
        });
        await using var server = await UpstreamServer.StartAsync(
            UpstreamServer.ThenModel, [rogue], UpstreamServer.Once
            + "\nconcurrency: { enabled: false, initial: 1, max: 1 }\n"
            + "queue: { lengthMax: 1, waitMs: 600000, builtUpWaitMs: 600000 }");
        var asked = server.AskAsync();
        await TestServer.UntilAsync(() => Task.FromResult(rogue.Calls == 1));
        using var leave = new CancellationTokenSource();
        var gone = server.InferAsync(
            "r", Encoding.UTF8.GetBytes(RoutedServer.Row("1,2,3,4")), [], leave.Token);
        await TestServer.UntilAsync(() => Task.FromResult(server.Group().Waiting == 1));
        (await server.AskAsync()).By("b", "shed");
        // Who leaves the line makes room in it.
        await leave.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => gone);
        await TestServer.UntilAsync(() => Task.FromResult(server.Group().Waiting == 0));
        var waits = server.AskAsync();
        await TestServer.UntilAsync(() => Task.FromResult(server.Group().Waiting == 1));
        Assert.Equal((1, 1), (server.Group().Look()[0].InFlight, server.Group().Look()[0].Limit));
        release.SetResult();
        foreach (var reply in await Task.WhenAll(asked, waits))
            reply.By("gpu");
        Assert.Equal(2, rogue.Calls);
        await server.AssertNothingHeldAsync();
    }

    [Fact]
    public async Task Trace_deadline_priority_and_key_travel_along_and_the_key_is_told_nowhere()
    {
        const string secret = "s3cr3t-of-the-gpu-farm";
        await using var rogue = new RogueServer(RogueServer.Echo);
        var folder = UpstreamServer.Folder(
            "[{ model: gpu, timeoutMs: 500000 }]", [rogue.Url], UpstreamServer.Once + "\nkeyFrom: gpu.key");
        folder.Write("gpu.key", secret);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(folder.PathOf("gpu.key"), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        await using var server = await TestServer.StartAsync(folder);
        await server.KnownAsync();
        const string trace = "0af7651916cd43dd8448eb211c80319c";
        (await server.InferAsync(
            "r", TestServer.Row("\"timeout\":300000000,\"priority\":2"), ("X-Request-Id", "travels"),
            ("X-Spillway-Criticality", "Sheddable-Plus"),
            ("traceparent", $"00-{trace}-b7ad6b7169203331-01"))).By("gpu");

        var call = Assert.Single(rogue.Seen);
        Assert.Contains($"Authorization: Bearer {secret}\r\n", call.Head, StringComparison.Ordinal);
        Assert.Contains($"traceparent: 00-{trace}-", call.Head, StringComparison.Ordinal);
        Assert.Contains("X-Spillway-Criticality: sheddable-plus\r\n", call.Head, StringComparison.Ordinal);
        var parameters = JsonElement.Parse(call.Body.AsSpan()[..^16].ToArray()).GetProperty("parameters");
        Assert.InRange(parameters.GetProperty("timeout").GetInt64(), 1, 300_000_000);
        Assert.Equal(2, parameters.GetProperty("priority").GetInt32());

        var record = (await server.RecordAsync("travels")).GetRawText();
        Assert.Contains("gpu/t0", record, StringComparison.Ordinal);
        foreach (var path in new[]
        {
            "/metrics", "/admin/v1/models", "/v2/models/r", "/v2/models/r/config", "/admin/v1/requests", "/v2",
        })
            Assert.DoesNotContain(secret, (await server.GetAsync(path)).Text, StringComparison.Ordinal);
        Assert.DoesNotContain(secret, record, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("shed")]
    [InlineData("predicted_late")]
    [InlineData("budget_exhausted")]
    public async Task Refusal_of_one_request_by_another_Spillway_closes_its_door_to_nobody_else(string fault)
    {
        await using var rogue = new RogueServer(RogueServer.Status(
            503, $"X-Spillway-Fault: {fault}\r\nretry-after-ms: 60000\r\nx-should-retry: false\r\n"));
        await using var server = await UpstreamServer.StartAsync(
            "[{ model: gpu, on: [overload, budget, failure] }, { kind: message, message: busy }]", [rogue],
            "healthMs: 0");
        for (var i = 0; i < 12; i++)
            (await server.AskAsync()).By("message", fault);
        Assert.Equal(12, rogue.Calls);
        Assert.Equal(BreakerState.Closed, server.Group().Look()[0].State);

        rogue.Infer = RogueServer.Echo;
        (await server.AskAsync()).By("gpu");
    }

    [Fact]
    public async Task Degraded_answer_of_another_Spillway_is_told_and_not_remembered()
    {
        await using var rogue = new RogueServer(Degraded);
        await using var server = await UpstreamServer.StartAsync(
            "[{ model: gpu }]", [rogue], UpstreamServer.Once, RoutedServer.Cache());
        for (var i = 0; i < 2; i++)
            Assert.Equal("miss", (await server.AskAsync()).By("gpu", "upstream").Header("X-Spillway-Cache"));
        Assert.Equal(2, rogue.Calls);

        static Task Degraded(RogueServer.Call call)
        {
            var reply = Encoding.Latin1.GetString(RogueServer.Reply(RogueServer.Output(), call.Body[^16..]));
            return call.WriteAsync(reply.Insert(reply.IndexOf("\r\n", StringComparison.Ordinal),
                "\r\nX-Spillway-Degraded: queue_full"));
        }
    }

    [Fact]
    public async Task Target_that_answers_with_other_outputs_fails_and_is_left_alone()
    {
        await using var rogue = new RogueServer(
            call => call.WriteAsync(RogueServer.Reply(RogueServer.Output(name: "z"), call.Body[^16..])));
        await using var server = await UpstreamServer.StartAsync(
            UpstreamServer.ThenMessage, [rogue], Fragile, clock: new Clock(new ManualTimeProvider()));
        for (var i = 0; i < 2; i++)
            (await server.AskAsync()).By("message", "upstream_failed");
        Assert.Equal(BreakerState.Open, server.Group().Look()[0].State);
        Assert.Equal(2, await server.CountAsync("spillway_upstream_failed_total{upstream=\"gpu\",target=\"t0\"}"));
    }
}
