using Spillway.Planner.Answers;
using Spillway.Planner.Outcomes;
using Spillway.Tests.Planner.Plans;

namespace Spillway.Tests.Planner.Fleet;

/// <summary>Rate limits, budgets and second copies in a plan: refusals have reasons, money is not overspent.</summary>
public sealed class RoutedLimitsTests
{
    private const string Plain = "upstream: { firstMs: 50, pricePerMillionIn: 1, pricePerMillionOut: 2 }";

    private static readonly (string From, string To) s_tokens = ("ratePerSecond: 40,",
        "ratePerSecond: 40, tokensIn: { mean: 100 }, tokensOut: { mean: 20 },");

    [Fact]
    public void A_rate_limit_lets_its_rate_through_and_says_whom_it_turned_away()
    {
        var o = Run(Route("limits: { rates: { all: { requestsPerSecond: 30 } } }"));
        Assert.InRange(o.Throughput, 28.5, 30.5);
        var refused = o.Faults[FaultKind.RateLimited];
        Assert.Equal(o.Offered - o.Answered, refused);
        var (site, count) = Assert.Single(o.Turned);
        Assert.Equal(("others", "all", false), (site, count.Rule, count.IsBudget));
        // The site counts the warm-up too.
        Assert.InRange(count.Refused, refused, refused * 1.2);
    }

    [Fact]
    public void Limits_by_key_and_by_tenant_are_as_many_as_keys_and_tenants()
    {
        CandidateOutcome By(string per) => Run(("workloads:\n  - { name: people,", "workloads:\n  - { name: few, "
            + "arrivals: poisson, ratePerSecond: 20, tenant: acme, keys: 2 }\n  - { name: people, keys: 4,"), Route(
                $"limits: {{ rates: {{ each: {{ requestsPerSecond: 4, per: [{per}] }} }} }}"));
        // Four keys and two, each with more to ask than it may: 24 a second. Two tenants: 8. All together: 4.
        Assert.InRange(By("key").Throughput, 22.5, 24.5);
        Assert.InRange(By("tenant").Throughput, 7.7, 8.3);
        Assert.InRange(By("route").Throughput, 3.8, 4.2);
    }

    [Fact]
    public void A_budget_is_spent_and_not_overspent_and_the_rest_is_refused_for_it()
    {
        // An answer reads 100 tokens and writes 20: 0.00014. A hundred and a bit of them are 0.015.
        var o = Run(s_tokens, Route("budgets: { purse: { limit: 0.015, window: hour } }"));
        Assert.True((o.Faults[FaultKind.BudgetExhausted], (double)o.Bill.Nano / 1e9) is (> 4000, > 0.0145 and <= 0.015),
            $"{o.Faults[FaultKind.BudgetExhausted]} refused, {o.Bill} spent");
        Assert.True(Assert.Single(o.Turned).Count.IsBudget);
    }

    [Fact]
    public void A_budget_that_degrades_leaves_the_rest_to_a_provider_that_costs_nothing()
    {
        var o = Run(s_tokens, ("  unknown:", """
              spare:
                evidence: theoretical
                source: a guess
                upstream: { firstMs: 90, pricePerMillionIn: 0, pricePerMillionOut: 0 }
              unknown:
            """), Route("chain: { steps: [{ model: good, on: [budget, failure] }, { model: spare }] }, "
                + "budgets: { purse: { limit: 0.015, window: hour } }"));
        Assert.True(o.Offered == o.Answered, string.Join(", ", o.Faults.Select(f => $"{f.Key} {f.Value}")));
        Assert.InRange((double)o.Bill.Nano / 1e9, 0.0145, 0.015);
        Assert.True(o.Costs.Single(l => l.What == "spare, tokens read").Quantity > 0.4m);
    }

    [Fact]
    public void A_calendar_budget_begins_anew_with_the_plan_s_hour()
    {
        // Half past the hour at the beginning: two windows of half an hour and one whole one in two hours.
        CandidateOutcome From(double hour) => Run(s_tokens, ("ratePerSecond: 40", "ratePerSecond: 2"),
            ("durationSeconds: 120", $"durationSeconds: 7200\nstartHour: {hour}"),
            Route("budgets: { purse: { limit: 0.014, window: hour } }"));
        Assert.Equal(2 * 0.014, (double)From(9).Bill.Nano / 1e9, 0.0006);
        Assert.Equal(3 * 0.014, (double)From(9.5).Bill.Nano / 1e9, 0.0006);
    }

