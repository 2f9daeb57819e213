namespace Spillway.Store.Ledger;

/// <summary>
/// Entries between the request path and the writer: a ring of fixed size. Many hand over under one short lock, one
/// takes. Each entry gets the next number, also one that finds no room, so that a loss leaves a gap. 0 B an entry.
/// </summary>
internal sealed class LedgerQueue
{
    private readonly Lock _lock = new();
    private readonly LedgerEntry[] _ring;
    private readonly int _mask;
    private readonly int _wakeAt;
    private readonly LedgerPosition _position;
    private readonly Action _wake;
    private long _head;
    private long _tail;
    private long _sequence;
    private long _sum;
    private long _lost;
    private long _lostNano;
    private int _deepest;
    private bool _closed;

    /// <summary>Makes an empty queue that goes on counting where the position stands.</summary>
    /// <param name="length">Entries that it holds, rounded up to a power of two.</param>
    /// <param name="wakeAt">The writer is woken when so many wait.</param>
    /// <param name="position">Where the count is kept.</param>
    /// <param name="wake">Wakes the writer; quick, and called outside the lock.</param>
    public LedgerQueue(int length, int wakeAt, LedgerPosition position, Action wake)
    {
        var size = (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)length);
        (_ring, _mask, _position, _wake) = (new LedgerEntry[size], size - 1, position, wake);
        _wakeAt = Math.Min(wakeAt, size / 2);
        (_sequence, _sum) = (position.Sequence, position.Nano);
    }

    /// <summary>Entries that it holds at most.</summary>
    public int Capacity => _ring.Length;

    /// <summary>Entries that wait now.</summary>
    public int Count => (int)(Volatile.Read(ref _tail) - Volatile.Read(ref _head));

    /// <summary>The most that ever waited.</summary>
    public int Deepest => Volatile.Read(ref _deepest);

    /// <summary>
    /// Copies an entry in; false when there is no room, and it is lost and counted. Never waits. Any thread.
    /// </summary>
    public bool Offer(in LedgerEntry entry)
    {
        int count;
        bool taken;
        lock (_lock)
        {
            if (_closed)
                return false;
            _sequence++;
            var total = entry.Total.Nano;
            _sum += total;
            count = (int)(_tail - _head);
            taken = count < _ring.Length;
            if (taken)
            {
                ref var place = ref _ring[_tail & _mask];
                place = entry;
                place.Sequence = _sequence;
                Volatile.Write(ref _tail, _tail + 1);
                _deepest = Math.Max(_deepest, ++count);
            }
            else
            {
                _lost++;
                _lostNano += total;
            }

            _position.Move(_sequence, _sum);
        }

        if (count == _wakeAt)
            _wake();
        return taken;
    }

    /// <summary>The oldest that wait, up to the ring's end; valid until <see cref="Advance"/>. One thread.</summary>
    public ReadOnlySpan<LedgerEntry> Peek(int most)
    {
        var from = (int)(_head & _mask);
        return _ring.AsSpan(from, Math.Min(Math.Min(Count, most), _ring.Length - from));
    }

    /// <summary>Those are written: their places are free again. The one thread.</summary>
    public void Advance(int count)
    {
        _ring.AsSpan((int)(_head & _mask), count).Clear();
        // Under the lock, so that nobody finds a place free that is still being cleared.
        lock (_lock)
            Volatile.Write(ref _head, _head + count);
    }

    /// <summary>What found no room since the start.</summary>
    public LedgerLoss Lost()
    {
        lock (_lock)
            return new(_lost, _lostNano);
    }

    /// <summary>Takes no more; what comes now is not even counted, because nobody serves any more.</summary>
    public void Close()
    {
        lock (_lock)
            _closed = true;
    }
}

/// <summary>What was handed over and is in no row.</summary>
/// <param name="Entries">How many.</param>
/// <param name="Nano">Their sum.</param>
internal readonly record struct LedgerLoss(long Entries, long Nano);
