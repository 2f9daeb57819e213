using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Spillway.Policies.Caching;

/// <summary>
/// A hash of many bytes under a key that this process made and keeps: sums of products (NH) of 512 bytes each, the sums
/// taken as coefficients of a polynomial modulo 2^127 - 1. After VHASH: T. Krovetz, "Message Authentication on 64-Bit
/// Architectures", SAC 2006, sections 3 and 4; NH is of Black et al., "UMAC", CRYPTO 1999. Two given texts meet with a
/// probability below 2^-59 whatever they are, so nobody who does not know the key can make texts that meet; and eight
/// bytes cost one half of a multiplication where SipHash costs two rounds. Immutable; thread-safe.
/// </summary>
internal sealed class KeyHash
{
    private const int BlockBytes = 512;
    private const int PairBytes = 2 * sizeof(ulong);
    private static readonly UInt128 s_prime = (UInt128.One << 127) - 1;
    private static readonly UInt128 s_sumBits = (UInt128.One << 126) - 1;

    private readonly ulong[] _keys = new ulong[BlockBytes / sizeof(ulong)];
    private readonly UInt128 _point;

    /// <summary>One of a key: 528 random bytes.</summary>
    public KeyHash(ReadOnlySpan<byte> key)
    {
        for (var i = 0; i < _keys.Length; i++)
            _keys[i] = BinaryPrimitives.ReadUInt64LittleEndian(key[(i * sizeof(ulong))..]);
        _point = Fold(BinaryPrimitives.ReadUInt128LittleEndian(key[BlockBytes..]) & s_prime);
    }

    /// <summary>Bytes of a key.</summary>
    public static int KeyBytes => BlockBytes + PairBytes;

    /// <summary>One with a key of its own.</summary>
    public static KeyHash Random() => new(RandomNumberGenerator.GetBytes(KeyBytes));

    /// <summary>Goes on with a hash that began with 1: a part's bytes, its length added to the last sum.</summary>
    public UInt128 Add(UInt128 hash, ReadOnlySpan<byte> part)
    {
        var length = (UInt128)(uint)part.Length;
        for (; part.Length > BlockBytes; part = part[BlockBytes..])
            hash = Step(hash, Sum(part[..BlockBytes]));
        return Step(hash, Sum(part) + length);
    }

    /// <summary>hash * point + value, modulo 2^127 - 1.</summary>
    private UInt128 Step(UInt128 hash, UInt128 value) => Fold(Multiply(hash, _point) + value);

    private UInt128 Sum(ReadOnlySpan<byte> block)
    {
        var words = MemoryMarshal.Cast<byte, ulong>(block[..(block.Length / PairBytes * PairBytes)]);
        var sum = Products(words, _keys);
        var rest = block[(words.Length * sizeof(ulong))..];
        if (rest.Length > 0)
        {
            Span<ulong> last = [0, 0];
            rest.CopyTo(MemoryMarshal.AsBytes(last));
            sum += Products(last, _keys.AsSpan(words.Length));
        }

        return sum & s_sumBits;
    }

    /// <summary>NH: pairs of words, each plus its key, multiplied and summed; all modulo 2^64 and 2^128.</summary>
    private static UInt128 Products(ReadOnlySpan<ulong> words, ReadOnlySpan<ulong> keys)
    {
        ulong high = 0, low = 0;
        keys = keys[..words.Length];
        for (var i = 0; i + 1 < words.Length; i += 2)
        {
            var top = Math.BigMul(words[i] + keys[i], words[i + 1] + keys[i + 1], out ulong bottom);
            low += bottom;
            high += top + (low < bottom ? 1UL : 0);
        }

        return new(high, low);
    }

    /// <summary>The product below 2^127 + 1, of two factors of which one is at most 2^127 and one below it.</summary>
    private static UInt128 Multiply(UInt128 a, UInt128 b)
    {
        ulong aHigh = (ulong)(a >> 64), aLow = (ulong)a, bHigh = (ulong)(b >> 64), bLow = (ulong)b;
        var low = Product(aLow, bLow);
        var middle = Product(aHigh, bLow) + Product(aLow, bHigh);
        var high = Product(aHigh, bHigh);
        // 2^127 is 1 here, so 2^128 is 2, and the middle's upper part comes down by 127 - 64 places.
        var lifted = new UInt128((ulong)middle & (ulong.MaxValue >> 1), 0);
        return Fold(Fold((high << 1) + (middle >> 63)) + Fold(lifted + Fold(low)));
    }

    private static UInt128 Product(ulong a, ulong b)
    {
        var high = Math.BigMul(a, b, out ulong low);
        return new(high, low);
    }

    private static UInt128 Fold(UInt128 value) => (value & s_prime) + (value >> 127);
}
