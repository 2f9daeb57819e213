using Spillway.Flow.Guards;
using Spillway.Policies.Budgets;
using Spillway.Policies.Guarding;
using Spillway.Policies.Rates;

namespace Spillway.Tests.Planner.Routes;

/// <summary>Limits and budgets of a simulated route are judged by the rules that serve.</summary>
public sealed class RouteGateTests
{
    private static readonly string[] s_limits = ["limits", "budget"];

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 20)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Exactly_those_pass_that_the_live_rules_let_pass(int seed)
    {
        var random = new Random(seed);
        RateOptions[] all =
        [
            new() { RequestsPerSecond = random.Next(5, 40), BurstSeconds = random.NextDouble() + 0.05 },
            new() { TokensPerSecond = random.Next(100, 400), Per = [GuardScope.Tenant] },
            new() { RequestsPerSecond = random.Next(3, 20), Per = [GuardScope.Key, GuardScope.Route] },
        ];
        var budget = new BudgetOptions { Limit = random.Next(100, 900), Window = WindowLength.Minute };
        var bench = new GateBench(
            all.Select((r, i) => (r, i)).ToDictionary(r => $"r{r.i}", r => r.r), new() { ["purse"] = budget });
        // The rules themselves, asked in the order of time; what has been answered is settled before who comes next.
        var states = new Dictionary<string, RateState>();
        var account = new BudgetAccount(budget, new(WindowLength.Minute, WindowKind.Calendar, TimeZoneInfo.Utc));
        List<(double Ms, GuardSet Set, GuardTicket Ticket, long Tokens)> under = [];
        List<string> expected = [];
        var at = 0.0;
        for (var i = 0; i < 600; i++)
        {
            at += random.NextDouble() * 60;
            var (tenant, key, tokens) = ($"t{random.Next(2)}", $"k{random.Next(4)}", random.Next(1, 20));
            bench.Arrive(at, tenant, key, tokens: tokens);
            foreach (var done in under.Where(u => u.Ms <= at).ToList())
            {
                done.Set.Settle(done.Ticket, Units(done.Tokens), null, done.Tokens, GateBench.At(done.Ms));
                under.Remove(done);
            }

            var set = new GuardSet([.. all.Select((r, n) => new Named<RateState>($"r{n}", "", StateOf(r,
                $"r{n} {r.ScopeOf(key, tenant, "", "route")}")))], [new("purse", "", account)]);
            var ticket = new GuardTicket();
            var says = Ask(set, ticket, account, tenant, tokens, at);
            expected.Add(says.Fault?.Kind.ToString() ?? "0");
            if (says.Fault is null)
                under.Add((at + GateBench.DearMs, set, ticket, tokens));
        }

        Assert.Equal(expected, bench.Run().Ends);
        Assert.Contains(expected, e => e != "0");
        Assert.Contains("0", expected);

        RateState StateOf(RateOptions options, string scope) =>
            states.TryGetValue(scope, out var known) ? known : states[scope] = new(options);
    }

    [Fact]
    public void Each_tenant_and_each_key_has_its_own()
    {
        var rate = new RateOptions { RequestsPerSecond = 1, Per = [GuardScope.Tenant] };
        var bench = new GateBench(new() { ["each"] = rate });
        foreach (var (tenant, key) in new[] { ("a", "1"), ("a", "2"), ("b", "1"), ("b", "1") })
            bench.Arrive(0, tenant, key);
        Assert.Equal(["0", "RateLimited", "0", "RateLimited"], bench.Run().Ends);
        Assert.Equal((2, 0), (bench.Gate.Counts[0].Refused, bench.Gate.Counts[0].Waited));
        bench = new(new() { ["each"] = rate with { Per = [GuardScope.Key] } });
        foreach (var (tenant, key) in new[] { ("a", "1"), ("a", "2"), ("b", "1") })
            bench.Arrive(0, tenant, key);
        Assert.Equal(["0", "0", "RateLimited"], bench.Run().Ends);
    }

    [Fact]
    public void Who_waits_for_a_place_gets_it_in_the_order_of_coming_and_no_longer_than_it_may()
    {
        var bench = new GateBench(new()
        {
            ["places"] = new() { Concurrency = 2, AtLimit = AtLimit.Queue, QueueMs = 150, QueueLengthMax = 3 },
        });
        for (var i = 0; i < 6; i++)
            bench.Arrive(i);
        bench.Run();
        // Two at once; two more after 100 ms; the fifth would have its turn after 200, the sixth finds the line full.
        Assert.Equal(["0", "0", "0", "0", "RateLimited", "RateLimited"], bench.Ends);
        Assert.Equal(2, bench.Dear.Most);
        Assert.Equal([100, 101, 200, 201], bench.Dear.Answered.Select(id => Ms(bench, id)));
        Assert.Equal(154, Ms(bench, "4"));
        Assert.Equal((2, 3), (bench.Gate.Counts[0].Refused, bench.Gate.Counts[0].Waited));
    }

    [Fact]
    public void Queueing_rate_takes_the_token_ahead_and_goes_on_when_it_is_there()
    {
        var bench = new GateBench(new()
        {
            ["ten"] = new() { RequestsPerSecond = 10, BurstSeconds = 0.1, AtLimit = AtLimit.Queue, QueueMs = 250 },
        });
        for (var i = 0; i < 5; i++)
            bench.Arrive(0);
        bench.Run();
        Assert.Equal(["0", "0", "0", "RateLimited", "RateLimited"], bench.Ends);
        Assert.Equal([100, 200, 300], bench.Dear.Answered.Select(id => Ms(bench, id)));
    }

    [Fact]
    public void Nobody_waits_beyond_its_own_patience()
    {
        var bench = new GateBench(new() { ["place"] = new() { Concurrency = 1, AtLimit = AtLimit.Queue } });
        bench.Arrive(0);
        bench.Arrive(0, timeoutMs: 60);
        bench.Arrive(0, timeoutMs: 400);
        Assert.Equal(["0", "RateLimited", "0"], bench.Run().Ends);
    }

    [Fact]
    public void A_spent_budget_refuses_until_its_window_is_over_and_is_never_overdrawn()
    {
        var bench = new GateBench(budgets: new() { ["purse"] = new() { Limit = 35, Window = WindowLength.Minute } });
        for (var i = 0; i < 12; i++)
            bench.Arrive(i * 10_000);
        bench.Run();
        // Three of ten in each minute of six.
        string[] minute = ["0", "0", "0", "BudgetExhausted", "BudgetExhausted", "BudgetExhausted"];
        Assert.Equal([.. minute, .. minute], bench.Ends);
        Assert.Equal(Units(30).Nano, Assert.Single(bench.Gate.Budgets).State.Spent.Nano);
    }

    [Fact]
    public void A_spent_budget_leaves_the_cheaper_step_and_then_what_costs_nothing()
    {
        var bench = new GateBench(
            budgets: new() { ["purse"] = new() { Limit = 21.5, Window = WindowLength.Hour } }, on: s_limits);
        for (var i = 0; i < 5; i++)
            bench.Arrive(i * 1000);
        // Two at 10, one at 1 of the 1.5 that are left; then there is not enough for anybody.
        Assert.Equal(["0", "0", "1", "2", "2"], bench.Run().Ends);
        Assert.Equal(Units(21).Nano, Assert.Single(bench.Gate.Budgets).State.Spent.Nano);
    }

    [Fact]
    public void A_rate_moves_on_to_what_is_at_hand_and_not_to_another_model()
    {
        var bench = new GateBench(new() { ["one"] = new() { RequestsPerSecond = 1 } }, on: s_limits);
        bench.Arrive(0);
        bench.Arrive(1);
        Assert.Equal(["0", "2"], bench.Run().Ends);
        Assert.Empty(bench.Cheap.Answered);
    }

    [Fact]
    public void A_limit_of_one_model_counts_the_step_that_asks_it()
    {
        var bench = new GateBench(
            new() { ["dear"] = new() { RequestsPerSecond = 1, Models = ["dear"] } }, on: s_limits);
        for (var i = 0; i < 3; i++)
            bench.Arrive(i);
        Assert.Equal(["0", "1", "1"], bench.Run().Ends);
    }

    [Fact]
    public void A_remembered_answer_costs_nothing_and_counts_for_rates()
    {
        var bench = new GateBench(
            new() { ["three"] = new() { RequestsPerSecond = 0.001, BurstSeconds = 3000 } },
            new() { ["purse"] = new() { Limit = 10, Window = WindowLength.Hour } }, remembers: true);
        for (var i = 0; i < 4; i++)
            bench.Arrive(i * 1000, question: 7);
        Assert.Equal(["0", "-1", "-1", "RateLimited"], bench.Run().Ends);
        Assert.Equal(Units(10).Nano, Assert.Single(bench.Gate.Budgets).State.Spent.Nano);
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Every_request_ends_and_gives_back_what_it_held_whatever_the_rules(int seed)
    {
        var random = new Random(seed);
        var places = random.Next(1, 4);
        var bench = new GateBench(
            new()
            {
                ["places"] = new()
                {
                    Concurrency = places, AtLimit = random.Next(2) == 0 ? AtLimit.Queue : AtLimit.Refuse,
                    QueueMs = random.Next(50, 400), QueueLengthMax = random.Next(1, 6),
                    FairShares = random.Next(2) == 0,
                },
                ["rate"] = new()
                {
                    RequestsPerSecond = random.Next(5, 30),
                    AtLimit = random.Next(2) == 0 ? AtLimit.Queue : AtLimit.Refuse,
                },
                ["dear"] = new() { Concurrency = random.Next(1, 3), Models = ["dear"], AtLimit = AtLimit.Queue },
            },
            new()
            {
                ["purse"] = new()
                {
                    Limit = random.Next(50, 500), Window = WindowLength.Minute,
                    Kind = random.Next(2) == 0 ? WindowKind.Rolling : WindowKind.Calendar,
                    AtLimit = random.Next(2) == 0 ? AtLimit.Queue : AtLimit.Refuse, QueueMs = 300,
                },
            },
            on: random.Next(2) == 0 ? s_limits : null, remembers: random.Next(2) == 0);
        var at = 0.0;
        for (var i = 0; i < 300; i++)
        {
            at += random.NextDouble() * 120;
            bench.Arrive(at, $"t{random.Next(3)}", question: random.Next(-40, 30), tokens: random.Next(1, 20),
                timeoutMs: random.Next(3) == 0 ? random.Next(20, 500) : null);
        }

        bench.Run();
        Assert.True(bench.Dear.Most <= places, $"{bench.Dear.Most} at once of {places}");
        Assert.Contains(bench.Answers, a => a.Fault is null);
    }

    private static double Ms(GateBench bench, string id) =>
        bench.Answers.Single(a => a.Id == id).Ended.Ticks / (double)TimeSpan.TicksPerMillisecond;

    private static Money Units(long units) => new(units * 1_000_000_000);

    private static GuardAnswer Ask(
        GuardSet set, GuardTicket ticket, BudgetAccount account, string tenant, long tokens, double ms)
    {
        var at = new DateTime(2026, 6, 1, 0, 0, 0, DateTimeKind.Utc).AddTicks(GateBench.At(ms).Ticks);
        var time = new BudgetTime(at, at);
        while (true)
        {
            var answer = set.Enter(new(new(tenant, 1, 1, 0, tokens), Units(tokens), GateBench.At(ms), time,
                TimeSpan.MaxValue), ticket);
            if (answer.Says is not GuardSays.Draw)
                return answer;
            List<Draw> draws = [];
            account.Plan(time, ends: false, draws);
            foreach (var draw in draws)
                account.Drawn(draw);
        }
    }
}
