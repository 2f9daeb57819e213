namespace Spillway.Policies.Caching;

/// <summary>A question that is remembered, asked right now, or both. Owned by its policy.</summary>
/// <param name="hash">Of its key.</param>
/// <param name="key">Never changed: may be compared without the owner's lock.</param>
internal sealed class CacheEntry(UInt128 hash, byte[] key)
{
    /// <summary>
    /// What keeping an entry costs beside key and answer: this object (88 bytes), its flight (72), the key's header
    /// (24), its place in a dictionary that grows by doubling (up to 96),
    /// and a share of what the policy has, rounded up.
    /// </summary>
    public const int Overhead = 320;

    /// <summary>Of the key.</summary>
    public UInt128 Hash => hash;

    /// <summary>The whole question.</summary>
    public byte[] Key => key;

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
}
