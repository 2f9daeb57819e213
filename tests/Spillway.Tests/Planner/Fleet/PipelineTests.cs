using Spillway.Planner.Answers;
using Spillway.Planner.Outcomes;
using Spillway.Tests.Planner.Plans;

namespace Spillway.Tests.Planner.Fleet;

/// <summary>Requests that pass several models one after another.</summary>
public sealed class PipelineTests
{
    private const string Variants = "variants:\n";

    private static readonly (string From, string To) s_steps = (Variants, """
        variants:
          find:
            evidence: measured
            source: a test
            runSpread: 0
            curves: { small: [{ rows: 1, ms: 8 }, { rows: 2, ms: 16 }] }
          read:
            evidence: theoretical
            source: a guess
            runSpread: 0
            curves: { large: [{ rows: 1, ms: 10 }, { rows: 2, ms: 20 }] }
          document:
            evidence: measured
            source: its steps
            pipeline: [find, read]

        """);

    [Fact]
    public void Steps_follow_each_other_and_each_has_its_times_its_machines_and_its_price()
    {
        var o = Run("document", "find: { machine: small, replicas: 2 }, read: { machine: large }",
            ("ratePerSecond: 40", "ratePerSecond: 2"));
        Assert.Equal(["step 1, find", "step 2, read"], o.Steps.Select(s => s.Name));
        Assert.Equal(8, o.Steps[0].P50Ms, 0.1);
        Assert.Equal(10, o.Steps[1].P50Ms, 0.1);
        Assert.Equal(18, o.Stages[(int)PlanStage.Execute].P50Ms, 0.2);
        Assert.Equal(o.Offered, o.Answered);
        Assert.Equal([("here/find", 0.10m), ("here/read", 1.00m)],
            o.Costs.Where(l => l.Unit == "hours").Select(l => (l.Site, l.Price)));
        Assert.Equal(2, o.Costs.First(l => l.Site == "here/find").Quantity / o.Costs.First(
            l => l.Site == "here/read").Quantity, 3);
        // One step is a guess, so the whole is.
        Assert.Equal(Spillway.Planner.Plans.Evidence.Theoretical, o.Evidence);
    }

    [Fact]
    public void The_narrowest_step_is_its_capacity_and_what_would_help()
    {
        var plan = Plan("document", "find: { machine: small, replicas: 1 }, read: { machine: large, replicas: 4 }",
            ("ratePerSecond: 40", "ratePerSecond: 400"));
        var outcome = Evaluation.Run(plan, plan.Candidates[0])!;
        // Two runs of 8 ms side by side.
        Assert.Equal(250, outcome.Capacity!.Value, 1.0);
        Assert.InRange(outcome.RefusedShare, 0.3, 0.45);
        var judged = PlanReport.Of(plan, [outcome], 0).Candidates[0];
        Assert.Contains(judged.WouldHelp, h => h.Contains("at the step find: about", StringComparison.Ordinal));
    }

    [Fact]
    public void A_step_that_comes_twice_is_passed_twice_by_the_same_replicas()
    {
        var o = Run("document", "find: { machine: small }, read: { machine: large }",
            ("pipeline: [find, read]", "pipeline: [find, read, find]"), ("ratePerSecond: 40", "ratePerSecond: 2"));
        Assert.Equal(26, o.Stages[(int)PlanStage.Execute].P50Ms, 0.3);
        Assert.Equal(2, o.Costs.Count(l => l.Unit == "hours"));
        Assert.Equal(125, o.Capacity!.Value, 1.0);
    }

    [Fact]
    public void A_pipeline_of_pipelines_is_their_steps()
    {
        var o = Run("whole", "find: { machine: small }, read: { machine: large }, good: { machine: large }",
            (Variants, "variants:\n  whole: { evidence: measured, source: a test, pipeline: [document, good] }\n"),
            ("ratePerSecond: 40", "ratePerSecond: 2"));
        Assert.Equal(["step 1, find", "step 2, read", "step 3, good"], o.Steps.Select(s => s.Name));
    }

    [Fact]
    public void A_request_that_one_step_refuses_is_refused_and_the_laws_hold()
    {
        var o = Run("document", "find: { machine: small, replicas: 4 }, read: { machine: large, replicas: 1 }",
            ("ratePerSecond: 40", "ratePerSecond: 900"));
        Assert.True(o.RefusedShare > 0.05 && o.Answered > 0);
        Assert.Equal(o.Little.InSystem, o.Little.RateTimesTime, o.Little.InSystem * 1e-6);
    }

    [Theory]
    [InlineData("document", "document > find > document")]
    [InlineData("find", "find > find")]
    public void A_loop_is_an_error_that_shows_it(string back, string way)
    {
        var result = SmallPlan.Result(s_steps, ("    curves: { small: [{ rows: 1, ms: 8 }, { rows: 2, ms: 16 }] }",
            $"    pipeline: [{back}]"), Two("document", "find: { machine: small }, read: { machine: large }"));
        Assert.Contains(result.Errors, e => e.Key.EndsWith(".pipeline", StringComparison.Ordinal)
            && e.Problem.Contains($"The pipeline loops: {way}", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("find: { machine: small }", "Nothing stands here for the step read")]
    [InlineData("find: { machine: small }, read: { machine: small }", "has no curve for this machine")]
    [InlineData("find: { machine: small }, read: { machine: large }, good: { machine: large }",
        "no step in the pipeline")]
    public void Every_step_needs_a_place_that_can_serve_it(string steps, string words)
    {
        var result = SmallPlan.Result(s_steps, Two("document", steps));
        Assert.Contains(result.Errors, e => e.Problem.Contains(words, StringComparison.Ordinal));
    }

    [Fact]
    public void Kubernetes_gets_a_deployment_for_each_step()
    {
        var plan = Plan("document", "find: { machine: small, replicas: 2 }, read: { machine: large }",
            ("ratePerSecond: 40", "ratePerSecond: 2"));
        var objects = KubernetesExport.Format(plan, Evaluation.Run(plan, plan.Candidates[0])!);
        Assert.Contains("name: spillway-here-find", objects, StringComparison.Ordinal);
        Assert.Contains("name: spillway-here-read", objects, StringComparison.Ordinal);
    }

    [Fact]
    public void Formulas_add_the_steps()
    {
        var plan = Plan("document", "find: { machine: small }, read: { machine: large }",
            ("ratePerSecond: 40", "ratePerSecond: 2"));
        var outcome = Evaluation.Run(plan, plan.Candidates[0])!;
        var quick = QuickAnswer.Of(plan, plan.Candidates[0], outcome);
        Assert.Equal(outcome.Total.MeanMs, quick.MeanMs, outcome.Total.MeanMs * 0.05);
    }

    private static CandidateOutcome Run(string variant, string steps, params (string From, string To)[] changes)
    {
        var plan = Plan(variant, steps, changes);
        return Evaluation.Run(plan, plan.Candidates[0])!;
    }

    private static Spillway.Planner.Plans.Plan Plan(
        string variant, string steps, params (string From, string To)[] changes)
    {
        var plan = SmallPlan.Read([s_steps, Two(variant, steps), .. changes]);
        return plan.With([plan.Candidates.Single(c => c.Name == "two")]);
    }

    private static (string From, string To) Two(string variant, string steps) =>
        ("  - name: two\n    variant: good\n    sites: { here: { machine: small, replicas: 2 } }",
            $"  - name: two\n    variant: {variant}\n    sites: {{ here: {{ steps: {{ {steps} }} }} }}");
}
