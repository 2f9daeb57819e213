namespace Spillway.App.Load;

/// <summary>
/// How long a server takes to be itself again after a flood: from the start of the last phase to the first instant of
/// which the next window, the next five together, and everything from there to the end of the phase, have a p95 within
/// 1.5 times the first phase's. A window is one second, or, at less than 100 requests a second, the time of 100 requests: of fewer, p95
/// would be whichever was the latest. A refused or failed request counts as infinitely late, so a server that refuses
/// one in ten has not recovered. Not every later window must be good: of the hundreds in a phase some are not on a
/// server that never saw a flood, because arrivals come in clusters.
/// </summary>
internal static class Recovery
{
    public const long Failed = long.MaxValue;
    public const double Tolerance = 1.5;

    private const double Quantile = 0.95;
    private const int WindowRequests = 100;

    /// <summary>A server that is good for one window and then falls back has not recovered.</summary>
    private const int WindowsSoon = 5;
    private const long StepNs = LoadClock.PerSecond / 20;

    /// <summary>A request of the last phase.</summary>
    /// <param name="Scheduled">When it was due.</param>
    /// <param name="Latency">Nanoseconds to its 2xx answer, or <see cref="Failed"/>.</param>
    public readonly record struct Sample(long Scheduled, long Latency);

    /// <summary>
    /// Seconds from <paramref name="start"/> to the recovery, in steps of 0.05 s; null when the phase ends before it,
    /// is shorter than a window (has fewer than 100 requests), or the first phase was no better (more than 5 % of it
    /// failed).
    /// </summary>
    public static double? Seconds(IReadOnlyList<Sample> lastPhase, long start, long end, Tally firstPhase)
    {
        if (firstPhase.Ok < Quantile * firstPhase.Offered || firstPhase.Ok == 0)
            return null;
        var window = Math.Max(
            LoadClock.PerSecond, (long)((end - start) * ((double)WindowRequests / Math.Max(lastPhase.Count, 1))));
        var windows = (end - start - window) / StepNs;
        if (windows < 0)
            return null;
        var limit = (long)(firstPhase.OkLatency.Quantile(Quantile) * Tolerance);
        var firstGood = FirstGoodWindow([.. lastPhase.OrderBy(s => s.Scheduled)], start, window, windows, limit);
        return firstGood < 0 ? null : firstGood * StepNs / (double)LoadClock.PerSecond;
    }

    /// <summary>The first good window with nothing but good times behind it; -1 for none.</summary>
    private static long FirstGoodWindow(Sample[] samples, long start, long width, long windows, long limit)
    {
        // Late ones before each sample.
        var late = new int[samples.Length + 1];
        for (var i = 0; i < samples.Length; i++)
            late[i + 1] = late[i] + (samples[i].Latency > limit ? 1 : 0);
        var (from, to, soon) = (0, 0, 0);
        for (var window = 0L; window <= windows; window++)
        {
            // All ends only move forward.
            var begin = start + (window * StepNs);
            from = Upto(from, begin);
            to = Upto(to, begin + width);
            soon = Upto(soon, begin + (WindowsSoon * width));
            if (IsGood(from, to) && IsGood(from, soon) && IsGood(from, samples.Length))
                return window;
        }

        return -1;

        int Upto(int at, long instant)
        {
            while (at < samples.Length && samples[at].Scheduled < instant)
                at++;
            return at;
        }

        bool IsGood(int first, int end) => late[end] - late[first] <= (1 - Quantile) * (end - first);
    }
}
