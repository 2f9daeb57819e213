using System.Diagnostics.CodeAnalysis;

namespace Spillway.Tests.Support;

/// <summary>
/// A clock that moves only when told to. Timers fire in due order on the advancing thread, each with the clock at its
/// own due time; a timer that is due now fires with the next <see cref="Advance"/>, also one of zero. The frequency is
/// odd, so that code which takes timestamps for ticks or milliseconds shows at once. Any thread may use it.
/// </summary>
/// <param name="frequency">Timestamps per second; the default is a prime near 7 MHz, so 143 ns each.</param>
internal sealed class ManualTimeProvider(long frequency = 7_000_003) : TimeProvider
{
    private readonly PriorityQueue<ManualTimer, (long DueTicks, long Setting)> _timers = new();
    private readonly Lock _lock = new();
    private long _nowTicks;
    private long _settings;

    /// <inheritdoc/>
    public override long TimestampFrequency => frequency;

    /// <summary>Timers that are set and have not fired.</summary>
    public int TimersSet
    {
        get
        {
            lock (_lock)
                return _timers.UnorderedItems.Count(t => t.Element.Setting == t.Priority.Setting);
        }
    }

    /// <summary>Since the clock's beginning, in ticks of 100 ns.</summary>
    private long NowTicks => Interlocked.Read(ref _nowTicks);

    /// <inheritdoc/>
    public override long GetTimestamp() => (long)((Int128)NowTicks * frequency / TimeSpan.TicksPerSecond);

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch.AddTicks(NowTicks);

    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new ManualTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>Moves the clock forward, stopping at every timer on the way.</summary>
    public void Advance(TimeSpan span)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(span, TimeSpan.Zero);
        var target = NowTicks + span.Ticks;
        while (TryTakeDue(target, out var timer))
            timer.Fire();
        MoveTo(target);
    }

    /// <summary>Moves to the next timer and fires it; false when none is set.</summary>
    public bool AdvanceToNextTimer()
    {
        if (!TryTakeDue(long.MaxValue, out var timer))
            return false;
        timer.Fire();
        return true;
    }

    private void MoveTo(long ticks)
    {
        lock (_lock)
            Interlocked.Exchange(ref _nowTicks, Math.Max(ticks, _nowTicks));
    }

    /// <summary>Takes the first timer that is due until then, and moves the clock to it.</summary>
    private bool TryTakeDue(long target, [NotNullWhen(true)] out ManualTimer? timer)
    {
        lock (_lock)
        {
            while (_timers.TryPeek(out timer, out var due) && due.DueTicks <= target)
            {
                _timers.Dequeue();
                // It was changed or disposed after it was queued here.
                if (timer.Setting != due.Setting)
                    continue;
                Interlocked.Exchange(ref _nowTicks, Math.Max(due.DueTicks, _nowTicks));
                timer.Taken(due.DueTicks);
                return true;
            }
        }

        timer = null;
        return false;
    }

    private sealed class ManualTimer(ManualTimeProvider clock, TimerCallback callback, object? state) : ITimer
    {
        private const long Unset = -1;
        private long _periodTicks;
        private bool _disposed;

        /// <summary>Which setting is in force; guarded by the clock's lock, as everything here.</summary>
        public long Setting { get; private set; } = Unset;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (clock._lock)
            {
                if (_disposed)
                    return false;
                _periodTicks = Math.Max(period.Ticks, 0);
                Set(dueTime < TimeSpan.Zero ? Unset : clock._nowTicks + dueTime.Ticks);
                return true;
            }
        }

        /// <summary>Under the lock: it is about to fire, and set again when it is periodic.</summary>
        public void Taken(long dueTicks) => Set(_periodTicks > 0 ? dueTicks + _periodTicks : Unset);

        public void Fire() => callback(state);

        public void Dispose()
        {
            lock (clock._lock)
                (Setting, _disposed) = (Unset, true);
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }

        private void Set(long dueTicks)
        {
            Setting = dueTicks == Unset ? Unset : clock._settings++;
            if (dueTicks != Unset)
                clock._timers.Enqueue(this, (dueTicks, Setting));
        }
    }
}
