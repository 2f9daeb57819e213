using System.Globalization;

namespace Spillway.App.Load.Search;

/// <summary>What a rate must keep: at least a share of all that were due answered ok within a time.</summary>
/// <param name="Name">As the report calls it: "p99 ≤ 50 ms".</param>
/// <param name="Share">0.99 for a 99th percentile.</param>
/// <param name="LimitNs">From the scheduled send.</param>
internal sealed record Bound(string Name, double Share, long LimitNs)
{
    private const double SecondsMax = 3600;

    /// <summary>
    /// <c>--p50</c> … <c>--p99.9</c> and <c>--goodput</c>. A request that is refused, fails or stays unanswered is over
    /// every bound, so that a server cannot buy its percentile with refusals.
    /// </summary>
    public static IReadOnlyList<Bound> Parse(SearchOptions options, double? deadlineMs)
    {
        List<Bound> bounds = [];
        foreach (var (name, share, text) in options.Percentiles())
        {
            if (text is null)
                continue;
            var seconds = Quantity.Seconds($"--{name}", text);
            if (seconds > SecondsMax)
                throw LoadException.Usage($"--{name} '{text}' is longer than an hour. Write 50ms or 2s.");
            bounds.Add(new($"{name} ≤ {Shown(seconds * 1000)} ms", share, (long)(seconds * LoadClock.PerSecond)));
        }

        if (options.Goodput is { } goodput)
            bounds.Add(Goodput(Quantity.Share("--goodput", goodput), deadlineMs));
        return bounds.Count > 0 ? bounds
            : throw LoadException.Usage("--find-max needs a bound: --p50, --p90, --p95, --p99 or --p99.9 with a time "
                + "(--p99 50ms), or --goodput with a share (--goodput 99%).");
    }

    private static Bound Goodput(double share, double? deadlineMs)
    {
        if (share is <= 0 or >= 1)
            throw LoadException.Usage($"--goodput {share:0.##%} cannot be shown by counting: write a share between 0 % "
                + "and 100 %, such as 99%.");
        return deadlineMs is { } ms
            ? new($"goodput ≥ {share:0.###%} within {Shown(ms)} ms", share, (long)(ms * LoadClock.PerMillisecond))
            : throw LoadException.Usage("--goodput needs a deadline, and the model names none. Add --deadline MS.");
    }

    private static string Shown(double ms) => ms.ToString("0.###", CultureInfo.InvariantCulture);
}
