namespace Spillway.Policies.Scaling;

/// <summary>
/// No replica after nobody asked for a while; one at once when somebody does; in between a reactive policy. Whoever
/// comes first waits for the lead time.
/// </summary>
/// <param name="options">How long.</param>
/// <param name="reactive">Decides while somebody asks; asked no more often than it wants to be.</param>
internal sealed class ScaleToZeroPolicy(ScaleToZeroOptions options, IScalingPolicy reactive) : IScalingPolicy
{
    private readonly TimeSpan _idle = TimeSpan.FromMilliseconds(options.IdleMs);
    private readonly PacedPolicy _inner = new(reactive);
    private Instant _idleSince = Instant.Never;

    /// <inheritdoc/>
    public string Name => ScalingCatalogue.ScaleToZero;

    /// <inheritdoc/>
    public TimeSpan Every => TimeSpan.FromMilliseconds(options.EveryMs);

    /// <inheritdoc/>
    public ScalingDecision Decide(in ScalingObservation seen, Instant now)
    {
        var wish = _inner.Decide(seen, now);
        if (!seen.IsIdle)
        {
            _idleSince = Instant.Never;
            return seen.Wanted == 0
                ? ScalingDecision.Of(Math.Max(1, wish.Replicas),
                    $"somebody asks and there is none; the answer waits {seen.LeadTime.TotalSeconds:0.#} s for it")
                : wish with { Replicas = Math.Max(1, wish.Replicas) };
        }

        if (_idleSince == Instant.Never)
            _idleSince = now;
        var idle = now - _idleSince;
        if (seen.Wanted == 0 || idle >= _idle)
            return ScalingDecision.Of(0, $"nobody asked for {idle.TotalSeconds:0.#} s of {_idle.TotalSeconds:0.#} s");
        return wish with { Replicas = Math.Max(1, wish.Replicas) };
    }
}
