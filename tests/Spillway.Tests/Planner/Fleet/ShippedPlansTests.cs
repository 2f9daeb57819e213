using Spillway.Planner.Answers;
using Spillway.Planner.Outcomes;
using Spillway.Planner.Plans;
using Spillway.Tests.Runtimes.Onnx;

namespace Spillway.Tests.Planner.Fleet;

/// <summary>The shipped plans: they have no mistakes, and say what their documentation says.</summary>
public sealed class ShippedPlansTests
{
    [Theory]
    [InlineData("line-ocr.yaml")]
    [InlineData("chatbot.yaml")]
    [InlineData("documents.yaml")]
    [InlineData("gateway.yaml")]
    public void A_shipped_plan_has_no_mistakes(string name) => Assert.NotNull(Read(name));

    [Fact]
    public void A_language_model_spends_its_time_in_prefill_and_decode_and_the_tokens_are_paid()
    {
        var plan = Short("chatbot.yaml");
        var outcome = Evaluation.Run(plan, plan.Candidates.Single(c => c.Name == "three regions, L40S"))!;
        Assert.True(outcome.Stages[(int)PlanStage.Decode].MeanMs > outcome.Stages[(int)PlanStage.Prefill].MeanMs);
        Assert.Equal(0, outcome.Stages[(int)PlanStage.Execute].MeanMs);
        Assert.True(outcome.FirstToken!.Value.P50Ms < outcome.Total.P50Ms);
        // A 7B model in 16 bits reads 13.5 GB a step: 864 GB/s at three quarters give at best 20 ms.
        Assert.InRange(outcome.PerToken!.Value.P50Ms, 20, 80);
        Assert.NotNull(outcome.CostPerMillionTokens);
    }

    [Fact]
    public void What_would_help_a_language_model_is_told_by_what_one_request_alone_takes()
    {
        var plan = Short("chatbot.yaml");
        var outcome = Evaluation.Run(plan, plan.Candidates.Single(c => c.Name == "as today, two H100 in one region"))!;
        // The whole answer takes seconds alone, its first token does not: its floor is not that of the answer.
        Assert.DoesNotContain("no number of replicas", Help(GoalOf("first token p95", 500)), StringComparison.Ordinal);
        Assert.Contains("no number of replicas", Help(GoalOf("first token p95", 10)), StringComparison.Ordinal);
        Assert.Contains("no number of replicas", Help(GoalOf("per token p95", 1)), StringComparison.Ordinal);
        Assert.Contains("fewer requests in a step", Help(GoalOf("per token p95", 15)), StringComparison.Ordinal);

        GoalVerdict GoalOf(string goal, double wanted) => new(goal, wanted, 10_000, "ms", Kept: false);

        string Help(GoalVerdict goal) => string.Join(' ', PlanReport.Of(plan, [outcome with { Goals = [goal] }],
            notRun: 0).Candidates[0].WouldHelp);
    }

    [Fact]
    public void Sixteen_bits_do_not_fit_into_a_function_and_that_is_said()
    {
        var plan = Short("chatbot.yaml");
        var outcome = Evaluation.Run(plan, plan.Candidates.Single(c => c.Name == "serverless"))!;
        Assert.Contains("10.24 GB", Assert.Single(outcome.Infeasible), StringComparison.Ordinal);
    }

    private static Plan Short(string name)
    {
        var plan = Read(name)!;
        return plan with { Options = plan.Options with { DurationSeconds = 60, WarmUpSeconds = 10 } };
    }

    private static Plan? Read(string name)
    {
        var folder = Repository.At("samples", "plans");
        var result = PlanReader.Read(name, File.ReadAllText(Path.Combine(folder, name)),
            file => new(File.ReadAllText(Path.Combine(folder, file))));
        Assert.Empty(result.Errors);
        return result.Plan;
    }
}
