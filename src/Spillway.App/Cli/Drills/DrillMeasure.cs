namespace Spillway.App.Cli.Drills;

/// <summary>Figures of a drill's traffic. Pure; the same for a live server and for a simulated one.</summary>
internal static class DrillMeasure
{
    /// <summary>What is looked at together, to say that all is as before: one request alone proves nothing.</summary>
    public const double WindowMs = 1000;

    private const double AsBefore = 0.95;
    private const double NoiseMs = 15;

    /// <summary>The figures of one part.</summary>
    public static DrillStretch Stretch(
        string name, string what, double fromMs, double toMs, IReadOnlyList<DrillSample> samples)
    {
        DrillSample[] mine = [.. samples.Where(s => s.AtMs >= fromMs && s.AtMs < toMs)];
        double[] times = [.. mine.Where(IsAnswer).Select(s => s.TookMs).Order()];
        return new()
        {
            Name = name, What = what, FromMs = Math.Round(fromMs, 1), ToMs = Math.Round(toMs, 1), Sent = mine.Length,
            Full = Count(DrillOutcome.Full), Degraded = Count(DrillOutcome.Degraded),
            Refused = Count(DrillOutcome.Refused), Lost = Count(DrillOutcome.Lost), Hits = mine.Count(s => s.IsHit),
            By = mine.Where(s => s.By.Length > 0).GroupBy(s => s.By).OrderByDescending(g => g.Count())
                .ThenBy(g => g.Key, StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.Count()),
            P50Ms = At(times, 0.5), P95Ms = At(times, 0.95), P99Ms = At(times, 0.99),
        };

        int Count(DrillOutcome outcome) => mine.Count(s => s.Outcome == outcome);
    }

    /// <summary>From the breaking to the end of the first request that noticed it; null when none did.</summary>
    /// <param name="samples">All, in the order in which they were due.</param>
    /// <param name="brokenMs">When something broke.</param>
    /// <param name="mendedMs">When it was whole again.</param>
    /// <param name="before">How it was before.</param>
    public static double? Effect(
        IReadOnlyList<DrillSample> samples, double brokenMs, double mendedMs, DrillStretch before) => samples
        .Where(s => s.AtMs >= brokenMs && s.AtMs < mendedMs && Notices(s, before))
        .Select(s => (double?)Math.Round(s.AtMs + s.TookMs - brokenMs, 1)).Min();

    /// <summary>Whether a request noticed that something is broken: by what it got, or by its time.</summary>
    public static bool Notices(in DrillSample sample, DrillStretch before) => sample.Outcome is not DrillOutcome.Full
        || sample.TookMs > (2 * (before.P99Ms ?? 0)) + NoiseMs || (before.Hits == before.Sent && !sample.IsHit);

    /// <summary>
    /// From the mending until everything is as before: the first request from which on a whole second has as many full
    /// answers as before, within a twentieth, and as quick ones. Null when there is no such second.
    /// </summary>
    public static double? Recovery(
        IReadOnlyList<DrillSample> samples, double mendedMs, double endMs, DrillStretch before)
    {
        var full = before.Sent == 0 ? 1 : before.Full / (double)before.Sent;
        foreach (var first in samples.Where(s => s.AtMs >= mendedMs && s.AtMs <= endMs - WindowMs))
        {
            if (first.Outcome is not DrillOutcome.Full)
                continue;
            var window = Stretch("", "", first.AtMs, first.AtMs + WindowMs, samples);
            if (window.Full >= AsBefore * full * window.Sent
                && (window.P50Ms ?? 0) <= (2 * (before.P50Ms ?? 0)) + NoiseMs)
                return Math.Round(first.AtMs - mendedMs, 1);
        }

        return null;
    }

    private static bool IsAnswer(DrillSample sample) => sample.Outcome is DrillOutcome.Full or DrillOutcome.Degraded;

    /// <summary>The nearest rank.</summary>
    private static double? At(double[] sorted, double share) => sorted.Length == 0 ? null
        : Math.Round(sorted[Math.Clamp((int)Math.Ceiling(share * sorted.Length) - 1, 0, sorted.Length - 1)], 2);
}
