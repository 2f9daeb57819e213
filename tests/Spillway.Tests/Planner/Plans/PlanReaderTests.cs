namespace Spillway.Tests.Planner.Plans;

public sealed class PlanReaderTests
{
    [Fact]
    public void Every_mistake_is_told_at_once_with_its_line_and_its_remedy()
    {
        var errors = SmallPlan.Result(
            ("ratePerSecond: 40", "ratePerSecnd: 40"), ("machine: small, replicas: 1", "machine: smal, replicas: 1"),
            ("platform: functions", "platform: function"),
                ("variant: good\n    sites: { here: { machine: small, replicas: 2",
                "variant: god\n    sites: { here: { machine: small, replicas: 2"), ("p95Ms: 120", "p95Ms: -3")).Errors;

        Assert.Contains(errors, e => e.Key == "workloads[0].ratePerSecnd" && e.Suggestion == "ratePerSecond"
            && e.Line == 11);
        Assert.Contains(errors, e => e.Value == "smal" && e.Suggestion == "small");
        Assert.Contains(errors, e => e.Value == "function" && e.Suggestion == "functions");
        Assert.Contains(errors, e => e.Value == "god" && e.Suggestion == "good");
        Assert.Contains(errors, e => e.Key == "goals.p95Ms" && e.Value == "-3");
        Assert.All(errors, e => Assert.NotEmpty(e.Remedy));
        Assert.All(errors, e => Assert.Equal("plan.yaml", e.File));
    }

