using System.Runtime.CompilerServices;
using Spillway.Policies.Batching;

namespace Spillway.App.Profile;

/// <summary>Figures to sentences: what to set, and the numbers behind it. Pure.</summary>
internal static class ProfileAdvice
{
    /// <summary>A gain below this is noise on a shared machine.</summary>
    private const double Worth = 1.1;

    /// <summary>Every piece of advice that the figures carry.</summary>
    public static IReadOnlyList<string> Of(ProfileReport report) =>
    [
        Threads(report), Batch(report.Curves[0]), Replicas(report), Provider(report), .. Memory(report),
        .. Load(report.Load), .. Hot(report),
    ];

    private static string Threads(ProfileReport report)
    {
        var one = report.Curves[0];
        var fast = report.Curves.MinBy(static c => c.Points[0].Ms)!;
        if (fast == one || one.Points[0].Ms / fast.Points[0].Ms < Worth)
            return "Threads: keep onnx.intraOpThreads at 1; no other number makes a single row faster by a tenth.";
        var (quicker, dearer) = (one.Points[0].Ms / fast.Points[0].Ms, fast.Points[0].CpuMs / one.Points[0].CpuMs);
        return dearer <= Worth
            ? Text($"Threads: onnx.intraOpThreads {fast.Threads}: a single row takes {fast.Points[0].Ms:0.###} ms "
                + $"in place of {one.Points[0].Ms:0.###} ({quicker:0.0}x faster) at {dearer:0.0}x the CPU.")
            : Text($"Threads: 1 for throughput. {fast.Threads} make a single row {quicker:0.0}x faster "
                + $"({fast.Points[0].Ms:0.###} ms in place of {one.Points[0].Ms:0.###}) but take {dearer:0.0}x "
                + $"the CPU: only where the machine idles and latency is all that counts.");
    }

    private static string Batch(ThreadCurve curve)
    {
        var useful = BatchCurve.UsefulRows(
            [.. curve.Points.Select(static p => new BatchPoint(p.Rows, TimeSpan.FromMilliseconds(p.Ms)))],
                new BatchingOptions().GainMin);
        var (first, last) = (curve.Points[0], curve.Points.Last(p => p.Rows <= useful));
        return useful <= 1
            ? Text($"Batch: batching.batchRowsMax 1 or leave it: rows together gain nothing "
                + $"({first.Ms:0.###} ms one row, {curve.Best.Ms / curve.Best.Rows:0.###} ms a row at best, "
                + $"with {curve.Best.Rows}). The server finds that out by itself.")
            : Text($"Batch: up to {last.Rows} rows pay: {last.Ms / last.Rows:0.###} ms a row in place of "
                + $"{first.Ms:0.###} ({first.Ms * last.Rows / last.Ms:0.0}x the throughput); "
                + $"a row then waits for a run of {last.Ms:0.###} ms.");
    }

    private static string Replicas(ProfileReport report)
    {
        if (report.SideBySide is not [var one, .., var most])
            return "Replicas: one; this machine has a single core.";
        var gain = most.RowsPerSecond / one.RowsPerSecond;
        return gain >= Worth
            ? Text($"Replicas: {most.Callers} runs side by side answer {most.RowsPerSecond:0.#} rows a second, "
                + $"one alone {one.RowsPerSecond:0.#} ({gain:0.0}x). They share one session, so they cost no weights.")
            : Text($"Replicas: one. {most.Callers} side by side answer {most.RowsPerSecond:0.#} rows a second, "
                + $"one alone {one.RowsPerSecond:0.#}: memory or cache is the limit, not cores.");
    }

    private static string Provider(ProfileReport report) => report.Providers.Count <= 1
        ? "Provider: cpu, the only one that this ONNX Runtime library was built with."
        : $"Provider: the library also has {string.Join(", ", report.Providers.Skip(1))}; "
            + "profile with onnx.provider set to compare.";

    private static IEnumerable<string> Memory(ProfileReport report)
    {
        if (report.PeakBytes is { } peak)
        {
            yield return Text($"Memory: plan {peak / 1e6:0} MB for this model with its largest measured batch of "
                + $"{report.Curves[0].Points[^1].Rows} row(s); a lower batching.batchRowsMax takes less.");
        }
    }

    private static IEnumerable<string> Load(LoadTimes load)
    {
        if (load is { CachedMs: { } cached, CachedBytes: { } held, PlainBytes: { } plain })
        {
            yield return Text($"Load: {cached:0.#} ms and {held / 1e6:0.#} MB with the cache of optimized models, "
                + $"{load.PlainMs:0.#} ms and {plain / 1e6:0.#} MB without.");
        }
        else if (load.CachedMs is null)
        {
            yield return Text($"Load: {load.PlainMs:0.#} ms; the cache of optimized models is off, "
                + $"which costs that at every start.");
        }
    }

    private static IEnumerable<string> Hot(ProfileReport report)
    {
        if (report.Operators is [var first, ..])
        {
            var others = string.Join(
                ", ", report.Operators.Skip(1).Take(2).Select(o => Text($"{o.Name} {o.Share:0%}")));
            yield return Text($"Operators: {first.Name} takes {first.Share:0%} of the time in {first.Nodes} node(s)")
                + (others.Length > 0 ? $", then {others}." : ".");
        }
    }

    /// <summary>The executable runs in the invariant culture, so its handler needs no provider.</summary>
    private static string Text(ref DefaultInterpolatedStringHandler text) => text.ToStringAndClear();
}
