using System.Text;
using System.Text.Json;
using Spillway.Engine;
using Spillway.Tests.Support;

namespace Spillway.Tests.Server.Routes;

/// <summary>Kill switches, limits, budgets and what breaks, on requests to a route.</summary>
public sealed class RouteGuardTests
{
    private const string Budget = "budgets: { tiny: { limit: 1 } }";

    /// <summary>A row costs 0.001 on a and 0.00025 on b.</summary>
    private static readonly string s_dear = "  priceNanoPerRow: 1000000";

    private static readonly string s_cheap = TestServer.Simulated(more: "  priceNanoPerRow: 250000");

    [Fact]
    public async Task Model_that_is_switched_off_is_left_only_where_declared_and_the_routes_own_switch_stops_it()
    {
        const string both = "routes:\n  r: { chain: { steps: [{ model: a }, { model: b }] } }\n"
            + "  declared: { chain: { steps: [{ model: a, on: [off] }, { model: b }] } }\n";
        var folder = TestServer.Folder("", ("a", TestServer.Simulated()), ("b", TestServer.Simulated()));
        await File.AppendAllTextAsync(folder.PathOf("spillway.yaml"), both);
        await using var server = await TestServer.StartAsync(folder);
        await PostAsync(server, "off?model=a&why=wrong%20answers");
        (await server.AskAsync()).Is(503, "switched_off", "wrong answers");
        (await server.InferRowAsync("declared")).By("b", "switched_off");
        await PostAsync(server, "on?model=a");
        (await server.AskAsync()).By("a");
        await PostAsync(server, "off?route=declared");
        Assert.Equal("switched_off", (await server.InferRowAsync("declared")).Header("X-Spillway-Fault"));
        (await server.AskAsync()).By("a");
        await server.IdleAsync();
    }

    [Fact]
    public async Task Abort_of_the_steps_model_ends_a_request_of_the_route()
    {
        await using var server = await RoutedServer.StartAsync(
            "[{ model: a, on: [off] }, { model: b }]", a: RoutedServer.Slow);
        var asked = server.AskAsync();
        await server.UntilModelAsync("a", "active_runs", 1);
        await PostAsync(server, "off?model=a&abort=true");
        (await asked).By("b", "switched_off");
        await server.IdleAsync();
    }

    [Fact]
    public async Task Hit_costs_nothing_and_a_miss_its_step()
    {
        await using var server = await RoutedServer.StartAsync(
            RoutedServer.Two, RoutedServer.Cache(), Budget, TestServer.Simulated(more: s_dear), s_cheap);
        for (var i = 0; i < 5; i++)
        {
            await server.AskAsync("1,2,3,4", ("X-Request-Id", $"p{i}"));
            var bill = (await server.RecordAsync($"p{i}")).GetProperty("bill_total").GetString();
            Assert.Equal(i == 0 ? 0.001m : 0m, decimal.Parse(bill!, System.Globalization.CultureInfo.InvariantCulture));
        }

        Assert.Equal("0.001", await SpentAsync(server));
    }

    [Fact]
    public async Task Degraded_answer_costs_what_its_step_costs_and_reserves_the_dearest()
    {
        await using var server = await RoutedServer.StartAsync(
            RoutedServer.Two, "", "budgets: { tiny: { limit: 0.0011 } }",
            TestServer.Simulated(more: s_dear + "\n  faultRate: 1"), s_cheap);
        (await server.AskAsync("1,2,3,4", ("X-Request-Id", "cheap"))).By("b", "runtime_failed");
        var record = await server.RecordAsync("cheap");
        Assert.Equal("0.000250000", record.GetProperty("bill_total").GetString());
        record.AssertStagesSum();
        Assert.Equal("0.00025", await SpentAsync(server));
        // The first step could cost more than what is left, and might run.
        Assert.Equal("budget_exhausted", (await server.AskAsync()).Header("X-Spillway-Fault"));
        Assert.Equal("0.00025", await SpentAsync(server));
    }

    [Fact]
    public async Task Step_over_a_budget_of_its_model_goes_to_the_next_and_spends_nothing_of_it()
    {
        await using var server = await RoutedServer.StartAsync(
            "[{ model: a, on: [budget] }, { model: b }]", "",
            "budgets: { tiny: { limit: 0.0015, models: [a] } }", TestServer.Simulated(more: s_dear), s_cheap);
        (await server.AskAsync()).By("a");
        Assert.Equal("0.001", await SpentAsync(server));
        for (var i = 0; i < 3; i++)
            (await server.AskAsync("1,2,3,4", ("X-Request-Id", $"next{i}"))).By("b", "budget_exhausted");
        Assert.Equal("0.001", await SpentAsync(server));
        (await server.RecordAsync("next0")).AssertStagesSum();
        // The model itself is refused where nothing else is declared.
        Assert.Equal("budget_exhausted", (await server.InferRowAsync("a")).Header("X-Spillway-Fault"));
    }

