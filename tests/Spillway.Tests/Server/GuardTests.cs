using System.Globalization;
using System.Text;
using System.Text.Json;
using Spillway.Hosting;
using Spillway.Store.Budgets;
using Spillway.Store.Switches;
using Spillway.Tests.Config;

namespace Spillway.Tests.Server;

/// <summary>
/// Kill switch, limits and budgets of a live server.
/// This file is long because limits, budgets and switches share one server and its helpers.
/// </summary>
public sealed class GuardTests
{
    /// <summary>A row costs 0.001.</summary>
    private const string Priced = "  priceNanoPerRow: 1000000";

    [Fact]
    public async Task Switch_off_refuses_at_once_says_why_and_on_again_serves()
    {
        await using var server = await StartAsync("");
        var off = await PostAsync(server, "/admin/v1/switches/off?why=wrong%20answers");
        Assert.True(off.Json.GetProperty("survives_restart").GetBoolean());
        var refused = await server.InferRowAsync("echo", id: "refused-1");
        Assert.Equal((503, "switched_off"), (refused.Status, refused.Header("X-Spillway-Fault")));
        Assert.Contains("wrong answers", refused.Error, StringComparison.Ordinal);
        Assert.NotEmpty(refused.Header("Retry-After")!);
        Assert.Equal(["refused_switched_off"], Decisions(await server.RecordAsync("refused-1")));
        await PostAsync(server, "/admin/v1/switches/on");
        await server.AssertAliveAsync();
    }

    [Theory]
    [InlineData("model=echo", 503, 200)]
    [InlineData("route=echo", 503, 200)]
    [InlineData("tenant=local", 503, 503)]
    [InlineData("tenant=acme", 200, 200)]
    public async Task Switch_concerns_what_it_names(string target, int echo, int other)
    {
        await using var server = await StartAsync("");
        await PostAsync(server, $"/admin/v1/switches/off?{target}");
        Assert.Equal(echo, (await server.InferRowAsync("echo")).Status);
        Assert.Equal(other, (await server.InferRowAsync("other")).Status);
    }

    [Fact]
    public async Task Switch_on_what_does_not_exist_is_refused()
    {
        await using var server = await StartAsync("");
        var reply = await server.SendAsync(new(HttpMethod.Post, "/admin/v1/switches/off?model=ecko"));
        Assert.Equal(404, reply.Status);
        Assert.Contains("echo", reply.Error, StringComparison.Ordinal);
        Assert.Equal(405, (await server.GetAsync("/admin/v1/switches/off")).Status);
    }

    [Fact]
    public async Task Switch_on_a_tenant_that_does_not_exist_is_refused_where_tenants_are_declared()
    {
        await using var server = await StartAsync("tenants: { acme: { owner: anna }, ops: { owner: olaf } }");
        var reply = await server.SendAsync(new(HttpMethod.Post, "/admin/v1/switches/off?tenant=acmee&abort=true"));
        Assert.Equal(404, reply.Status);
        Assert.Contains("acme, ops", reply.Error, StringComparison.Ordinal);
        foreach (var known in new[] { "acme", "local" })
            await PostAsync(server, $"/admin/v1/switches/off?tenant={known}");
        Assert.Equal(503, (await server.InferRowAsync("echo")).Status);
    }

    [Fact]
    public async Task Switch_survives_a_restart()
    {
        using var folder = Folder("");
        await using (var server = await TestServer.StartAsync(folder.PathOf("spillway.yaml")))
            await PostAsync(server, "/admin/v1/switches/off?route=echo");
        await using var again = await TestServer.StartAsync(folder.PathOf("spillway.yaml"));
        Assert.Equal(503, (await again.InferRowAsync("echo")).Status);
        Assert.Equal(200, (await again.InferRowAsync("other")).Status);
    }

    [Fact]
    public async Task File_switches_everything_off_while_it_is_there()
    {
        using var folder = Folder("");
        await using var server = await TestServer.StartAsync(folder.PathOf("spillway.yaml"));
        folder.Write("state/off", "");
        await TestServer.UntilAsync(async () => (await server.InferRowAsync("echo")).Status == 503);
        await PostAsync(server, "/admin/v1/switches/on");
        Assert.Equal(503, (await server.InferRowAsync("echo")).Status);
        File.Delete(folder.PathOf("state/off"));
        await TestServer.UntilAsync(async () => (await server.InferRowAsync("echo")).Status == 200);
    }

