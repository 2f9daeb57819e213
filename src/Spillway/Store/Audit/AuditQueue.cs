namespace Spillway.Store.Audit;

/// <summary>
/// Entries between whoever offers them and the one writer: a ring of copies, taken at once, under one short lock. Full:
/// the newest is not taken. Thread-safe.
/// </summary>
internal sealed class AuditQueue
{
    private readonly Lock _lock = new();
    private readonly AuditEntry[] _ring;
    private readonly AcceptedCounter _counter;
    private int _first;
    private int _count;
    private bool _closed;

    /// <param name="capacity">Entries that it holds.</param>
    /// <param name="counter">Counts what is accepted, where a crash of the process does not reach it.</param>
    public AuditQueue(int capacity, AcceptedCounter counter) => (_ring, _counter) = (new AuditEntry[capacity], counter);

    /// <summary>Entries that it can hold.</summary>
    public int Capacity => _ring.Length;

    /// <summary>Entries in it now.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>The most that were ever in it.</summary>
    public int CountMax { get; private set; }

    /// <summary>Takes a copy; false when there is no room, or when the last was taken.</summary>
    /// <param name="entry">To keep.</param>
    /// <param name="count">How many there are then.</param>
    /// <param name="isLast">Nothing is taken after it: a request that ends after the log does is not in it.</param>
    public bool TryAdd(in AuditEntry entry, out int count, bool isLast = false)
    {
        lock (_lock)
        {
            count = _count;
            if (count == _ring.Length || _closed)
                return false;
            _closed = isLast;
            var at = _first + count;
            _ring[at < _ring.Length ? at : at - _ring.Length] = entry;
            _count = ++count;
            if (count > CountMax)
                CountMax = count;
            _counter.Add();
            return true;
        }
    }

    /// <summary>Moves the oldest out, as many as there are and fit; their slots let go of their texts.</summary>
    public int Take(Span<AuditEntry> into)
    {
        lock (_lock)
        {
            var taken = Math.Min(into.Length, _count);
            for (var i = 0; i < taken; i++)
            {
                into[i] = _ring[_first];
                _ring[_first] = default;
                if (++_first == _ring.Length)
                    _first = 0;
            }

            _count -= taken;
            return taken;
        }
    }
}
