using System.Runtime.CompilerServices;
using Spillway.Planner.Answers;
using Spillway.Planner.Outcomes;

namespace Spillway.App.Cli.Planning;

/// <summary>The figures of a candidate as cells of a table; empty where there is nothing to say.</summary>
internal static class PlanCells
{
    /// <summary>Whether any candidate counts tokens.</summary>
    public static bool HasTokens(PlanReport report) => report.Candidates.Any(c => c.Outcome.FirstToken is not null);

    /// <summary>The heads of the columns, after the candidate's name.</summary>
    public static IReadOnlyList<string> Heads(PlanReport report) =>
    [
        "p50", "p95", "p99", .. HasTokens(report) ? (string[])["first token p95", "per token p95"] : [], "goodput/s",
        "refused", "use", "replicas", $"{report.Plan.Currency}/month", "per 1,000",
        .. HasTokens(report) ? (string[])["per M tokens"] : [], "quality", "broken",
    ];

    /// <summary>A candidate's cells, one for each head.</summary>
    public static IEnumerable<string> Of(CandidateOutcome o, bool tokens)
    {
        var quality = o.Quality is { } known ? Say($"{known:0.###}") : "unknown";
        var columns = 10 + (tokens ? 3 : 0);
        return o.Infeasible.Count > 0
            ? [.. Enumerable.Repeat("", columns - 2), quality, ""]
            : [.. Times(o), .. tokens ? Tokens(o) : [], .. Use(o), .. Costs(o, tokens), quality,
                Say($"{o.BrokenSeconds:#,##0} s")];
    }

    private static IEnumerable<string> Times(CandidateOutcome o) => o.Answered == 0 ? ["", "", ""]
        : [Figures.Ms(o.Total.P50Ms), Figures.Ms(o.Total.P95Ms), Figures.Ms(o.Total.P99Ms)];

    private static IEnumerable<string> Tokens(CandidateOutcome o) =>
        [o.FirstToken is { } first ? Figures.Ms(first.P95Ms) : "", o.PerToken is { } each ? Figures.Ms(each.P95Ms)
            : ""];

    private static IEnumerable<string> Use(CandidateOutcome o) =>
    [
        Say($"{o.Goodput:0.##}"), Say($"{o.RefusedShare * 100:0.##} %"),
        o.Utilisation is { } use ? Say($"{use * 100:0} %") : "", Say($"{o.ReplicasMean:0.##}"),
    ];

    private static IEnumerable<string> Costs(CandidateOutcome o, bool tokens)
    {
        yield return Figures.Money(o.CostPerMonth);
        yield return o.CostPer1000 is { } each ? Figures.Money(each) : "";
        if (tokens)
            yield return o.CostPerMillionTokens is { } million ? Figures.Money(million) : "";
    }

    /// <summary>The process has no culture but the invariant one.</summary>
    private static string Say(ref DefaultInterpolatedStringHandler text) => text.ToStringAndClear();
}