    [Fact]
    public void A_place_is_held_to_the_last_token_of_an_answer()
    {
        CandidateOutcome Of(string perToken) => Run(s_tokens, (Plain, Plain.Replace("firstMs: 50",
            $"firstMs: 50, variation: 0{perToken}", StringComparison.Ordinal)
            + "\n    route: { limits: { rates: { places: { concurrency: 2 } } } }"));
        // Two places of 50 ms are 40 a second at the most; of a second each, two.
        Assert.InRange(Of("").Throughput, 18, 30);
        Assert.InRange(Of(", perTokenMs: 50").Throughput, 1.7, 2.01);
    }

    [Fact]
    public void Second_copies_cut_the_tail_and_cost_what_they_read()
    {
        CandidateOutcome Of(string hedge) => Run(s_tokens, (Plain, Plain.Replace("firstMs: 50",
            $"firstMs: 50, variation: 1.5, targets: 3, policies: {{ {hedge} }}", StringComparison.Ordinal)));
        var (once, twice) = (Of(""), Of("hedge: { enabled: true }"));
        Assert.Equal(0, once.Hedges);
        // After the 95th percentile: one in twenty, and what the budget of second attempts gives.
        Assert.InRange(twice.Hedges / (double)twice.Offered, 0.02, 0.08);
        Assert.True(twice.Total.P99Ms < once.Total.P99Ms * 0.8, $"{twice.Total.P99Ms} of {once.Total.P99Ms}");
        decimal Read(CandidateOutcome o) =>
            o.Costs.Single(l => l.What.EndsWith("read", StringComparison.Ordinal)).Quantity;
        Assert.InRange(Read(twice) - Read(once), twice.Hedges * 0.00009m, twice.Hedges * 0.00011m);
    }

    [Theory]
    [InlineData("limits: { rates: { all: {} } }", "limits.rates.all", "limits nothing")]
    [InlineData("limits: { rates: { all: { requestsPerSecond: 1, tenants: [acme] } } }", "limits.rates.all.tenants[0]",
        "no tenant")]
    [InlineData("limits: { rates: { all: { requestsPerSecond: 1, atLimit: degrade } } }", "limits.rates.all.atLimit",
        "gives no answers")]
    [InlineData("budgets: { purse: { limit: 1, models: [gold] } }", "budgets.purse.models[0]", "no model")]
    [InlineData("budgets: { purse: { limit: 1, timeZone: Mars } }", "budgets.purse.timeZone", "no such time zone")]
    public void Rules_are_checked_as_the_server_s_own(string rules, string key, string words)
    {
        var result = SmallPlan.Result(Others, Route(rules));
        Assert.Contains(result.Errors, e => e.Key == $"variants.good.route.{key}"
            && e.Problem.Contains(words, StringComparison.Ordinal));
    }

    [Fact]
    public void A_second_copy_needs_a_second_server()
    {
        var result = SmallPlan.Result(Others, (Plain, Plain.Replace("firstMs: 50",
            "firstMs: 50, policies: { hedge: { enabled: true } }", StringComparison.Ordinal)));
        Assert.Contains(result.Errors, e => e.Key == "variants.good.upstream.policies.hedge");
    }

    [Fact]
    public void Limits_where_no_site_would_count_them_are_an_error()
    {
        var result = SmallPlan.Result(Route("limits: { rates: { all: { requestsPerSecond: 1 } } }"));
        Assert.Contains(result.Errors, e => e.Key == "candidates[0].variant"
            && e.Problem.Contains("upstream", StringComparison.Ordinal));
    }

    private static (string From, string To) Others => SmallPlan.Also("""
          - name: two
            variant: good
            sites: { others: {} }
        """);

    private static (string From, string To) Route(string route) => (Plain, $"{Plain}\n    route: {{ {route} }}");

    private static CandidateOutcome Run(params (string From, string To)[] changes)
    {
        // The first candidate has no site of an upstream, where limits would count.
        var plan = SmallPlan.Read([Others, ("  - name: one\n    variant: good\n    sites: { here: { machine: small, "
            + "replicas: 1 } }\n", ""), .. changes]);
        return Evaluation.Run(plan, plan.Candidates.Single(c => c.Name == "two"))!;
    }
}