    [Fact]
    public void A_missing_price_is_never_taken_for_nothing()
    {
        var error = Assert.Single(SmallPlan.Result(
            ("machine: small, replicas: 2", "machine: large, replicas: 2, purchase: reserved")).Errors);
        Assert.Contains("missing price is never taken for nothing", error.Problem, StringComparison.Ordinal);
        Assert.Contains("reservedPerHour", error.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public void A_price_of_bytes_that_is_not_given_is_missing_and_not_zero() => Assert.Contains(
        SmallPlan.Result(("egressPerGb: 0 }", "bandwidthMbps: 10 }")).Errors, e => e.Key == "sites.others.egressPerGb");

    [Fact]
    public void A_quality_without_a_source_is_refused() => Assert.Contains(
        SmallPlan.Result(("    qualitySource: a test\n", "")).Errors, e => e.Key == "variants.good.quality");

    [Fact]
    public void A_region_that_no_site_takes_is_refused() => Assert.Contains(
        SmallPlan.Result(("here: { kind: cloud, networkMs: { eu: 5, us: 40 }",
            "here: { kind: cloud, residents: [eu], networkMs: { eu: 5, us: 40 }")).Errors,
        e => e.Value == "us" && e.Problem.Contains("No site", StringComparison.Ordinal));

    [Fact]
    public void A_machine_that_the_variant_was_not_measured_on_is_refused() => Assert.Contains(
        SmallPlan.Result(("variant: good\n    sites: { here: { machine: small, replicas: 2",
            "variant: unknown\n    sites: { here: { machine: large, replicas: 2")).Errors,
        e => e.Problem.Contains("no curve for this machine", StringComparison.Ordinal));

    [Theory]
    [InlineData("goals: { p95Ms: 120, refusedShareMax: 0.02 }", "goals: { p95Ms: 120 }", "bound on refusals")]
    [InlineData("goals: { p95Ms: 120, refusedShareMax: 0.02 }", "goals: { costPer1000Max: 1 }", "bound on refusals")]
    [InlineData("regions: { eu: 3, us: 1 } }", "regions: { eu: 3, us: -1 } }", "")]
    [InlineData("ratePerSecond: 40,", "ratePerSecond: 40, ramp: { fromSecond: 50, toSecond: 20, factor: 2 },",
        "ends before it begins")]
    [InlineData("arrivals: poisson, ratePerSecond: 40,",
        "arrivals: trace, trace: trace.csv, spike: { atSecond: 5, factor: 2, forSeconds: 5 },", "would change nothing")]
    [InlineData("arrivals: poisson, ratePerSecond: 40,", "arrivals: trace, trace: trace.csv, repeats: { distinct: 5 },",
        "would change nothing")]
    [InlineData("machine: small, replicas: 1", "machine: small, replicas: 0", "nothing can start one")]
    [InlineData("machine: small, replicas: 1",
        "machine: small, replicas: 0, scaling: { policy: fixed, replicasMin: 0 }", "nothing can start one")]
    [InlineData("machine: small, replicas: 1",
        "machine: small, replicas: 0, scaling: { policy: scale-to-zero, reactive: fixed, replicasMin: 0 }",
        "nothing can start one")]
    [InlineData("machine: small, replicas: 1",
        "machine: small, replicas: 1, scaling: { policy: queue, replicasMin: 5, replicasMax: 2 }", "below replicasMin")]
    public void What_would_be_ignored_or_cannot_work_is_refused(string from, string to, string problem) =>
        Assert.Contains(SmallPlan.Result(SmallPlan.Prices, [(from, to)], "arrival\n0\n119\n").Errors, e =>
            e.Problem.Contains(problem, StringComparison.Ordinal));

    [Fact]
    public void Replicas_beyond_the_reserved_ones_need_a_price() => Assert.Contains(
        SmallPlan.Result(SmallPlan.Prices.Replace("onDemandPerHour: 0.10, ", "", StringComparison.Ordinal),
        [
            ("sites: { here: { machine: small, replicas: 1 } }", "sites: { here: { machine: small, replicas: 1, "
                + "purchase: reserved, scaling: { policy: queue, replicasMax: 3 } } }"),
            ("machine: small, replicas: 2", "machine: small, replicas: 2, purchase: reserved"),
        ]).Errors, e => e.Problem.Contains("no price on demand", StringComparison.Ordinal));

    [Theory]
    [InlineData("batchRowsMax: [0]")]
    [InlineData("replicas: [-3]")]
    [InlineData("replicas: [0]")]
    [InlineData("machines: [large], variants: [unknown]")]
    public void A_search_makes_nothing_that_a_candidate_could_not_say(string list) => Assert.Contains(
        SmallPlan.Result(SmallPlan.Also($"search: {{ base: one, {list} }}")).Errors, e =>
            e.Key.StartsWith("search", StringComparison.Ordinal));

    [Theory]
    [InlineData("arrival\n0\n60\n", "lasts 60 s, the plan 120 s")]
    [InlineData("arrival\n0\n600\n", "lasts 600 s, the plan 120 s")]
    public void A_trace_of_another_length_than_the_plan_is_told(string trace, string words)
    {
        var result = SmallPlan.Result(SmallPlan.Prices,
            [("arrivals: poisson, ratePerSecond: 40,", "arrivals: trace, trace: trace.csv,")], trace);
        Assert.Empty(result.Errors);
        Assert.Contains(words, Assert.Single(result.Notes).Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Two_currencies_are_refused()
    {
        var result = SmallPlan.Result(SmallPlan.Prices.Replace("currency: EUR", "currency: \"\"",
            StringComparison.Ordinal), []);
        Assert.Contains(result.Errors, e => e is { File: "prices.yaml", Key: "currency" });
    }

    [Fact]
    public void A_date_that_is_none_is_refused()
    {
        var result = SmallPlan.Result(SmallPlan.Prices.Replace("2026-01-31", "last week", StringComparison.Ordinal),
            []);
        Assert.Contains(result.Errors, e => e is { File: "prices.yaml", Key: "date", Value: "last week" });
    }

    [Fact]
    public void A_file_that_is_not_there_is_told_with_the_plan_s_line()
    {
        var result = SmallPlan.Result(("prices: [prices.yaml]", "prices: [prices.yaml, more.yaml]"));
        Assert.Contains(result.Errors, e => e is { Key: "prices[1]", Value: "more.yaml", Line: 5 });
    }

    [Fact]
    public void A_search_makes_every_combination_once()
    {
        var plan = SmallPlan.Read(SmallPlan.Also("""
              - name: two
                variant: good
                sites: { here: { machine: small, replicas: 2 } }
            search: { base: one, replicas: [1, 2, 3], cacheEntries: [0, 100], batchRowsMax: [1, 8] }
            """));
        Assert.Equal(2 + (3 * 2 * 2), plan.Candidates.Count);
        Assert.Equal(plan.Candidates.Count, plan.Candidates.Select(c => c.Name).Distinct().Count());
    }
}
