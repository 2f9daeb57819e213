namespace Spillway.Policies.Measuring;

/// <summary>
/// What a target's latency is now: rises at once to a slow answer, and forgets it with a time constant. Without answers
/// it falls towards zero, so that a target that was slow once is tried again. Pure; one owner; no allocation.
/// </summary>
/// <remarks>
/// Finagle's PeakEwma load metric: cost = max(rtt, cost * w + rtt * (1 - w)) with w = exp(-elapsed / tau).
/// </remarks>
/// <param name="memory">The time constant; above zero.</param>
internal struct PeakEwma(TimeSpan memory)
{
    private double _ticks;
    private Instant _at;

    /// <summary>Whether an answer was ever seen.</summary>
    public bool IsKnown { get; private set; }

    /// <summary>An answer took so long.</summary>
    public void Observe(TimeSpan time, Instant now)
    {
        var kept = Kept(now);
        var decayed = (_ticks * kept) + (Math.Max(time.Ticks, 0) * (1 - kept));
        (_ticks, _at, IsKnown) = (Math.Max(decayed, time.Ticks), now, true);
    }

    /// <summary>An answer that makes whatever was before it irrelevant.</summary>
    public void Begin(TimeSpan time, Instant now) => (_ticks, _at, IsKnown) = (Math.Max(time.Ticks, 0), now, true);

    /// <summary>In ticks of 100 ns, as it stands at an instant.</summary>
    public readonly double At(Instant now) => _ticks * Kept(now);

    private readonly double Kept(Instant now) => Math.Exp(-Math.Max((now - _at).Ticks, 0) / (double)memory.Ticks);
}
