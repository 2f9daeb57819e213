namespace Spillway.Policies.Caching;

/// <summary>A question that is remembered, asked right now, or both. Owned by its policy.</summary>
/// <param name="hash">Of its key.</param>
/// <param name="key">Never changed: may be compared without the owner's lock.</param>
/// <param name="version">What answers it.</param>
internal sealed class CacheEntry(UInt128 hash, byte[] key, CacheVersion version)
{
    /// <summary>
    /// What keeping an entry costs beside key and answer: this object (112 bytes), its flight (72), the key's header
    /// (24), its place in a dictionary that grows by doubling (up to 96), and a share of what the policy has.
    /// </summary>
    public const int Overhead = 320;

    /// <summary>Of the key.</summary>
    public UInt128 Hash => hash;

    /// <summary>The whole question.</summary>
    public byte[] Key => key;

    /// <summary>What answers it.</summary>
    public CacheVersion Version => version;

    /// <summary>Memory without the answer.</summary>
    public int KeyBytes => key.Length + Overhead;

    /// <summary>The answer; null while it is only being asked.</summary>
    public CachedAnswer? Answer { get; set; }

    /// <summary>When the answer was given.</summary>
    public Instant StoredAt { get; set; }

    /// <summary>Who asks it right now.</summary>
    public CacheFlight? Flight { get; set; }

    /// <summary>Asked for since the hand of the queue last passed.</summary>
    public bool Visited { get; set; }

    /// <summary>The one stored after it; null for the newest.</summary>
    public CacheEntry? Newer { get; set; }

    /// <summary>The one stored before it; null for the oldest.</summary>
    public CacheEntry? Older { get; set; }

    /// <summary>The next with an answer of the same version.</summary>
    public CacheEntry? NextOfVersion { get; set; }

    /// <summary>The one before with an answer of the same version.</summary>
    public CacheEntry? LastOfVersion { get; set; }
}

/// <summary>What the entries of one version of a deployment share. Owned by its policy.</summary>
/// <param name="name">The subject's version.</param>
internal sealed class CacheVersion(string name)
{
    /// <summary>The subject's version.</summary>
    public string Name => name;

    /// <summary>Entries of it, also those without an answer.</summary>
    public int Entries { get; set; }

    /// <summary>It is no longer served: nothing more is stored.</summary>
    public bool IsRetired { get; set; }

    /// <summary>The first with an answer.</summary>
    public CacheEntry? First { get; set; }

    /// <summary>An entry of it has an answer.</summary>
    public void Link(CacheEntry entry)
    {
        (entry.NextOfVersion, entry.LastOfVersion) = (First, null);
        if (First is not null)
            First.LastOfVersion = entry;
        First = entry;
    }

    /// <summary>And has none any more.</summary>
    public void Unlink(CacheEntry entry)
    {
        if (entry.LastOfVersion is { } last)
            last.NextOfVersion = entry.NextOfVersion;
        else
            First = entry.NextOfVersion;
        if (entry.NextOfVersion is { } next)
            next.LastOfVersion = entry.LastOfVersion;
        (entry.NextOfVersion, entry.LastOfVersion) = (null, null);
    }
}
