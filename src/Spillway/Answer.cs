using System.Threading.Tasks.Sources;

namespace Spillway;

/// <summary>
/// A bounded stream of deltas from one writer to one reader, without allocation while it is reused. The first delta
/// lies inline, which is all that a one-shot answer needs. A stream that ends without <see cref="Complete"/> never
/// ends: only the Engine completes it, with the fault that ended it or with none.
/// </summary>
public sealed class Answer : IValueTaskSource<bool>
{
    private readonly Lock _lock = new();
    private readonly int _capacity;
    private ManualResetValueTaskSourceCore<bool> _source;
    private Delta _first;
    private bool _hasFirst;
    private Queue<Delta>? _more;
    private bool _waiting;
    private bool _completed;

    /// <summary>
    /// Creates an empty answer that holds at most <paramref name="capacity"/> unread deltas (default 64).
    /// </summary>
    public Answer(int capacity = 64)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        _capacity = capacity;
    }

    /// <summary>Why the stream ended; null while it runs and after a clean end.</summary>
    public Fault? Fault { get; private set; }

    /// <summary>Adds a delta; never blocks. False when full or completed: pause or stop the producer.</summary>
    /// <param name="delta">What to add.</param>
    /// <param name="here">Whether a waiting reader goes on within this call; else on the thread pool.</param>
    public bool TryWrite(in Delta delta, bool here = false)
    {
        bool wake;
        lock (_lock)
        {
            if (_completed || (_hasFirst ? 1 : 0) + (_more?.Count ?? 0) >= _capacity)
                return false;
            if (!_hasFirst && (_more is null || _more.Count == 0))
                (_first, _hasFirst) = (delta, true);
            else
                (_more ??= new()).Enqueue(delta);
            (wake, _waiting) = (_waiting, false);
        }

        if (wake)
            Wake(true, here);
        return true;
    }

    /// <summary>Ends the stream; only the first call counts. Returns whether this was it.</summary>
    /// <param name="fault">Why it ended; null after a clean end.</param>
    /// <param name="here">Whether a waiting reader goes on within this call; else on the thread pool.</param>
    public bool Complete(Fault? fault, bool here = false)
    {
        bool wake;
        lock (_lock)
        {
            if (_completed)
                return false;
            (_completed, Fault) = (true, fault);
            (wake, _waiting) = (_waiting, false);
        }

        if (wake)
            Wake(false, here);
        return true;
    }

    /// <summary>True when a delta is there to read, false at the end. One reader, one wait at a time.</summary>
    public ValueTask<bool> WaitAsync()
    {
        lock (_lock)
        {
            if (_hasFirst || _more is { Count: > 0 })
                return new(true);
            if (_completed)
                return new(false);
            _source.Reset();
            _waiting = true;
            return new(this, _source.Version);
        }
    }

    /// <summary>Takes the oldest delta; the reader disposes it.</summary>
    public bool TryRead(out Delta delta)
    {
        lock (_lock)
        {
            if (_hasFirst)
            {
                (delta, _hasFirst, _first) = (_first, false, default);
                return true;
            }

            delta = default;
            return _more is not null && _more.TryDequeue(out delta);
        }
    }

    /// <summary>Empty and open again. Only when writer and reader have both let go.</summary>
    public void Reset()
    {
        lock (_lock)
        {
            (_first, _hasFirst, _waiting, _completed, Fault) = (default, false, false, false, null);
            _more?.Clear();
        }
    }

    private void Wake(bool result, bool here)
    {
        // Only the one who set _waiting back gets here, and the reader has no next wait before it.
        _source.RunContinuationsAsynchronously = !here;
        _source.SetResult(result);
    }

    bool IValueTaskSource<bool>.GetResult(short token) => _source.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<bool>.GetStatus(short token) => _source.GetStatus(token);

    void IValueTaskSource<bool>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _source.OnCompleted(continuation, state, token, flags);
}
