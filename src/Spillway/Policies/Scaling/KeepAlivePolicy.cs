namespace Spillway.Policies.Scaling;

/// <summary>
/// Keeps an idle replica for as long as the histogram of idle times says, and starts it again before the next request
/// is expected; while somebody asks, a reactive policy decides.
/// </summary>
/// <param name="options">The histogram.</param>
/// <param name="reactive">Decides while somebody asks.</param>
internal sealed class KeepAlivePolicy(KeepAliveOptions options, IScalingPolicy reactive) : IScalingPolicy
{
    private readonly IdleHistogram _histogram = new(options);
    private readonly PacedPolicy _inner = new(reactive);
    private Instant _idleSince = Instant.Never;
    private IdleWindows _windows;

    /// <inheritdoc/>
    public string Name => ScalingCatalogue.KeepAlive;

    /// <inheritdoc/>
    public TimeSpan Every => TimeSpan.FromMilliseconds(options.EveryMs);

    /// <inheritdoc/>
    public ScalingDecision Decide(in ScalingObservation seen, Instant now)
    {
        var wish = _inner.Decide(seen, now);
        if (!seen.IsIdle)
        {
            if (_idleSince != Instant.Never)
                _histogram.Observe(now - _idleSince);
            _idleSince = Instant.Never;
            return wish with { Replicas = Math.Max(1, wish.Replicas) };
        }

        if (_idleSince == Instant.Never)
            (_idleSince, _windows) = (now, _histogram.Windows());
        var idle = now - _idleSince;
        // The order leaves the lead time before the window, so that the replica is warm when it begins.
        var begin = _windows.PreWarm > seen.LeadTime ? _windows.PreWarm - seen.LeadTime : TimeSpan.Zero;
        var end = _windows.PreWarm + _windows.KeepAlive;
        var (from, to) = (_windows.PreWarm.TotalSeconds, end.TotalSeconds);
        return idle >= begin && idle < end
            ? ScalingDecision.Of(
                1, $"idle for {idle.TotalSeconds:0} s, expected within {from:0} to {to:0} s: {_windows.Reason}")
            : ScalingDecision.Of(0, $"idle for {idle.TotalSeconds:0} s, {
                (idle < begin ? "not expected yet" : "expected no more")}: {_windows.Reason}");
    }
}
