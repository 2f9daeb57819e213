using System.Globalization;
using Spillway.Policies.Drills;

namespace Spillway.App.Cli.Drills;

/// <summary>What counts of a server moved while a drill ran.</summary>
/// <param name="Calls">Calls to upstreams' targets.</param>
/// <param name="Retries">Those that were second attempts.</param>
/// <param name="Unkept">Entries of ledger and audit log that were lost.</param>
/// <param name="Waiting">Entries that still wait to be written at the end.</param>
internal readonly record struct DrillCounts(long Calls, long Retries, long Unkept, long Waiting);

/// <summary>Holds what a drill showed against what is promised. Pure.</summary>
internal static class DrillJudge
{
    /// <summary>Of the requests, while something is broken.</summary>
    public const double AnsweredMin = 0.95;

    /// <summary>How long everything may take to be as before.</summary>
    public const double RecoveryMaxMs = 2000;

    /// <summary>Second attempts, as a part of the first ones.</summary>
    public const double RetriesMax = 0.2;

    /// <summary>The promises that concern a drill, each with what was seen.</summary>
    public static IReadOnlyList<DrillPromise> Judge(
        DrillKind kind, IReadOnlyList<DrillStretch> stretches, double? recoveryMs, DrillCounts counts)
    {
        List<DrillPromise> promises = [kind is DrillKind.Disk ? AsDeclared(stretches) : Answered(stretches)];
        // Of a drill that was interrupted nobody saw it.
        if (stretches[^1].Sent > 0)
            promises.Add(Recovered(recoveryMs));
        promises.Add(NothingLost(stretches));
        switch (kind)
        {
            case DrillKind.TargetDead or DrillKind.TargetSlow or DrillKind.TargetThrottled:
                promises.Add(Retries(counts));
                break;
            case DrillKind.Disk:
                promises.Add(new(
                    "everything was written afterwards", counts is { Unkept: 0, Waiting: 0 },
                    $"{counts.Unkept} entries lost, {counts.Waiting} still wait"));
                break;
            case DrillKind.Cache:
                promises.Add(Refilled(stretches));
                break;
            case DrillKind.Steps or DrillKind.Replica or DrillKind.Spike:
                break;
        }

        return promises;
    }

    /// <summary>The word over all.</summary>
    public static string Verdict(IReadOnlyList<DrillPromise> promises, bool interrupted) =>
        interrupted ? "interrupted" : promises.All(p => p.Held) ? "held" : "broken";

    private static DrillPromise Answered(IReadOnlyList<DrillStretch> stretches)
    {
        var worst = stretches.Where(s => s.IsBroken).MinBy(s => s.Answered);
        var share = worst?.Answered ?? 1;
        return new(
            "requests are answered, full or degraded", share >= AnsweredMin,
            Text($"{100 * share:0.#} % while {worst?.What}; {100 * AnsweredMin:0} % are promised"));
    }

    /// <summary>A server may be told to answer nothing that it cannot write down (onFailure: refuse).</summary>
    private static DrillPromise AsDeclared(IReadOnlyList<DrillStretch> stretches)
    {
        var broken = stretches.Where(s => s.IsBroken).ToList();
        var sent = Math.Max(1, broken.Sum(s => s.Sent));
        var answered = broken.Sum(s => s.Full + s.Degraded) / (double)sent;
        var refused = broken.Sum(s => s.By.GetValueOrDefault("store_failed")) / (double)sent;
        return new(
            "requests are answered, or refused where onFailure: refuse is declared", answered + refused >= AnsweredMin,
            Text($"{100 * answered:0.#} % answered, {100 * refused:0.#} % refused with store_failed"));
    }

    private static DrillPromise Recovered(double? ms) => new(
        "everything is as before within 2 s of the mending", ms <= RecoveryMaxMs,
        ms is { } took ? Text($"after {took:0} ms") : "not while it was watched");

    private static DrillPromise NothingLost(IReadOnlyList<DrillStretch> stretches)
    {
        var lost = stretches.Sum(s => s.Lost);
        return new("no request is left without an answer or a refusal", lost == 0,
            Text($"{lost} of {stretches.Sum(s => s.Sent)} were"));
    }

    private static DrillPromise Retries(DrillCounts counts)
    {
        var first = Math.Max(1, counts.Calls - counts.Retries);
        var share = counts.Retries / (double)first;
        return new("second attempts add at most 20 % to the traffic", share <= RetriesMax,
            Text($"{counts.Retries} to {first} first ones, {100 * share:0.#} %"));
    }

    private static DrillPromise Refilled(IReadOnlyList<DrillStretch> stretches)
    {
        var (before, after) = (Share(stretches[0]), Share(stretches[^1]));
        return new("the cache fills again by itself", after >= 0.9 * before,
            Text($"{100 * before:0.#} % were remembered answers before, {100 * after:0.#} % after"));

        static double Share(DrillStretch stretch) => stretch.Sent == 0 ? 0 : stretch.Hits / (double)stretch.Sent;
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
