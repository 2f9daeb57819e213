namespace Spillway.Policies.Caching;

/// <summary>
/// Which entry goes next, by SIEVE: Zhang, Yang, Yue, Vigfusson and Rashmi, "SIEVE is Simpler than LRU: an Efficient
/// Turn-Key Eviction Algorithm for Web Caches", NSDI 2024. Entries stand in the order in which they were stored; a hand
/// moves from the oldest to the newest, spares those that were asked for since it last passed, and takes the first that
/// was not. A hit therefore moves nothing. Pure, one owner; the entries carry the links.
/// </summary>
internal sealed class SieveQueue
{
    /// <summary>
    /// The hand spares so many at once and then takes the next as it is, so that an eviction never walks through a
    /// whole cache of popular entries under its owner's lock.
    /// </summary>
    private const int SparedMax = 256;

    private CacheEntry? _newest;
    private CacheEntry? _oldest;
    private CacheEntry? _hand;

    /// <summary>A new entry, not yet asked for again.</summary>
    public void Add(CacheEntry entry)
    {
        (entry.Visited, entry.Older, entry.Newer) = (false, _newest, null);
        if (_newest is not null)
            _newest.Newer = entry;
        _newest = entry;
        _oldest ??= entry;
    }

    /// <summary>An entry goes.</summary>
    public void Remove(CacheEntry entry)
    {
        if (ReferenceEquals(_hand, entry))
            _hand = entry.Newer;
        if (entry.Newer is not null)
            entry.Newer.Older = entry.Older;
        else
            _newest = entry.Older;
        if (entry.Older is not null)
            entry.Older.Newer = entry.Newer;
        else
            _oldest = entry.Newer;
        (entry.Newer, entry.Older) = (null, null);
    }

    /// <summary>The next to go, which the caller removes; null when there is none.</summary>
    /// <param name="deadSince">What was stored until then is of no use, asked for or not.</param>
    public CacheEntry? Next(Instant deadSince)
    {
        _hand ??= _oldest;
        for (var spared = 0; _hand is { Visited: true } at && at.StoredAt > deadSince && spared < SparedMax; spared++)
        {
            at.Visited = false;
            _hand = at.Newer ?? _oldest;
        }

        return _hand;
    }
}
