using System.Runtime.CompilerServices;
using Spillway.Planner.Answers;
using Spillway.Planner.Fleet;
using Spillway.Planner.Outcomes;

namespace Spillway.App.Cli.Planning;

/// <summary>What a drill cost each candidate, against the same day without it.</summary>
internal static class DrillView
{
    public static void Write(TextWriter output, Drill drill, IReadOnlyList<CandidateOutcome> calm,
        IReadOnlyList<CandidateOutcome> drilled, string currency)
    {
        output.WriteLine($"{drill.Name}: {drill.What}. Against the same day without it:");
        foreach (var after in drilled.Where(o => o.Infeasible.Count == 0))
        {
            if (calm.FirstOrDefault(o => o.Candidate.Name == after.Candidate.Name) is { } before)
                output.WriteLine($"  {after.Candidate.Name}: {Difference(before, after, currency)}");
        }

        output.WriteLine();
    }

    private static string Difference(CandidateOutcome before, CandidateOutcome after, string currency)
    {
        var lost = after.Offered - after.Answered - (before.Offered - before.Answered);
        var bill = (after.Bill - before.Bill).Nano / 1e9;
        var money = Math.Abs(bill) < 0.000_001 ? "the same bill" : bill > 0
            ? $"{Figures.Money(bill)} {currency} more" : $"{Figures.Money(-bill)} {currency} less";
        return Say($"promise broken in {after.BrokenSeconds - before.BrokenSeconds:+#,##0;-#,##0;0} s, ")
            + Say($"{lost:+#,##0;-#,##0;0} of {after.Offered:#,##0} requests lost or refused, {money}; ")
            + $"p95 {Figures.Ms(before.Total.P95Ms)} to {Figures.Ms(after.Total.P95Ms)}";
    }

    /// <summary>The process has no culture but the invariant one.</summary>
    private static string Say(ref DefaultInterpolatedStringHandler text) => text.ToStringAndClear();
}
