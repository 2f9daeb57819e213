namespace Spillway.Policies.Scaling;

/// <summary>
/// Asks another policy as often as it wants to be asked, by whoever asks more often: what was seen in between is
/// averaged over time, and its last decision holds.
/// </summary>
/// <param name="inner">Decides.</param>
internal sealed class PacedPolicy(IScalingPolicy inner) : IScalingPolicy
{
    private Instant _last = Instant.Never;
    private Instant _asked = Instant.Never;
    private ScalingDecision _decision;
    private Sum _sum;

    /// <inheritdoc/>
    public string Name => inner.Name;

    /// <inheritdoc/>
    public TimeSpan Every => inner.Every;

    /// <inheritdoc/>
    public ScalingDecision Decide(in ScalingObservation seen, Instant now)
    {
        if (_last != Instant.Never)
            _sum = _sum.With(seen, (now - _last).TotalSeconds);
        _last = now;
        // A part of a percent for callers whose steps do not add up to the interval exactly.
        if (_asked != Instant.Never && (now - _asked).Ticks < Every.Ticks * 0.999)
            return _decision;
        _decision = inner.Decide(_sum.Over(seen), now);
        (_asked, _sum) = (now, default);
        return _decision;
    }

    private readonly record struct Sum(double Seconds, double Busy, double InFlight, double Queued, double Rate)
    {
        public Sum With(in ScalingObservation seen, double s) => new(Seconds + s, Busy + (seen.Utilisation * s),
            InFlight + (seen.InFlight * s), Queued + (seen.Queued * s), Rate + (seen.RatePerSecond * s));

        public ScalingObservation Over(in ScalingObservation seen) => !(Seconds > 0) ? seen : seen with
        {
            Utilisation = Busy / Seconds,
            InFlight = InFlight / Seconds,
            Queued = Queued / Seconds,
            RatePerSecond = Rate / Seconds,
        };
    }
}
