using Spillway.Flow;
using Spillway.Planner.Plans;

namespace Spillway.Planner.Fleet;

/// <summary>What a site with machines is made of.</summary>
/// <param name="Variant">What it serves.</param>
/// <param name="PerReplica">Requests of mean size a second that a busy replica answers.</param>
/// <param name="Make">Makes a replica of a number.</param>
internal sealed record MachineParts(
    VariantOptions Variant, double PerReplica, Func<int, MachineSite, Server> Make)
{
    /// <summary>Of a candidate, or of one step of a pipeline.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="home">The simulation.</param>
    /// <param name="part">The candidate, or what stands for the step.</param>
    /// <param name="site">The site's name, for its draws.</param>
    /// <param name="machine">The machine.</param>
    public static MachineParts Of(Plan plan, Simulation home, CandidateOptions part, string site, string machine)
    {
        var variant = plan.Options.Variants[part.Variant];
        return new(variant, Capacity.PerReplica(plan, part, machine), variant.Language is { } language
            ? Language(plan, home, variant, language, machine) : Batches(plan, home, part, site, machine));
    }

    private static Func<int, MachineSite, Server> Language(
        Plan plan, Simulation home, VariantOptions variant, LanguageVariantOptions language, string machine)
    {
        var roofline = LanguageFleet.RooflineOf(plan, language, plan.Machines[machine]);
        var memory = LanguageFleet.Memory(plan, language, plan.Machines[machine]).Value;
        var limits = (variant.Batching.QueueLengthMax, Capacity.PatienceOf(variant));
        var each = LanguageFleet.EachToken(plan, language, machine);
        return (number, sink) => new LanguageServer(roofline, language.Serving, memory, limits, each, home, sink)
        {
            Number = number, Ordered = home.Calendar.Now,
        };
    }

    private static Func<int, MachineSite, Server> Batches(
        Plan plan, Simulation home, CandidateOptions part, string site, string machine)
    {
        var variant = plan.Options.Variants[part.Variant];
        var curve = Capacity.CurveOf(variant, machine);
        var batching = Capacity.BatchingOf(variant, part);
        var runners = Capacity.RunnersOf(plan, part, machine);
        var perSize = 1 / (Capacity.PerReplica(plan, part, machine) * Capacity.MeanSize(plan));
        return (number, sink) =>
        {
            var seed = new Chance(home.Seed, $"{site} replica {number}");
            var flow = new DeploymentFlow(batching, variant.Deadline, curve, BatchServer.ElementsPerRow, runners);
            return new BatchServer(flow, new SpreadTimes(curve, variant.SpreadOfRuns, seed), perSize, home, sink)
            {
                Number = number, Ordered = home.Calendar.Now,
            };
        };
    }
}
