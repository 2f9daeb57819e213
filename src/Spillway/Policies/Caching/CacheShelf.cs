namespace Spillway.Policies.Caching;

/// <summary>
/// What is remembered, within its bytes: questions, also those that are only being asked, and answers. Pure, one owner.
/// Where room is needed answers go by <see cref="SieveQueue"/>: those of a version that is no longer served are found
/// by nobody and so are among the first. Questions that are being asked stay.
/// </summary>
/// <param name="bytesMax">The bytes.</param>
/// <param name="entryBytesMax">Of one entry.</param>
/// <param name="useful">An answer older than this is of no use to anybody.</param>
internal sealed class CacheShelf(long bytesMax, int entryBytesMax, TimeSpan useful)
{
    private readonly Dictionary<UInt128, CacheEntry> _entries = [];
    private readonly SieveQueue _queue = new();
    private CacheCounts _counts;

    /// <summary>What happened, and what there is.</summary>
    public ref CacheCounts Counts => ref _counts;

    /// <summary>The entry of a hash, whatever its key is.</summary>
    public CacheEntry? Find(UInt128 hash) => _entries.GetValueOrDefault(hash);

    /// <summary>A question without an answer, not to be found yet; null when no room can be made for it.</summary>
    public CacheEntry? Make(in CacheKey key, in CacheKnown known, Instant now)
    {
        if (!MakeRoom(key.Length + CacheEntry.Overhead, now))
            return null;
        var entry = new CacheEntry(key.Hash, known.Copy ?? key.Copy());
        _counts.Bytes += entry.KeyBytes;
        return entry;
    }

    /// <summary>From now on it is found by its hash, which no other has.</summary>
    public void Enter(CacheEntry entry) => _entries.Add(entry.Hash, entry);

    /// <summary>
    /// It takes its place, or that of its question is taken for it; false for another question's with the same hash.
    /// </summary>
    public bool TryEnter(ref CacheEntry entry)
    {
        if (_entries.TryAdd(entry.Hash, entry))
            return true;
        var there = _entries[entry.Hash];
        Discard(entry);
        var isSame = there.Key.AsSpan().SequenceEqual(entry.Key);
        entry = there;
        return isSame;
    }

    /// <summary>An entry's answer, kept where it fits and nobody gave a later one.</summary>
    /// <param name="entry">Which.</param>
    /// <param name="answer">Its answer.</param>
    /// <param name="began">When that was asked for.</param>
    /// <param name="now">The instant.</param>
    public void Keep(CacheEntry entry, CachedAnswer answer, Instant began, Instant now)
    {
        if ((long)entry.KeyBytes + answer.Bytes > entryBytesMax
            || (entry.Answer is not null && entry.StoredAt > began))
        {
            return;
        }

        // Its own answer may be what goes to make room.
        while (_counts.Bytes + answer.Bytes - (entry.Answer?.Bytes ?? 0) > bytesMax)
        {
            if (!Evict(now, spares: entry))
                return;
        }

        _counts.Stores++;
        _counts.Bytes += answer.Bytes - (entry.Answer?.Bytes ?? 0);
        if (entry.Answer is null)
        {
            _counts.Entries++;
            _queue.Add(entry);
        }

        (entry.Answer, entry.StoredAt) = (answer, now);
    }

    /// <summary>An entry without an answer that nobody asks goes.</summary>
    public void Tidy(CacheEntry entry)
    {
        if (entry is not { Answer: null, Flight: null })
            return;
        _entries.Remove(entry.Hash);
        Discard(entry);
    }

    /// <summary>An entry that is not to be found is given up.</summary>
    public void Discard(CacheEntry entry) => _counts.Bytes -= entry.KeyBytes;

    /// <summary>An entry's answer goes, and the entry too when nobody asks it.</summary>
    public void DropAnswer(CacheEntry entry)
    {
        TakeAnswer(entry);
        Tidy(entry);
    }

    /// <summary>Drops some answers; fewer than asked for when there are no more.</summary>
    public int Clear(int most)
    {
        var count = 0;
        for (; count < most && _queue.Next(Instant.Never) is { } entry; count++)
            DropAnswer(entry);
        return count;
    }

    private bool MakeRoom(long bytes, Instant now)
    {
        if (bytes > bytesMax)
            return false;
        while (_counts.Bytes + bytes > bytesMax)
        {
            if (!Evict(now, spares: null))
                return false;
        }

        return true;
    }

    /// <summary>One goes; false when there is none to go.</summary>
    private bool Evict(Instant now, CacheEntry? spares)
    {
        if (_queue.Next(now - useful) is not { } victim)
            return false;
        TakeAnswer(victim);
        if (!ReferenceEquals(victim, spares))
            Tidy(victim);
        _counts.Evictions++;
        return true;
    }

    private void TakeAnswer(CacheEntry entry)
    {
        _queue.Remove(entry);
        _counts.Bytes -= entry.Answer!.Bytes;
        _counts.Entries--;
        entry.Answer = null;
    }
}
