using Spillway.App.Cli.Planning;
using Spillway.Planner.Answers;
using Spillway.Tests.Planner.Plans;

namespace Spillway.Tests.Planner.Answers;

public sealed class PlanReportTests
{
    [Fact]
    public void The_cheapest_that_keeps_every_goal_is_recommended_with_its_reason()
    {
        var report = Report(("ratePerSecond: 40", "ratePerSecond: 120"));
        Assert.Equal("two", report.Best!.Outcome.Candidate.Name);
        Assert.StartsWith("Take two: ", report.Sentence, StringComparison.Ordinal);
        var other = report.Candidates[0];
        Assert.Contains("refused", other.Reason, StringComparison.Ordinal);
        Assert.Contains(other.WouldHelp, h => h.Contains("replicas in place of 1", StringComparison.Ordinal));
    }

    [Fact]
    public void Unknown_quality_is_never_recommended_over_a_known_one_however_cheap()
    {
        var report = Report(SmallPlan.Also("""
              - name: guess
                variant: unknown
                sites: { here: { machine: small, replicas: 1, purchase: spot } }
            """));
        Assert.Equal("one", report.Best!.Outcome.Candidate.Name);
        Assert.Contains("quality is unknown", report.Candidates[1].Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_quality_floor_that_nobody_reaches_is_told_with_what_would_help()
    {
        var report = Report(("p95Ms: 120,", "p95Ms: 120, qualityMin: 0.95,"));
        Assert.Null(report.Best);
        Assert.Contains("quality 0.9, 0.95 is the floor", report.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void A_promise_below_the_floor_says_that_no_number_of_replicas_helps()
    {
        var report = Report(("p95Ms: 120", "p95Ms: 15"));
        Assert.Contains(report.Candidates[1].WouldHelp, h =>
            h.Contains("no number of replicas helps", StringComparison.Ordinal));
    }

    [Fact]
    public void The_frontier_keeps_who_is_best_in_something()
    {
        var report = Report(SmallPlan.Also("""
              - name: fast
                variant: good
                sites: { here: { machine: large, replicas: 1 } }
              - name: dear and slow
                variant: good
                sites: { there: { machine: small, replicas: 1 } }
            """), ("ratePerSecond: 40, regions: { eu: 3, us: 1 }",
            "ratePerSecond: 40, bytesOut: 40000, regions: { eu: 1 }"));
        Assert.True(report.Candidates[0].OnFrontier);
        Assert.True(report.Candidates[1].OnFrontier);
        Assert.False(report.Candidates[2].OnFrontier);
    }

    [Fact]
    public void The_same_plan_and_seed_give_the_same_bytes_and_another_seed_others()
    {
        var first = PlanJson.Format(Report(("seed: 7", "seed: 7")));
        Assert.Equal(first, PlanJson.Format(Report(("seed: 7", "seed: 7"))));
        Assert.NotEqual(first, PlanJson.Format(Report(("seed: 7", "seed: 8"))));
    }

    [Fact]
    public void Cost_of_an_answer_is_a_fixed_price_divided_by_the_use_made_of_it()
    {
        var curve = Report(("egressPerGb: 0.09, provisionSeconds: 5 }\n  there",
            "egressPerGb: 0, provisionSeconds: 5 }\n  there"))
            .Candidates[0].Outcome.CostCurve;
        Assert.Equal(curve.Single(p => p.Utilisation == 0.1).Per1000,
            10 * curve.Single(p => p.Utilisation == 1).Per1000, 9);
        // 0.10 an hour at two runs of 20 ms side by side: 100 a second.
        Assert.Equal(0.10 / 360, curve.Single(p => p.Utilisation == 1).Per1000, 6);
    }

    [Fact]
    public void A_scaled_site_at_full_use_pays_for_all_the_replicas_that_its_capacity_counts_and_its_rent_once()
    {
        var curve = Report(("sites: { here: { machine: small, replicas: 1 } }", "sites: { here: { machine: small, "
            + "replicas: 1, scaling: { policy: queue, replicasMax: 20 } } }"),
            ("egressPerGb: 0.09, provisionSeconds: 5 }\n  there", "egressPerGb: 0, perMonth: 730, provisionSeconds: 5 }"
                + "\n  there"))
            .Candidates[0].Outcome.CostCurve;
        // Twenty machines of 0.10 an hour and a rent of 1 an hour, for 2,000 a second.
        Assert.Equal(3.0 / 7200, curve.Single(p => p.Utilisation == 1).Per1000, 6);
    }

    [Fact]
    public void Machines_beside_an_unlimited_upstream_are_in_the_curve()
    {
        var curve = Report(("regions: { eu: 3, us: 1 }", "regions: { eu: 1, us: 1 }"),
            ("sites: { here: { machine: small, replicas: 1 } }",
                "sites: { here: { machine: small, replicas: 1 }, others: {} }"),
            ("others: { kind: upstream, networkMs: { eu: 5, us: 5 }", "others: { kind: upstream, networkMs: { us: 5 }"),
            ("egressPerGb: 0.09, provisionSeconds: 5 }\n  there", "egressPerGb: 0, provisionSeconds: 5 }\n  there"))
            .Candidates[0].Outcome.CostCurve;
        // A hundred a second here, and as many there.
        Assert.InRange(curve.Single(p => p.Utilisation == 1).Per1000, 0.10 / 720 * 0.95, 0.10 / 720 * 1.05);
    }

    [Fact]
    public void Spot_machines_that_nobody_knows_the_end_of_are_not_recommended_over_others()
    {
        var report = Report(SmallPlan.Also("""
              - name: spot
                variant: good
                sites: { here: { machine: small, replicas: 1, purchase: spot } }
            """));
        Assert.Equal("one", report.Best!.Outcome.Candidate.Name);
        Assert.Contains("taken back is unknown", report.Candidates[1].Reason, StringComparison.Ordinal);
        var alone = PlanReport.Of(report.Plan, [report.Candidates[1].Outcome], notRun: 0);
        Assert.Contains("were never taken back here", alone.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void Who_answers_nobody_is_not_recommended() => Assert.Null(Report(
        ("goals: { p95Ms: 120, refusedShareMax: 0.02 }", "goals: {}"), ("ratePerSecond: 40", "ratePerSecond: 0.000001"))
        .Best);

    private static PlanReport Report(params (string From, string To)[] changes)
    {
        var plan = SmallPlan.Read(changes);
        return PlanReport.Of(plan, [.. plan.Candidates.Select(c => Evaluation.Run(plan, c)!)], notRun: 0);
    }
}
