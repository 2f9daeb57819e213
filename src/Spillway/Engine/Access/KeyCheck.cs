using System.Security.Cryptography;
using Spillway.Policies.Identity;
using Spillway.Store.Keys;

namespace Spillway.Engine.Access;

/// <summary>
/// Holds a key's text against what is stored of it, with the same work for every text: one HMAC and two comparisons of
/// whole digests, whether its id exists or not, whether it was rotated, expired or revoked. So the time of a refusal
/// tells nobody which ids there are. Thread-safe.
/// </summary>
/// <param name="pepper">Of the digests.</param>
internal sealed class KeyCheck(byte[] pepper)
{
    private static readonly byte[] s_nobody = new byte[KeyDigest.Length];

    private long _digests;
    private long _bytesCompared;

    /// <summary>All the work so far: what is equal for every text, a test holds by this.</summary>
    public (long Digests, long BytesCompared) Work =>
        (Interlocked.Read(ref _digests), Interlocked.Read(ref _bytesCompared));

    /// <summary>Whether the text is a key's present secret, or the one before its last rotation.</summary>
    /// <param name="text">Of a key's form.</param>
    /// <param name="stored">The key of that id; null for none, which no text matches.</param>
    public (bool IsCurrent, bool IsPrevious) Match(ReadOnlySpan<char> text, StoredKey? stored)
    {
        Span<byte> digest = stackalloc byte[KeyDigest.Length];
        KeyDigest.Compute(pepper, text, digest);
        Interlocked.Increment(ref _digests);
        var isCurrent = IsEqual(digest, stored?.Digest ?? s_nobody);
        var isPrevious = IsEqual(digest, stored?.Previous ?? s_nobody);
        return (isCurrent, isPrevious);
    }

    private bool IsEqual(ReadOnlySpan<byte> digest, ReadOnlySpan<byte> other)
    {
        // FixedTimeEquals looks at nothing where lengths differ; the store holds no other length.
        Interlocked.Add(ref _bytesCompared, Math.Min(digest.Length, other.Length));
        return CryptographicOperations.FixedTimeEquals(digest, other);
    }
}
