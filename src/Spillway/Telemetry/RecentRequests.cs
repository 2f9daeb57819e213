namespace Spillway.Telemetry;

/// <summary>Which recent requests to list.</summary>
internal readonly record struct RecentFilter
{
    /// <summary>Lists up to 50 of all requests.</summary>
    public RecentFilter()
    {
    }

    /// <summary>Only of this served name; null for all.</summary>
    public string? Model { get; init; }

    /// <summary>Only with this outcome, as <see cref="FaultLabels"/> spells it; null for all.</summary>
    public string? Outcome { get; init; }

    /// <summary>How many at most.</summary>
    public int Limit { get; init; } = 50;

    internal bool Fits(in RequestRecord record) =>
        (Model is null || record.Model == Model) && (Outcome is null || FaultLabels.Of(record.Outcome) == Outcome);
}

/// <summary>
/// The last records, in a ring of fixed slots. Thread-safe. A write is 0 B and copies the record under one short lock,
/// which it shares with few others; look-ups walk the ring from the newest and hold up a writer for one record's copy
/// at most.
/// </summary>
internal sealed class RecentRequests
{
    // Enough that two writers seldom meet; a lock for every slot would only cost memory.
    private const int LocksMax = 64;

    private readonly Slot[] _slots;
    private readonly Lock[] _locks;
    private long _written;

    /// <param name="capacity">Records kept, from 1; about 1 KiB each, taken at once.</param>
    public RecentRequests(int capacity)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        _slots = new Slot[capacity];
        _locks = [.. Enumerable.Range(0, Math.Min(capacity, LocksMax)).Select(_ => new Lock())];
    }

    /// <summary>How many it keeps.</summary>
    public int Capacity => _slots.Length;

    /// <summary>Records written since the start.</summary>
    public long Written => Interlocked.Read(ref _written);

    /// <summary>Records that gave way to newer ones.</summary>
    public long Overwritten => Math.Max(0, Written - Capacity);

    /// <summary>Keeps a copy; the oldest gives way.</summary>
    public void Write(in RequestRecord record)
    {
        var number = Interlocked.Increment(ref _written);
        var at = (int)((number - 1) % _slots.Length);
        lock (_locks[at % _locks.Length])
        {
            ref var slot = ref _slots[at];
            // A writer that was overtaken by a whole turn of the ring does not put the older record back.
            if (slot.Number > number)
                return;
            slot.Number = number;
            slot.Record = record;
        }
    }

    /// <summary>The record of that request id; false when it was never here or has given way.</summary>
    public bool TryFind(string requestId, out RequestRecord record)
    {
        var newest = Written;
        for (var number = newest; number > Oldest(newest); number--)
        {
            var at = (int)((number - 1) % _slots.Length);
            lock (_locks[at % _locks.Length])
            {
                if (_slots[at].Number != 0 && _slots[at].Record.RequestId == requestId)
                {
                    record = _slots[at].Record;
                    return true;
                }
            }
        }

        record = new();
        return false;
    }

    /// <summary>The newest first, as many as fit the filter and its limit.</summary>
    public IReadOnlyList<RequestRecord> List(in RecentFilter filter)
    {
        var found = new List<RequestRecord>();
        var newest = Written;
        for (var number = newest; number > Oldest(newest) && found.Count < filter.Limit; number--)
        {
            var at = (int)((number - 1) % _slots.Length);
            lock (_locks[at % _locks.Length])
            {
                // A slot that a newer turn has taken meanwhile would stand out of order.
                if (_slots[at].Number == number && filter.Fits(_slots[at].Record))
                    found.Add(_slots[at].Record);
            }
        }

        return found;
    }

    private long Oldest(long newest) => Math.Max(0, newest - _slots.Length);

    private struct Slot
    {
        public long Number;
        public RequestRecord Record;
    }
}
