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

    private static PlanReport Report(params (string From, string To)[] changes)
    {
        var plan = SmallPlan.Read(changes);
        return PlanReport.Of(plan, [.. plan.Candidates.Select(c => Evaluation.Run(plan, c)!)], notRun: 0);
    }
}