    [Fact]
    public async Task Abort_ends_what_is_in_flight_and_without_it_that_is_answered()
    {
        await using var server = await TestServer.StartAsync(TestServer.Folder(
            "", ("slow", TestServer.Simulated("{ 1: 60000 }", more: "batching: { batchRowsMax: 1 }"))));
        var (running, waiting) = (server.InferRowAsync("slow", id: "run-1"), server.InferRowAsync("slow"));
        await server.UntilModelAsync("slow", "active_runs", 1);
        await server.UntilModelAsync("slow", "queue_length", 1);
        await PostAsync(server, "/admin/v1/switches/off?model=slow");
        Assert.False(running.IsCompleted || waiting.IsCompleted);
        var flip = await PostAsync(server, "/admin/v1/switches/off?model=slow&abort=true");
        Assert.Equal(2, flip.Json.GetProperty("ended_in_flight").GetInt32());
        Assert.Equal((503, 503), ((await running).Status, (await waiting).Status));
        Assert.Contains("ended_by_switch", Decisions(await server.RecordAsync("run-1")));
    }

    [Fact]
    public async Task Damaged_switch_file_keeps_the_server_from_starting()
    {
        using var folder = Folder("");
        folder.Write($"state/{SwitchFile.FileName}", "{");
        var refused = await Assert.ThrowsAsync<SpillwayStartException>(
            () => TestServer.StartAsync(folder.PathOf("spillway.yaml")));
        Assert.Contains("cannot know what is to stay off", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rate_limit_refuses_with_a_true_time_and_answers_say_what_is_left()
    {
        await using var server = await StartAsync(
            "limits: { rates: { slowly: { requestsPerSecond: 0.01, burstSeconds: 300, routes: [echo] } } }");
        var lefts = new List<string>();
        for (var i = 0; i < 3; i++)
        {
            var reply = await server.InferRowAsync("echo");
            Assert.Equal((200, "3"), (reply.Status, reply.Header("RateLimit-Limit")));
            lefts.Add(reply.Header("RateLimit-Remaining")!);
        }

        Assert.Equal(["2", "1", "0"], lefts);
        var refused = await server.InferRowAsync("echo", id: "refused-2");
        Assert.Equal((429, "rate_limited"), (refused.Status, refused.Header("X-Spillway-Fault")));
        Assert.InRange(double.Parse(refused.Header("Retry-After")!, CultureInfo.InvariantCulture), 50, 100);
        Assert.Contains("limits.rates.slowly.requestsPerSecond", refused.Error, StringComparison.Ordinal);
        Assert.Equal(["refused_rate"], Decisions(await server.RecordAsync("refused-2")));
        Assert.Equal(200, (await server.InferRowAsync("other")).Status);
        var limits = (await server.GetAsync("/admin/v1/limits")).Json.GetProperty("limits");
        Assert.Equal(1, limits[0].GetProperty("refused").GetInt32());
    }

    [Fact]
    public async Task Concurrency_limit_is_given_back_when_the_caller_leaves_and_queued_ones_get_their_turn()
    {
        await using var server = await TestServer.StartAsync(Root(
            "limits: { rates: { two: { concurrency: 1, atLimit: queue, queueMs: 600000 } } }",
            ("slow", TestServer.Simulated("{ 1: 60000 }", more: "batching: { batchRowsMax: 1 }")),
            ("echo", TestServer.Simulated())));
        using var leaves = new CancellationTokenSource();
        var running = server.InferRowAsync("slow", cancellation: leaves.Token);
        await server.UntilModelAsync("slow", "active_runs", 1);
        var queued = server.InferRowAsync("echo", id: "queued-1");
        await TestServer.UntilAsync(async () =>
            await LimitAsync(server, "waiting") == 1);
        await leaves.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        Assert.Equal(200, (await queued).Status);
        Assert.Contains("waited_at_gate", Decisions(await server.RecordAsync("queued-1")));
        await TestServer.UntilAsync(async () =>
            await LimitAsync(server, "inside") == 0);
    }

    [Fact]
    public async Task Budget_answers_what_it_can_pay_and_refuses_the_rest_without_a_retry()
    {
        await using var server = await StartAsync("budgets: { tiny: { limit: 0.005, window: month } }");
        for (var i = 0; i < 5; i++)
            Assert.Equal(200, (await server.InferRowAsync("echo", id: $"paid-{i}")).Status);
        var refused = await server.InferRowAsync("echo", id: "broke");
        Assert.Equal((429, "budget_exhausted"), (refused.Status, refused.Header("X-Spillway-Fault")));
        Assert.Equal("false", refused.Header("x-should-retry"));
        Assert.Contains("budgets.tiny.limit", refused.Error, StringComparison.Ordinal);
        Assert.Equal(["refused_budget"], Decisions(await server.RecordAsync("broke")));
        Assert.Contains("reserved", Decisions(await server.RecordAsync("paid-0")));
        var budget = await BudgetAsync(server, reserved: "0");
        Assert.Equal(("0.005", "0"), (Text(budget, "spent"), Text(budget, "left")));
        Assert.Equal(200, (await server.InferRowAsync("free")).Status);
    }

    [Fact]
    public async Task Many_at_once_get_exactly_what_the_budget_can_pay()
    {
        // Slices of one request: nearly every one waits for a write.
        await using var server = await StartAsync("budgets: { tiny: { limit: 0.1, slice: 0.01 } }");
        var statuses = new List<int>();
        var callers = Enumerable.Range(0, 40).Select(async _ =>
        {
            for (var i = 0; i < 10; i++)
            {
                var reply = await server.InferRowAsync("echo");
                lock (statuses)
                    statuses.Add(reply.Status);
            }
        });
        await Task.WhenAll(callers);
        Assert.Equal((100, 300), (statuses.Count(s => s == 200), statuses.Count(s => s == 429)));
        Assert.Equal("0.1", Text(await BudgetAsync(server, reserved: "0"), "spent"));
    }

    [Fact]
    public async Task Killed_server_never_spends_more_than_the_budget_and_shows_what_the_kill_cost()
    {
        using var folder = Folder("budgets: { tiny: { limit: 0.1, slice: 0.05 } }");
        var answered = await SpendAsync(folder, 30, signal: "KILL");
        Assert.Equal(30, answered);
        await using var server = await TestServer.StartAsync(folder.PathOf("spillway.yaml"));
        var budget = await BudgetAsync(server, reserved: "0");
        var spent = decimal.Parse(Text(budget, "spent"), CultureInfo.InvariantCulture);
        Assert.InRange(spent, 0.030m, 0.035m);
        Assert.NotEqual("0", Text(budget, "lost"));
        for (var i = 0; i < 80; i++)
            answered += (await server.InferRowAsync("echo")).Status == 200 ? 1 : 0;
        Assert.InRange(answered, 95, 100);
    }

    [Fact]
    public async Task Failed_and_cancelled_requests_cost_nothing_and_keep_nothing()
    {
        await using var server = await TestServer.StartAsync(Root(
            "budgets: { tiny: { limit: 0.01 } }",
            ("broken", TestServer.Simulated(more: $"{Priced}\n  faultRate: 1")),
            ("slow", TestServer.Simulated(
                "{ 1: 60000 }", more: $"{Priced}\nbatching: {{ batchRowsMax: 1, queueLengthMax: 1 }}"))));
        for (var i = 0; i < 20; i++)
            Assert.Equal(500, (await server.InferRowAsync("broken")).Status);
        using var leaves = new CancellationTokenSource();
        var running = server.InferRowAsync("slow", cancellation: leaves.Token);
        await server.UntilModelAsync("slow", "active_runs", 1);
        var waiting = server.InferRowAsync("slow", cancellation: leaves.Token);
        await server.UntilModelAsync("slow", "queue_length", 1);
        // Refused after its money was set aside: the queue is full.
        Assert.Equal(503, (await server.InferRowAsync("slow")).Status);
        Assert.Equal("0.002", Text(await BudgetAsync(server, reserved: "0.002"), "reserved"));
        await leaves.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Task.WhenAll(running, waiting));
        Assert.Equal("0", Text(await BudgetAsync(server, reserved: "0"), "spent"));
        var all = (await server.GetAsync("/admin/v1/budgets")).Json;
        Assert.Equal(all.GetProperty("tickets_borrowed").GetInt64(), all.GetProperty("tickets_settled").GetInt64());
    }

    [Fact]
    public async Task Request_may_limit_its_own_cost()
    {
        await using var server = await StartAsync("");
        var body = Encoding.UTF8.GetBytes(TestServer.Row());
        Assert.Equal(200, (await server.InferAsync("echo", body, [("X-Spillway-Max-Cost", "0.001")])).Status);
        var refused = await server.InferAsync("echo", body, [("X-Spillway-Max-Cost", "0.0009")]);
        Assert.Equal((429, "false"), (refused.Status, refused.Header("x-should-retry")));
        Assert.Equal(400, (await server.InferAsync("echo", body, [("X-Spillway-Max-Cost", "cheap")])).Status);
        (await server.InferAsync("echo", body, [("X-Spillway-Criticality", "urgent")])).Is(
            400, "invalid_input", "none of sheddable, sheddable-plus, critical, critical-plus");
    }

    [Fact]
    public async Task Soft_threshold_is_counted_and_stands_in_the_answers()
    {
        await using var server = await StartAsync("budgets: { tiny: { limit: 0.004, warnAt: [0.5] } }");
        Assert.False((await server.InferRowAsync("echo")).Headers.ContainsKey("X-Spillway-Budget-Warning"));
        await server.InferRowAsync("echo");
        var third = await server.InferRowAsync("echo");
        Assert.Equal("tiny; used=0.750", third.Header("X-Spillway-Budget-Warning"));
        await TestServer.UntilAsync(async () => (await server.GetAsync("/metrics")).Text
            .Contains("spillway_budget_warnings_total{budget=\"tiny\"} 1", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Clean_restart_keeps_what_was_spent_and_loses_nothing()
    {
        using var folder = Folder("budgets: { tiny: { limit: 0.01, slice: 0.5 } }");
        await using (var server = await TestServer.StartAsync(folder.PathOf("spillway.yaml")))
        {
            for (var i = 0; i < 4; i++)
                Assert.Equal(200, (await server.InferRowAsync("echo")).Status);
        }

        await using var again = await TestServer.StartAsync(folder.PathOf("spillway.yaml"));
        var budget = await BudgetAsync(again, reserved: "0");
        Assert.Equal(("0.004", "0.006", "0"), (Text(budget, "spent"), Text(budget, "left"), Text(budget, "lost")));
    }

    [Fact]
    public async Task Second_server_on_one_state_folder_and_a_damaged_journal_are_refused_at_start()
    {
        using var folder = Folder("budgets: { tiny: { limit: 0.01 } }");
        await using (var server = await TestServer.StartAsync(folder.PathOf("spillway.yaml")))
        {
            var second = await Assert.ThrowsAsync<SpillwayStartException>(
                () => TestServer.StartAsync(folder.PathOf("spillway.yaml")));
            Assert.Contains("One server at a time", second.Message, StringComparison.Ordinal);
        }

        foreach (var file in Directory.GetFiles(folder.PathOf("state"), SliceStore.FileName + "*"))
            File.Delete(file);
        folder.Write($"state/{SliceStore.FileName}", new string('x', 10_000));
        var damaged = await Assert.ThrowsAsync<SpillwayStartException>(
            () => TestServer.StartAsync(folder.PathOf("spillway.yaml")));
        Assert.Contains("damaged", damaged.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("refuse", 503)]
    [InlineData("serve", 200)]
    public async Task Full_disk_refuses_or_serves_as_declared_and_is_counted(string trouble, int status)
    {
        await using var server = await StartAsync(
            $"budgets: {{ tiny: {{ limit: 1, slice: 0.001, onStoreTrouble: {trouble} }} }}");
        Assert.Equal(200, (await server.InferRowAsync("echo")).Status);
        server.Serving.Guards.Desk!.Writer!.Failing = new(FaultKind.StoreFailed, "The disk is full. Make room.");
        var reply = default(Reply);
        for (var i = 0; i < 5; i++)
        {
            reply = await server.InferRowAsync("echo");
            // Declared to serve, it serves each of them, not only those that come between two tries to write.
            Assert.True(status == 503 || reply.Status == 200, reply.Text);
        }

        Assert.Equal(status, reply!.Status);
        if (status == 503)
        {
            Assert.Equal("store_failed", reply.Header("X-Spillway-Fault"));
            Assert.Contains("disk", reply.Error, StringComparison.Ordinal);
        }

        var metrics = (await server.GetAsync("/metrics")).Text;
        Assert.DoesNotContain("spillway_budget_write_failures_total 0", metrics, StringComparison.Ordinal);
        Assert.Equal(status == 200,
            !metrics.Contains("spillway_budget_unsaved_total{budget=\"tiny\"} 0", StringComparison.Ordinal));
        server.Serving.Guards.Desk.Writer.Failing = null;
        await TestServer.UntilAsync(async () => (await server.InferRowAsync("echo")).Status == 200);
    }

    [Fact]
    public async Task Server_without_limits_touches_no_state_folder()
    {
        using var folder = Folder("");
        await using (var server = await TestServer.StartAsync(folder.PathOf("spillway.yaml")))
        {
            await server.AssertAliveAsync();
            Assert.Null(server.Serving.Guards.Desk);
        }

        Assert.False(Directory.Exists(folder.PathOf("state")));
    }

    private static ConfigFolder Folder(string more) => Root(
        more, ("echo", TestServer.Simulated(more: Priced)), ("other", TestServer.Simulated()),
        ("free", TestServer.Simulated()));

    private static ConfigFolder Root(string more, params (string Name, string Yaml)[] models)
    {
        var folder = TestServer.Folder("", models);
        return folder.Write("spillway.yaml", File.ReadAllText(folder.PathOf("spillway.yaml")) + more + "\n");
    }

    /// <summary>The real process: answers so many, and is ended by a signal.</summary>
    private static async Task<int> SpendAsync(ConfigFolder folder, int requests, string signal)
    {
        await using var child = ChildProcess.Spillway(["up", folder.PathOf("spillway.yaml")]);
        var ready = await child.LineAsync("Ready");
        using var http = new HttpClient { BaseAddress = new(ready[ready.IndexOf("http", StringComparison.Ordinal)..]) };
        var answered = 0;
        for (var i = 0; i < requests; i++)
        {
            using var content = new StringContent(TestServer.Row());
            using var answer = await http.PostAsync(new Uri("/v2/models/echo/infer", UriKind.Relative), content);
            answered += answer.IsSuccessStatusCode ? 1 : 0;
        }

        await child.SignalAsync(signal);
        await child.EndAsync();
        return answered;
    }

    private static Task<TestServer> StartAsync(string more) => TestServer.StartAsync(Folder(more));

    private static async Task<Reply> PostAsync(TestServer server, string path)
    {
        var reply = await server.SendAsync(new(HttpMethod.Post, path));
        Assert.True(reply.Status == 200, reply.Text);
        return reply;
    }

    /// <summary>The one budget, once so much is reserved: a request settles just after its last byte.</summary>
    private static async Task<JsonElement> BudgetAsync(TestServer server, string reserved)
    {
        var budget = default(JsonElement);
        await TestServer.UntilAsync(async () =>
        {
            var all = (await server.GetAsync("/admin/v1/budgets")).Json.GetProperty("budgets");
            budget = Assert.Single(all.EnumerateArray());
            return Text(budget, "reserved") == reserved;
        });
        return budget;
    }

    private static async Task<int> LimitAsync(TestServer server, string figure) =>
        (await server.GetAsync("/admin/v1/limits")).Json.GetProperty("limits")[0].GetProperty(figure).GetInt32();

    private static string Text(JsonElement from, string name) => from.GetProperty(name).GetString()!;

    private static IEnumerable<string> Decisions(JsonElement record) =>
        record.GetProperty("decisions").EnumerateArray().Select(d => d.GetProperty("kind").GetString()!);
}
