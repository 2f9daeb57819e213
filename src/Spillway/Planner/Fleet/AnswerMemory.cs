using Spillway.Policies.Caching;

namespace Spillway.Planner.Fleet;

/// <summary>
/// The answers that a site remembers: the server's own order of leaving (SIEVE), without the answers themselves.
/// </summary>
/// <param name="entriesMax">The most; 0 remembers none.</param>
internal sealed class AnswerMemory(int entriesMax)
{
    private readonly Dictionary<long, CacheEntry> _entries = [];
    private SieveQueue _queue = new();

    /// <summary>Whether it is remembered; remembers that it was asked for.</summary>
    public bool Finds(long key)
    {
        if (key < 0 || !_entries.TryGetValue(key, out var entry))
            return false;
        entry.Visited = true;
        return true;
    }

    /// <summary>An answer was given.</summary>
    public void Keep(long key, Instant now)
    {
        if (key < 0 || entriesMax == 0 || _entries.ContainsKey(key))
            return;
        if (_entries.Count >= entriesMax && _queue.Next(new(long.MinValue)) is { } last)
        {
            _queue.Remove(last);
            _entries.Remove((long)last.Hash);
        }

        var entry = new CacheEntry((UInt128)key, []) { StoredAt = now };
        _queue.Add(entry);
        _entries.Add(key, entry);
    }

    /// <summary>Everything is forgotten.</summary>
    public void Clear()
    {
        _entries.Clear();
        _queue = new();
    }
}