    [Fact]
    public async Task Request_that_is_too_dear_for_the_first_step_gets_a_cheaper_one_within_the_budget()
    {
        await using var server = await RoutedServer.StartAsync(
            "[{ model: a, on: [budget] }, { model: b }, { kind: message, message: poor }]", "",
            "budgets: { tiny: { limit: 0.0015 } }", TestServer.Simulated(more: s_dear), s_cheap);
        (await server.AskAsync()).By("a");
        for (var i = 0; i < 2; i++)
            (await server.AskAsync()).By("b", "budget_exhausted");
        Assert.Equal("0.0015", await SpentAsync(server));
        (await server.AskAsync()).By("message", "budget_exhausted");
        (await server.AskAsync("1,2,3,4", ("X-Spillway-Max-Cost", "0.0005"))).By("message", "budget_exhausted");
        Assert.Equal("0.0015", await SpentAsync(server));
        await server.IdleAsync();
    }

    [Fact]
    public async Task Callers_own_limit_of_one_request_leads_to_the_step_that_it_pays_for()
    {
        await using var server = await RoutedServer.StartAsync(
            "[{ model: a, on: [budget] }, { model: b }]", "", "", TestServer.Simulated(more: s_dear), s_cheap);
        (await server.AskAsync("1,2,3,4", ("X-Spillway-Max-Cost", "0.0005"))).By("b", "budget_exhausted");
        (await server.AskAsync("1,2,3,4", ("X-Spillway-Max-Cost", "0.0001")))
            .Is(429, "budget_exhausted");
    }

    [Fact]
    public async Task Rate_of_a_later_steps_model_moves_on_as_that_step_declares()
    {
        await using var server = await RoutedServer.StartAsync(
            "[{ model: a }, { model: b, on: [limits] }, { kind: message, message: busy }]", "",
            "limits: { rates: { slow: { models: [b], requestsPerSecond: 0.001, burstSeconds: 1000 } } }",
            RoutedServer.Broken);
        (await server.AskAsync()).By("b", "runtime_failed");
        (await server.AskAsync("1,2,3,4", ("X-Request-Id", "limited"))).By("message", "runtime_failed");
        Assert.Contains(
            "rate_limited", (await server.RecordAsync("limited")).GetRawText(), StringComparison.Ordinal);
        await server.IdleAsync();
    }

    [Fact]
    public async Task What_a_limit_and_a_budget_of_a_steps_model_say_stands_in_the_answers_headers()
    {
        await using var server = await RoutedServer.StartAsync(
            "[{ model: a }]", "",
            "limits: { rates: { slow: { models: [a], requestsPerSecond: 0.002, burstSeconds: 50000 } } }\n"
                + "budgets: { tiny: { limit: 0.01005, models: [a] } }", TestServer.Simulated(more: s_dear));
        var reply = (await server.AskAsync("1,2,3,4", ("X-Request-Id", "told"))).By("a");
        Assert.Equal(("100", "99"), (reply.Header("RateLimit-Limit"), reply.Header("RateLimit-Remaining")));
        Assert.Null(reply.Header("X-Spillway-Budget-Warning"));
        Assert.Contains("budget tiny", (await server.RecordAsync("told")).Says("reserved"), StringComparison.Ordinal);
        for (var i = 0; i < 9; i++)
            reply = (await server.AskAsync()).By("a");
        Assert.StartsWith("tiny; used=0.", reply.Header("X-Spillway-Budget-Warning"), StringComparison.Ordinal);
        await server.IdleAsync();
        var desk = server.Serving.Guards.Desk!;
        Assert.Equal(desk.Borrowed, desk.Settled);
    }

