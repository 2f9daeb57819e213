using Spillway.Planner.Plans;
using Spillway.Planner.Workloads;
using Spillway.Policies.Batching;

namespace Spillway.Planner.Fleet;

/// <summary>What follows from a variant's curve on a machine, by the rules of the server.</summary>
internal static class Capacity
{
    /// <summary>The curve of a variant on a machine.</summary>
    public static IReadOnlyList<BatchPoint> CurveOf(VariantOptions variant, string machine) =>
        [.. variant.Curves[machine].Select(p => new BatchPoint(p.Rows, TimeSpan.FromMilliseconds(p.Ms)))];

    /// <summary>How a candidate's replicas batch.</summary>
    public static BatchingOptions BatchingOf(VariantOptions variant, CandidateOptions candidate) =>
        candidate.BatchRowsMax is { } rows ? variant.Batching with { BatchRowsMax = rows } : variant.Batching;

    /// <summary>The largest useful batch.</summary>
    public static int UsefulOf(VariantOptions variant, CandidateOptions candidate, string machine)
    {
        var batching = BatchingOf(variant, candidate);
        return Math.Min(BatchCurve.UsefulRows(CurveOf(variant, machine), batching.GainMin), batching.BatchRowsMax);
    }

    /// <summary>Runs side by side of a replica.</summary>
    public static int RunnersOf(Plan plan, CandidateOptions candidate, string machine)
    {
        var variant = plan.Options.Variants[candidate.Variant];
        return BatchCurve.RunnersPerDevice(BatchingOf(variant, candidate).Runners,
            UsefulOf(variant, candidate, machine),
            plan.Machines[machine].Parallelism);
    }

    /// <summary>Requests of mean size a second that a busy replica answers.</summary>
    public static double PerReplica(Plan plan, CandidateOptions candidate, string machine)
    {
        var variant = plan.Options.Variants[candidate.Variant];
        if (variant.Language is { } language)
            return LanguageFleet.PerReplica(plan, language, machine);
        var rows = UsefulOf(variant, candidate, machine);
        var seconds = BatchPoint.TicksAt(CurveOf(variant, machine), rows) / TimeSpan.TicksPerSecond * MeanSize(plan);
        return RunnersOf(plan, candidate, machine) * rows / seconds;
    }

    /// <summary>How long a caller waits that does not say: the fixed default, else the most that one may ask
    /// for.</summary>
    public static TimeSpan PatienceOf(VariantOptions variant) => TimeSpan.FromMilliseconds(
        variant.Deadline.FixedMs > 0 ? variant.Deadline.FixedMs : variant.Deadline.MaxMs);

    /// <summary>The largest size that is known: recorded, a bound, or the mean where nothing bounds it.</summary>
    public static double LargestSize(Plan plan) => plan.Options.Workloads.Max(w =>
        plan.Traces.GetValueOrDefault(w.Name)?.Size?.Max() ?? w.Size.Max ?? w.Size.Mean);

    /// <summary>The mean size of requests, all workloads together.</summary>
    public static double MeanSize(Plan plan) => Demand.Weighted(plan, (w, t) => t?.Size?.Average() ?? w.Size.Mean);

    /// <summary>The median size of requests, the mean of the workloads'.</summary>
    public static double MedianSize(Plan plan) => Demand.Weighted(plan, (w, t) => Demand.Median(w.Size, t?.Size));
}
