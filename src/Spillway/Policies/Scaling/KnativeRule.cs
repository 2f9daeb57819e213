using System.Globalization;

namespace Spillway.Policies.Scaling;

/// <summary>What Knative's autoscaler decided.</summary>
/// <param name="Replicas">As many there should be.</param>
/// <param name="ExcessBurst">
/// Room for a burst beyond what is wanted, in requests; below zero a proxy that holds requests stands in front.
/// </param>
/// <param name="Panics">Whether it panics.</param>
/// <param name="Reason">Why.</param>
internal readonly record struct KnativeVerdict(int Replicas, double ExcessBurst, bool Panics, string Reason);

/// <summary>
/// Knative's pod autoscaler without the gathering of figures: requests over the stable and the panic window in,
/// replicas out. Keeps whether it panics and since when.
/// </summary>
/// <remarks>knative/serving, pkg/autoscaler/scaling/autoscaler.go.</remarks>
internal sealed class KnativeRule
{
    private readonly KnativeOptions _options;
    private readonly double _target;
    private readonly TimeSpan _stable;
    private readonly RecentWishes? _delayed;
    private Instant _panicAt = Instant.Never;
    private int _panicMost;

    /// <summary>
    /// Fresh; where there is more than one replica it begins in a panic, because it does not know the past.
    /// </summary>
    /// <param name="options">The windows and rates.</param>
    /// <param name="ready">Ready replicas at present.</param>
    /// <param name="now">The present.</param>
    public KnativeRule(KnativeOptions options, int ready, Instant now)
    {
        _options = options;
        _target = options.Concurrency * options.TargetPercent / 100;
        _stable = TimeSpan.FromMilliseconds(options.StableWindowMs);
        _delayed = options.ScaleDownDelayMs > 0 ? new(TimeSpan.FromMilliseconds(options.ScaleDownDelayMs)) : null;
        if (ready > 1)
            (_panicAt, _panicMost) = (now, ready);
    }

    /// <summary>Decides.</summary>
    /// <param name="readyPods">Ready replicas; 0 or more.</param>
    /// <param name="stable">Requests at once, mean over the stable window.</param>
    /// <param name="panic">Requests at once, mean over the panic window.</param>
    /// <param name="now">The present.</param>
    /// <param name="reachable">False when no route leads here.</param>
    public KnativeVerdict Decide(int readyPods, double stable, double panic, Instant now, bool reachable = true)
    {
        var ready = Math.Max(1, readyPods);
        var up = Math.Ceiling(_options.ScaleUpRateMax * ready);
        var down = reachable ? Math.Floor(ready / _options.ScaleDownRateMax) : 0;
        var (rawStable, rawPanic) = (Math.Ceiling(stable / _target), Math.Ceiling(panic / _target));
        var (wishStable, wishPanic) = (Clamp(rawStable, down, up), Clamp(rawPanic, down, up));
        Turn(rawPanic / ready >= _options.PanicThresholdPercent / 100, now);
        var panics = _panicAt != Instant.Never;
        if (panics)
            _panicMost = Math.Max(_panicMost, Math.Max(wishStable, wishPanic));
        var wish = panics ? _panicMost : wishStable;
        if (_delayed is not null && reachable)
        {
            _delayed.Add(wish, now);
            wish = _delayed.Highest(now, wish);
        }

        return new(wish, Burst(readyPods, panic), panics, string.Create(CultureInfo.InvariantCulture,
            $"{stable:0.#} requests over the stable window, {panic:0.#} over the panic window, {_target:0.#} a replica")
            + (panics ? ": panics, so it does not shrink" : ""));
    }

    // The test for a panic looks at the wish before any clamp.
    private void Turn(bool isOver, Instant now)
    {
        if (isOver)
            _panicAt = now;
        else if (_panicAt != Instant.Never && _panicAt + _stable < now)
            (_panicAt, _panicMost) = (Instant.Never, 0);
    }

    private int Clamp(double raw, double down, double up)
    {
        var wish = Math.Clamp(raw, down, Math.Max(down, up));
        return (int)Math.Min(int.MaxValue, raw > 0 ? Math.Max(wish, _options.ActivationScale) : wish);
    }

    private double Burst(int readyPods, double panic) => _options.TargetBurstCapacity switch
    {
        0 => 0,
        < 0 => -1,
        var capacity => Math.Floor((readyPods * _options.Concurrency) - capacity - panic),
    };
}