    [Fact]
    public async Task Request_that_is_refused_after_its_look_up_leaves_nobody_waiting_for_it()
    {
        await using var server = await RoutedServer.StartAsync(
            "[{ model: a }]", RoutedServer.Cache(), Budget, TestServer.Simulated(more: s_dear));
        (string, string) poor = ("X-Spillway-Max-Cost", "0.0001");
        Assert.Equal("budget_exhausted", (await server.AskAsync("1,2,3,4", poor)).Header("X-Spillway-Fault"));
        Assert.Equal("miss", (await server.AskAsync()).By("a").Header("X-Spillway-Cache"));
        Assert.Equal("hit", (await server.AskAsync("1,2,3,4", poor)).Header("X-Spillway-Cache"));
        Assert.Equal("1", await CountAsync(server, "miss", 2));
    }

    [Fact]
    public async Task Request_that_is_refused_while_it_would_join_is_not_the_one_that_goes_on()
    {
        var time = new ManualTimeProvider();
        await using var server = await TestServer.StartOnAsync(time, RoutedServer.Folder(
            "[{ model: a }]", RoutedServer.Cache(), Budget,
            TestServer.Simulated("{ 1: 1500 }", more: s_dear + "\nbatching: { batchRowsMax: 1 }")));
        using var leave = new CancellationTokenSource();
        var leads = server.InferAsync(
            "r", Encoding.UTF8.GetBytes(RoutedServer.Row("1,2,3,4")), [], leave.Token);
        await server.UntilModelAsync("a", "active_runs", 1);
        var refused = await server.AskAsync("1,2,3,4", ("X-Spillway-Max-Cost", "0.0001"));
        Assert.Equal("budget_exhausted", refused.Header("X-Spillway-Fault"));
        var other = server.AskAsync();
        await server.UntilJoinedAsync(2);
        await leave.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leads);
        var answered = await TestServer.ThroughAsync(time, other, stepMs: 50);
        Assert.Equal("miss", answered.By("a").Header("X-Spillway-Cache"));
        await server.IdleAsync();
    }

    [Fact]
    public async Task Request_that_is_refused_while_it_would_join_and_given_an_old_answer_holds_nobody_up()
    {
        var time = new ManualTimeProvider();
        await using var server = await RoutedServer.StartAsync(
            "[{ model: a, on: [budget] }, { kind: cached }]",
            RoutedServer.Cache("ttlMs: 1000, staleIfErrorMs: 600000"), Budget,
            TestServer.Simulated(more: s_dear), clock: new Clock(time));
        Assert.Equal("miss", (await server.AnsweredAsync(time, server.AskAsync())).Header("X-Spillway-Cache"));
        time.Advance(TimeSpan.FromSeconds(2));

        for (var i = 0; i < 2; i++)
        {
            var old = await server.AskAsync("1,2,3,4", ("X-Spillway-Max-Cost", "0.0001"));
            Assert.Equal("stale", old.By("cached", "budget_exhausted").Header("X-Spillway-Cache"));
        }

        Assert.Equal("miss", (await server.AnsweredAsync(time, server.AskAsync())).Header("X-Spillway-Cache"));
    }

    [Fact]
    public async Task Surprise_in_the_one_that_asks_first_leaves_nobody_waiting_for_it()
    {
        var surprises = 1;
        var clock = new Clock(TimeProvider.System)
        {
            Stamping = stage =>
            {
                if (stage is Stage.Cache && Interlocked.Decrement(ref surprises) >= 0)
                    throw new InvalidOperationException("A surprise, as a test wants it.");
            },
        };
        await using var server = await RoutedServer.StartAsync(RoutedServer.Two, RoutedServer.Cache(), clock: clock);
        Assert.Equal(500, (await server.AskAsync()).Status);
        Assert.Equal("miss", (await server.AskAsync()).By("a").Header("X-Spillway-Cache"));
        await server.IdleAsync();
    }

    private static async Task<string> CountAsync(TestServer server, string result, long count)
    {
        Assert.Equal(count, await server.LookUpsAsync(result));
        return (await server.LookUpsAsync("hit")).ToString(System.Globalization.CultureInfo.InvariantCulture);
    }

    private static async Task PostAsync(TestServer server, string path)
    {
        var reply = await server.SendAsync(new(HttpMethod.Post, $"/admin/v1/switches/{path}"));
        Assert.True(reply.Status == 200, reply.Text);
    }

    /// <summary>Of the one budget, once nothing is reserved: a request settles just after its last byte.</summary>
    private static async Task<string> SpentAsync(TestServer server)
    {
        JsonElement budget = default;
        await TestServer.UntilAsync(async () =>
        {
            budget = (await server.GetAsync("/admin/v1/budgets")).Json.GetProperty("budgets")[0];
            return budget.GetProperty("reserved").GetString() == "0";
        });
        return budget.GetProperty("spent").GetString()!;
    }
}
