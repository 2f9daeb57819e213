namespace Spillway.Policies.Caching;

/// <summary>What happened to a cache, and what it holds.</summary>
/// <remarks>Fields, not properties: one owner counts in place, everybody else has a copy.</remarks>
internal record struct CacheCounts
{
    /// <summary>Answered, fresh.</summary>
    public long Hits;

    /// <summary>Answered with something old.</summary>
    public long Stale;

    /// <summary>Asked for itself and whoever came after it.</summary>
    public long Misses;

    /// <summary>Waited for another's answer.</summary>
    public long Joins;

    /// <summary>Did not want what is remembered.</summary>
    public long Refreshes;

    /// <summary>Had nothing to do with the cache.</summary>
    public long Bypasses;

    /// <summary>Took over from one that failed or left.</summary>
    public long Promotions;

    /// <summary>Answers that were kept.</summary>
    public long Stores;

    /// <summary>Answers that went to make room.</summary>
    public long Evictions;

    /// <summary>Answers there are.</summary>
    public long Entries;

    /// <summary>Bytes there are.</summary>
    public long Bytes;

    /// <summary>Of two together.</summary>
    public static CacheCounts operator +(in CacheCounts a, in CacheCounts b) => new()
    {
        Hits = a.Hits + b.Hits, Stale = a.Stale + b.Stale, Misses = a.Misses + b.Misses, Joins = a.Joins + b.Joins,
        Refreshes = a.Refreshes + b.Refreshes, Bypasses = a.Bypasses + b.Bypasses,
        Promotions = a.Promotions + b.Promotions, Stores = a.Stores + b.Stores, Evictions = a.Evictions + b.Evictions,
        Entries = a.Entries + b.Entries, Bytes = a.Bytes + b.Bytes,
    };
}
