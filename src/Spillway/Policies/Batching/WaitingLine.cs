namespace Spillway.Policies.Batching;

/// <summary>
/// The order in which a deployment's requests wait: by what their tenants are due where tenants share, then by priority
/// level, then deadline, then arrival. Waiting raises a
/// request by a level each ageing period, so none starves. Holds slot numbers only; bounded; allocates nothing after
/// its construction.
/// </summary>
/// <param name="capacity">The most that may wait.</param>
/// <param name="ageing">Time to rise by one level.</param>
public class WaitingLine(int capacity, TimeSpan ageing)
{
    private readonly Entry[] _entries = new Entry[capacity];
    private Instant _promoteAt = Instant.Never;
    private long _sequence;

    /// <summary>How many wait.</summary>
    public int Count { get; private set; }

    /// <summary>The slot at a position; 0 is the next to go.</summary>
    public int this[int position] => _entries[position].Slot;

    /// <summary>Where a request would stand now.</summary>
    public int PositionOf(int level, Instant deadline, double rank = 0)
    {
        var newcomer = new Entry(0, level, deadline, Instant.Never, long.MaxValue, rank);
        var position = Count;
        while (position > 0 && Precedes(newcomer, _entries[position - 1]))
            position--;
        return position;
    }

    /// <summary>Stands in line. The caller checked <see cref="Count"/> against the capacity.</summary>
    public void Add(int slot, int level, Instant deadline, Instant now, double rank = 0)
    {
        var entry = new Entry(slot, level, deadline, level > 1 ? now + ageing : Instant.Never, _sequence++, rank);
        Insert(entry);
        _promoteAt = Instant.Earlier(_promoteAt, entry.PromoteAt);
    }

    /// <summary>Leaves the line from a position.</summary>
    public void RemoveAt(int position)
    {
        Count--;
        Array.Copy(_entries, position + 1, _entries, position, Count - position);
    }

    /// <summary>Leaves the line; false when not in it.</summary>
    public bool Remove(int slot)
    {
        for (var i = 0; i < Count; i++)
        {
            if (_entries[i].Slot == slot)
            {
                RemoveAt(i);
                return true;
            }
        }

        return false;
    }

    /// <summary>Raises those who have waited long enough. Call before reading the order at a new instant.</summary>
    public void Age(Instant now)
    {
        if (now < _promoteAt)
            return;
        _promoteAt = Instant.Never;
        var waiting = Count;
        Count = 0;
        for (var i = 0; i < waiting; i++)
        {
            var entry = _entries[i];
            while (entry.PromoteAt <= now)
                entry = entry with { Level = entry.Level - 1, PromoteAt = entry.Level > 2 ? entry.PromoteAt + ageing : Instant.Never };
            Insert(entry);
            _promoteAt = Instant.Earlier(_promoteAt, entry.PromoteAt);
        }
    }

    /// <summary>The order itself: whether <paramref name="a"/> goes before <paramref name="b"/>.</summary>
    protected virtual bool Precedes(in Entry a, in Entry b)
    {
        if (a.Rank != b.Rank)
            return a.Rank < b.Rank;
        if (a.Level != b.Level)
            return a.Level < b.Level;
        return a.Deadline != b.Deadline ? a.Deadline < b.Deadline : a.Sequence < b.Sequence;
    }

    private void Insert(in Entry entry)
    {
        var position = Count;
        while (position > 0 && Precedes(entry, _entries[position - 1]))
            position--;
        Array.Copy(_entries, position, _entries, position + 1, Count - position);
        _entries[position] = entry;
        Count++;
    }

    /// <summary>One who waits.</summary>
    /// <param name="Slot">Its number.</param>
    /// <param name="Level">Its present priority level, 1 first.</param>
    /// <param name="Deadline">When its answer is due.</param>
    /// <param name="PromoteAt">When it rises by a level.</param>
    /// <param name="Sequence">Its order of arrival.</param>
    /// <param name="Rank">Where tenants share: when it is due; 0 for all where they do not.</param>
    protected readonly record struct Entry(
        int Slot, int Level, Instant Deadline, Instant PromoteAt, long Sequence, double Rank);
}
