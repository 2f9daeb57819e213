using Spillway.Policies.Concurrency;

namespace Spillway.Engine.Upstreams;

/// <summary>
/// Requests that wait for a target with room: interprets <see cref="UpstreamLine"/> under its group's lock. Whoever
/// waits is told exactly once: its turn, or why not.
/// </summary>
internal sealed class UpstreamQueue : IDisposable
{
    private const int DropsAtOnce = 32;

    private static readonly Fault s_left = new(
        FaultKind.Cancelled, "The caller went away while it waited for an upstream with room.");

    private readonly string _name;
    private readonly UpstreamLine _line;
    private readonly Clock _clock;
    private readonly Lock _lock;
    private readonly Func<Instant, UpstreamTurn?> _take;
    private readonly Waiter?[] _waiters;
    private readonly Stack<int> _free;
    private readonly ITimer _timer;
    private Instant _armed = Instant.Never;

    /// <summary>Nobody waits.</summary>
    /// <param name="name">The upstream's, for messages.</param>
    /// <param name="options">The line's.</param>
    /// <param name="clock">The clock.</param>
    /// <param name="guard">The group's lock.</param>
    /// <param name="take">Under the lock: a turn, or null when there is none.</param>
    public UpstreamQueue(
        string name, UpstreamLineOptions options, Clock clock, Lock guard, Func<Instant, UpstreamTurn?> take)
    {
        (_name, _clock, _lock, _take) = (name, clock, guard, take);
        _line = new(options, clock.Now);
        _waiters = new Waiter?[options.LengthMax + 1];
        _free = new(Enumerable.Range(0, _waiters.Length));
        _timer = clock.Time.CreateTimer(
            static self => ((UpstreamQueue)self!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>How many wait.</summary>
    public int Count => _line.Count;

    /// <summary>Under the lock: stands in line.</summary>
    public ValueTask<UpstreamTurn> WaitAsync(Criticality criticality, Instant deadline, CancellationToken aborted)
    {
        var (now, slot) = (_clock.Now, _free.Pop());
        var verdict = _line.Add(slot, criticality, deadline, now);
        if (verdict.Says is LineSays.Full)
        {
            _free.Push(slot);
            return new(new UpstreamTurn(-1, default, new(
                FaultKind.Shed, $"As many requests as may wait already for the upstream {_name} ({_line.Count}). Retry "
                + "later, or raise upstreams.….queue.lengthMax.", TimeSpan.FromMilliseconds(100))));
        }

        if (verdict.Shed >= 0)
        {
            Tell(verdict.Shed, new(-1, default, new(
                FaultKind.Shed, $"Given up for a more critical request to the upstream {_name}. Retry later.",
                TimeSpan.FromMilliseconds(100))));
        }

        var waiter = _waiters[slot] = new(this, slot);
        Arm();
        return new(waiter.AwaitAsync(aborted));
    }

    /// <summary>Under the lock: gives turns as long as there are any.</summary>
    public void Serve()
    {
        if (_line.Count == 0)
            return;
        Expire();
        while (_line.Count > 0 && _take(_clock.Now) is { } turn)
            Tell(_line.Take(_clock.Now), turn);
    }

    /// <inheritdoc/>
    public void Dispose() => _timer.Dispose();

    private void OnTimer()
    {
        lock (_lock)
        {
            _armed = Instant.Never;
            Serve();
            Arm();
        }
    }

    private void Leave(int slot, Waiter waiter)
    {
        lock (_lock)
        {
            if (ReferenceEquals(_waiters[slot], waiter) && _line.Remove(slot, _clock.Now))
                Tell(slot, new(-1, default, s_left));
        }
    }

    private void Expire()
    {
        Span<LineDrop> drops = stackalloc LineDrop[DropsAtOnce];
        int count;
        do
        {
            count = _line.Expire(_clock.Now, drops);
            foreach (var drop in drops[..count])
            {
                Tell(drop.Slot, new(-1, default, drop.IsLate
                    ? new(FaultKind.DroppedLate, "Request timeout expired: it waited "
                        + $"{drop.Waited.TotalMilliseconds:0} ms for the upstream {_name}.")
                    : new(FaultKind.Shed, $"The upstream {_name} has more than it can do: it waited "
                        + $"{drop.Waited.TotalMilliseconds:0} ms for a target with room. Retry later.",
                        TimeSpan.FromMilliseconds(100))));
            }
        }
        while (count == DropsAtOnce);
    }

    /// <summary>Continuations run on the thread pool, so telling within the lock is short.</summary>
    private void Tell(int slot, in UpstreamTurn turn)
    {
        var waiter = _waiters[slot]!;
        _waiters[slot] = null;
        _free.Push(slot);
        waiter.SetResult(turn);
    }

    private void Arm()
    {
        if (_line.WakeAt >= _armed)
            return;
        _armed = _line.WakeAt;
        _timer.Change(_clock.Until(_armed), Timeout.InfiniteTimeSpan);
    }

    private sealed class Waiter(UpstreamQueue queue, int slot)
        : TaskCompletionSource<UpstreamTurn>(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        public async Task<UpstreamTurn> AwaitAsync(CancellationToken aborted)
        {
            // Registered after the lock is let go: a caller that has left already would take it again.
            await System.Threading.Tasks.Task.Yield();
            using (aborted.UnsafeRegister(static self => ((Waiter)self!).Leave(), this))
                return await Task.ConfigureAwait(false);
        }

        private void Leave() => queue.Leave(slot, this);
    }
}
