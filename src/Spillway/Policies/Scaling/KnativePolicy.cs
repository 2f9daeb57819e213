namespace Spillway.Policies.Scaling;

/// <summary>
/// Scales as Knative's pod autoscaler does: a stable window, a panic window, and zero when nobody asks.
/// </summary>
/// <param name="options">The windows and rates.</param>
internal sealed class KnativePolicy(KnativeOptions options) : IScalingPolicy
{
    private readonly WindowMean _stable = new(TimeSpan.FromMilliseconds(options.StableWindowMs));
    private readonly WindowMean _panic = new(
        TimeSpan.FromMilliseconds(options.StableWindowMs * options.PanicWindowPercent / 100));

    private KnativeRule? _rule;
    private Instant _zeroSince = Instant.Never;

    /// <inheritdoc/>
    public string Name => ScalingCatalogue.Knative;

    /// <inheritdoc/>
    public TimeSpan Every => TimeSpan.FromMilliseconds(options.EveryMs);

    /// <inheritdoc/>
    public ScalingDecision Decide(in ScalingObservation seen, Instant now)
    {
        _rule ??= new(options, seen.Ready, now);
        _stable.Add(seen.Ongoing, now);
        _panic.Add(seen.Ongoing, now);
        var (stable, panic) = (_stable.At(now), _panic.At(now));
        if (double.IsNaN(stable) || double.IsNaN(panic))
            return ScalingDecision.Of(seen.Wanted, $"nothing was measured, so it stays at {seen.Wanted}");
        var verdict = _rule.Decide(seen.Ready, stable, panic, now);
        if (verdict.Replicas > 0 || seen.Wanted == 0)
        {
            _zeroSince = Instant.Never;
            return new(verdict.Replicas, verdict.Reason);
        }

        if (_zeroSince == Instant.Never)
            _zeroSince = now;
        var idle = now - _zeroSince;
        return idle >= TimeSpan.FromMilliseconds(options.ZeroGraceMs)
            ? new(0, verdict.Reason)
            : ScalingDecision.Of(1, $"nobody asks for {idle.TotalSeconds:0.#} s: the last replica stays for now");
    }
}
