using Spillway.Planner.Outcomes;

namespace Spillway.Planner.Answers;

/// <summary>The Pareto frontier of cost, latency, throughput and quality.</summary>
public static class Frontier
{
    /// <summary>Times and costs within half a percent are the same: percentiles are read no better.</summary>
    internal const double Same = 1.005;

    /// <summary>The candidates that no other one beats or equals in all four and beats in one.</summary>
    /// <remarks>
    /// Unknown quality ranks below every known one; of two unknown ones neither is better. A candidate that refuses
    /// more
    /// than the goals allow is not compared: its latency is that of the few it answers.
    /// </remarks>
    public static IReadOnlyList<CandidateOutcome> Of(IReadOnlyList<CandidateOutcome> outcomes)
    {
        var compared = outcomes.Where(o => o.Infeasible.Count == 0 && o.Answered > 0 && RefusesFew(o)).ToList();
        return [.. compared.Where(o => !compared.Any(other => Beats(other, o)))];
    }

    /// <summary>The rank of a quality: unknown is the least.</summary>
    public static double Rank(double? quality) => quality ?? double.NegativeInfinity;

    private static bool RefusesFew(CandidateOutcome o) =>
        o.Goals.All(g => g.Goal != "refused" || g.Kept) && o.RefusedShare <= 0.5;

    private static bool Beats(CandidateOutcome a, CandidateOutcome b)
    {
        var (capacityA, capacityB) = (a.Capacity ?? double.PositiveInfinity, b.Capacity ?? double.PositiveInfinity);
        var (qualityA, qualityB) = (Rank(a.Quality), Rank(b.Quality));
        var noWorse = a.CostPerHour <= b.CostPerHour * Same && a.Total.P95Ms <= b.Total.P95Ms * Same
            && capacityA >= capacityB && qualityA >= qualityB;
        return noWorse && (a.CostPerHour * Same < b.CostPerHour || a.Total.P95Ms * Same < b.Total.P95Ms
            || capacityA > capacityB || qualityA > qualityB);
    }
}
