using System.Threading.Tasks.Sources;
using Spillway.Policies.Caching;

namespace Spillway.Engine.Caching;

/// <summary>
/// A request that waits for another's answer, until its own deadline or until its caller leaves. Reused: between being
/// read and being rented it belongs to its stripe. Told by whoever takes it out of its flight, so exactly once.
/// </summary>
internal sealed class CacheJoiner : CacheWaiter, IValueTaskSource<CacheOutcome>, IDisposable
{
    private static readonly Fault s_late = new(
        FaultKind.DeadlineExceeded,
        "The deadline came while the request waited for another one that asks the same. Give it more time.");

    private static readonly Fault s_left = new(
        FaultKind.Cancelled, "The caller left while the request waited for another one that asks the same.");

    private readonly CacheStripe _stripe;
    private readonly Clock _clock;
    private readonly ITimer _timer;
    private ManualResetValueTaskSourceCore<CacheOutcome> _source = new() { RunContinuationsAsynchronously = true };
    private CancellationTokenRegistration _left;

    // Guarded by the stripe's lock. A timer that fires late, in the next life, finds another deadline.
    private Instant _deadline = Instant.Never;

    public CacheJoiner(CacheStripe stripe, Clock clock)
    {
        (_stripe, _clock) = (stripe, clock);
        _timer = clock.Time.CreateTimer(
            static self => ((CacheJoiner)self!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Waits; to be called once, and its result read once.</summary>
    public ValueTask<CacheOutcome> WaitAsync(Instant deadline, CancellationToken cancellation)
    {
        if (_source.GetStatus(_source.Version) is ValueTaskSourceStatus.Pending)
        {
            _stripe.Arm(this, deadline);
            _left = cancellation.UnsafeRegister(static self => ((CacheJoiner)self!).OnLeft(), this);
        }

        return new(this, _source.Version);
    }

    /// <summary>What became of it. The reader goes on on the thread pool: whoever tells has others to tell.</summary>
    public void Tell(in CacheOutcome outcome) => _source.SetResult(outcome);

    /// <summary>Under the stripe's lock.</summary>
    public void Arm(Instant deadline)
    {
        if (Flight is null || deadline == Instant.Never)
            return;
        _deadline = deadline;
        _timer.Change(_clock.Until(deadline), Timeout.InfiniteTimeSpan);
    }

    /// <summary>Under the stripe's lock: whether its deadline has come; a timer that came early is set again.</summary>
    public bool IsLate()
    {
        if (_clock.Now >= _deadline)
            return true;
        Arm(_deadline);
        return false;
    }

    /// <inheritdoc/>
    public void Dispose() => _timer.Dispose();

    CacheOutcome IValueTaskSource<CacheOutcome>.GetResult(short token)
    {
        var outcome = _source.GetResult(token);
        // Waits for a cancellation that is being told right now, so that none reaches the next life.
        _left.Dispose();
        _left = default;
        if (_deadline != Instant.Never)
            _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _deadline = Instant.Never;
        _source.Reset();
        _stripe.Return(this);
        return outcome;
    }

    ValueTaskSourceStatus IValueTaskSource<CacheOutcome>.GetStatus(short token) => _source.GetStatus(token);

    void IValueTaskSource<CacheOutcome>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _source.OnCompleted(continuation, state, token, flags);

    private void OnTimer()
    {
        if (_stripe.TryLeaveLate(this))
            Tell(new(null, null, s_late));
    }

    private void OnLeft()
    {
        if (_stripe.TryLeave(this))
            Tell(new(null, null, s_left));
    }
}
