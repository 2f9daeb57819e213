namespace Spillway.Telemetry;

/// <summary>What is counted for the rollouts of one route. Thread-safe.</summary>
internal sealed class RolloutInstruments
{
    private readonly Lock _lock = new();
    private double _logRatios;
    private long _ratios;

    /// <summary>Requests that the champion ended while a rollout was under way.</summary>
    public Counter Champion { get; } = new();

    /// <summary>Those of them that failed.</summary>
    public Counter ChampionFailed { get; } = new();

    /// <summary>Requests that the challenger ended.</summary>
    public Counter Challenger { get; } = new();

    /// <summary>Those of them that failed.</summary>
    public Counter ChallengerFailed { get; } = new();

    /// <summary>Copies that were not made.</summary>
    public Counter Dropped { get; } = new();

    /// <summary>
    /// How long a copy took in the challenger, as a multiple of the same request in the champion: the geometric mean;
    /// null before the first.
    /// </summary>
    public double? LatencyRatio
    {
        get
        {
            lock (_lock)
                return _ratios == 0 ? null : Math.Exp(_logRatios / _ratios);
        }
    }

    /// <summary>A request ended.</summary>
    public void Ended(bool isChallenger, bool succeeded)
    {
        (isChallenger ? Challenger : Champion).Add();
        if (!succeeded)
            (isChallenger ? ChallengerFailed : ChampionFailed).Add();
    }

    /// <summary>A copy was answered.</summary>
    /// <param name="champion">How long the request took.</param>
    /// <param name="copy">How long its copy took.</param>
    public void Compared(TimeSpan champion, TimeSpan copy)
    {
        var ratio = Math.Log(Math.Max(copy.Ticks, 1)) - Math.Log(Math.Max(champion.Ticks, 1));
        lock (_lock)
            (_logRatios, _ratios) = (_logRatios + ratio, _ratios + 1);
    }

    /// <summary>The series of a route.</summary>
    /// <param name="route">Its name.</param>
    /// <param name="share">The challenger's share, of 1.</param>
    /// <param name="agreement">The share of copies that agreed; NaN before the first.</param>
    /// <param name="phases">Every phase by its word, with whether it is the present one.</param>
    public IEnumerable<Series> Of(
        string route, Func<double> share, Func<double> agreement,
        IEnumerable<(string Word, Func<bool> IsNow)> phases) =>
    [
        new(Instruments.RolloutRequests, Champion, [route, "champion"]),
        new(Instruments.RolloutRequests, Challenger, [route, "challenger"]),
        new(Instruments.RolloutFailures, ChampionFailed, [route, "champion"]),
        new(Instruments.RolloutFailures, ChallengerFailed, [route, "challenger"]),
        new(Instruments.RolloutShare, new Gauge(share), [route]),
        new(Instruments.RolloutAgreement, new Gauge(agreement), [route]),
        new(Instruments.RolloutShadowLatency, new Gauge(() => LatencyRatio ?? double.NaN), [route]),
        new(Instruments.RolloutShadowDropped, Dropped, [route]),
        .. phases.Select(p => new Series(
            Instruments.RolloutState, new Gauge(() => p.IsNow() ? 1 : 0), [route, p.Word])),
    ];
}
