using Spillway.Planner.Answers;
using Spillway.Planner.Fleet;
using Spillway.Planner.Outcomes;
using Spillway.Planner.Plans;
using Spillway.Policies.Scaling;
using Spillway.Tests.Planner.Plans;
using Spillway.Tests.Runtimes.Onnx;

namespace Spillway.Tests.Planner.Fleet;

/// <summary>
/// The use of a candidate is work done as a part of the work that its replicas could do. So it is what closed formulas
/// say, where the curve of cost has it, and what right-sizing may go by; a replica with one running request is busy.
/// </summary>
public sealed class UseTests
{
    private const string One = "sites: { here: { machine: small, replicas: 1 } }";
    private const string Four = "one region, four H100";

    [Theory]
    [InlineData(40)]
    [InlineData(250)]
    public void A_replica_with_small_batches_is_busier_than_it_is_used(int rate)
    {
        var o = Run(("ratePerSecond: 40", $"ratePerSecond: {rate}"), (One,
            "sites: { here: { machine: large, replicas: 1 } }"));
        // Eight rows in 16 ms are 500 a second, one alone in 10 ms; a little work falls outside of the simulated time.
        Assert.Equal(500, o.Capacity!.Value, 6);
        Assert.Equal(rate / 500.0, o.Utilisation!.Value, 0.06 * rate / 500);
        Assert.Equal(o.CapacityUse!.Value, o.Utilisation.Value, 0.06 * rate / 500);
    }

    [Theory]
    [InlineData("large", 1, 0)]
    [InlineData("small", 2, 0)]
    [InlineData("small", 2, 100)]
    public void What_an_answer_cost_lies_on_the_curve_of_cost_at_the_use(string machine, int replicas, int remembered)
    {
        var o = Run((One, $"sites: {{ here: {{ machine: {machine}, replicas: {replicas} }} }}\n    cacheEntries: "
            + $"{remembered}"), ("ratePerSecond: 40,", "ratePerSecond: 40, repeats: { distinct: 300, zipf: 1 },"));
        Assert.Equal(remembered > 0, o.FromCache > 1000);
        // What falls with the use, and what does not.
        var (half, full) = (At(o, 0.5), At(o, 1));
        var (falls, stays) = (half - full, (2 * full) - half);
        Assert.Equal(stays + (falls / o.Utilisation!.Value), o.CostPer1000!.Value, 0.06 * o.CostPer1000.Value);
    }

    [Fact]
    public void A_language_model_is_used_as_much_as_closed_formulas_say()
    {
        var (plan, o) = Language(Four);
        var quick = QuickAnswer.Of(plan, o.Candidate, o).Sites.Single();
        Assert.InRange(quick.Utilisation!.Value, 0.4, 0.8);
        Assert.Equal(quick.Utilisation.Value, o.Utilisation!.Value, 0.04);
        Assert.Equal(o.CapacityUse!.Value, o.Utilisation.Value, 0.04);
    }

    [Fact]
    public void A_language_model_that_gets_more_than_it_can_answer_is_used_to_the_full() =>
        Assert.InRange(Language("as today, two H100 in one region").Outcome.Utilisation!.Value, 0.9, 1);

    [Fact]
    public void A_language_model_is_scaled_by_its_use_and_not_because_somebody_is_always_there()
    {
        var (plan, o) = Language(Four, place => place with
        {
            Scaling = new() { Policy = ScalingCatalogue.Utilisation, ReplicasMin = 1, ReplicasMax = 12 },
        });
        Assert.InRange(o.ReplicasMost, 3, 6);
        Assert.InRange(o.RefusedShare, 0, 0.01);
        Assert.NotNull(plan);
    }

    [Fact]
    public void Tokens_of_mean_requests_come_to_the_capacity()
    {
        var plan = Read();
        var language = plan.Options.Variants["chat-7b"].Language!;
        foreach (var machine in new[] { "p5.4xlarge", "g6.xlarge" })
        {
            var each = LanguageFleet.EachToken(plan, language, machine);
            Assert.True(each.Prompt > 0 && each.Answer > each.Prompt, $"{each}");
            var (read, written) = (
                Spillway.Planner.Workloads.Demand.Weighted(plan, (w, _) => w.TokensIn!.Mean),
                Spillway.Planner.Workloads.Demand.Weighted(plan, (w, _) => w.TokensOut!.Mean));
            Assert.Equal(1, ((read * each.Prompt) + ((written - 1) * each.Answer))
                * Capacity.PerReplica(plan, plan.Candidates[0], machine), 9);
        }
    }

    private static double At(CandidateOutcome o, double use) => o.CostCurve.Single(p => p.Utilisation == use).Per1000;

    private static CandidateOutcome Run(params (string From, string To)[] changes)
    {
        var plan = SmallPlan.Read(changes);
        return Evaluation.Run(plan, plan.Candidates[0])!;
    }

    private static (Plan Plan, CandidateOutcome Outcome) Language(
        string candidate, Func<PlacementOptions, PlacementOptions>? change = null)
    {
        var plan = Read();
        var found = plan.Candidates.Single(c => c.Name == candidate);
        if (change is not null)
            found = found with { Sites = found.Sites.ToDictionary(s => s.Key, s => change(s.Value)) };
        return (plan, Evaluation.Run(plan, found)!);
    }

    private static Plan Read()
    {
        var folder = Repository.At("samples", "plans");
        var plan = PlanReader.Read("chatbot.yaml", File.ReadAllText(Path.Combine(folder, "chatbot.yaml")),
            file => new(File.ReadAllText(Path.Combine(folder, file)))).Plan!;
        return plan with { Options = plan.Options with { DurationSeconds = 240, WarmUpSeconds = 30 } };
    }
}
