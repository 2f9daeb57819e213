using System.Security.Cryptography;
using System.Text;

namespace Spillway.Policies.Identity;

/// <summary>
/// What is kept of a key: HMAC-SHA-256 of its text under a pepper that lies elsewhere. A secret of 256 random bits
/// needs no slow hash; the pepper makes a stolen database worthless for testing found keys. Pure.
/// </summary>
internal static class KeyDigest
{
    /// <summary>Bytes of a digest.</summary>
    public const int Length = HMACSHA256.HashSizeInBytes;

    /// <summary>The fewest bytes of a pepper.</summary>
    public const int PepperBytesMin = 16;

    /// <summary>
    /// The digest of a key's text, which is ASCII and no longer than <see cref="KeyText.LengthMax"/>.
    /// </summary>
    public static void Compute(ReadOnlySpan<byte> pepper, ReadOnlySpan<char> text, Span<byte> into)
    {
        Span<byte> bytes = stackalloc byte[KeyText.LengthMax];
        var length = Encoding.ASCII.GetBytes(text, bytes);
        HMACSHA256.HashData(pepper, bytes[..length], into);
        CryptographicOperations.ZeroMemory(bytes);
    }

    /// <summary>The digest of a key's text.</summary>
    public static byte[] Of(ReadOnlySpan<byte> pepper, ReadOnlySpan<char> text)
    {
        var digest = new byte[Length];
        Compute(pepper, text, digest);
        return digest;
    }

    /// <summary>By which a database knows its pepper again.</summary>
    public static byte[] ProofOf(ReadOnlySpan<byte> pepper) =>
        HMACSHA256.HashData(pepper, "spillway: the pepper of this database"u8);
}
