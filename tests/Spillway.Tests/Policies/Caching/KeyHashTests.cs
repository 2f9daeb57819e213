using System.Numerics;
using Spillway.Policies.Caching;

namespace Spillway.Tests.Policies.Caching;

public sealed class KeyHashTests
{
    private static readonly BigInteger s_prime = (BigInteger.One << 127) - 1;

    /// <summary>The paper's formula in whole numbers without a bound: sums of products, then a polynomial.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Every_length_comes_out_as_the_formula_says(int seed)
    {
        var random = new Random(seed);
        var key = Bytes(random, KeyHash.KeyBytes);
        var hash = new KeyHash(key);
        for (var length = 0; length <= 1100; length += length < 40 ? 1 : random.Next(1, 40))
        {
            var text = Bytes(random, length);
            var expected = Formula(1, text, key);
            Assert.Equal(expected, (BigInteger)hash.Add(UInt128.One, text) % s_prime);
        }
    }

    [Fact]
    public void Extreme_keys_and_texts_come_out_as_the_formula_says()
    {
        foreach (var fill in new byte[] { 0, 0x7f, 0x80, 0xff })
        {
            var key = Enumerable.Repeat(fill, KeyHash.KeyBytes).ToArray();
            var hash = new KeyHash(key);
            foreach (var content in new byte[] { 0, 1, 0xff })
            {
                var text = Enumerable.Repeat(content, 2000).ToArray();
                Assert.Equal(Formula(1, text, key), (BigInteger)hash.Add(UInt128.One, text) % s_prime);
            }
        }
    }

    [Fact]
    public void Parts_are_told_apart_by_where_they_end()
    {
        var hash = KeyHash.Random();
        byte[] text = [.. Enumerable.Range(0, 100).Select(i => (byte)i)];
        HashSet<UInt128> seen = [];
        for (var cut = 0; cut <= text.Length; cut++)
            Assert.True(seen.Add(hash.Add(hash.Add(UInt128.One, text.AsSpan(0, cut)), text.AsSpan(cut))));
    }

    [Fact]
    public void One_bit_makes_another_hash_and_two_processes_differ()
    {
        var hash = KeyHash.Random();
        var text = new byte[600];
        HashSet<UInt128> seen = [hash.Add(UInt128.One, text)];
        for (var bit = 0; bit < text.Length * 8; bit++)
        {
            text[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.True(seen.Add(hash.Add(UInt128.One, text)));
            text[bit / 8] ^= (byte)(1 << (bit % 8));
        }

        Assert.NotEqual(hash.Add(UInt128.One, text), KeyHash.Random().Add(UInt128.One, text));
    }

    private static BigInteger Formula(BigInteger begin, byte[] text, byte[] key)
    {
        var mask64 = (BigInteger.One << 64) - 1;
        var point = Word(key, 512, 16) & s_prime;
        var hash = begin;
        for (var at = 0; at == 0 || at < text.Length; at += 512)
        {
            BigInteger sum = 0;
            var block = text.AsSpan(at, Math.Min(512, text.Length - at)).ToArray();
            for (var i = 0; i < block.Length; i += 16)
            {
                var first = (Word(block, i, 8) + Word(key, i, 8)) & mask64;
                var second = (Word(block, i + 8, 8) + Word(key, i + 8, 8)) & mask64;
                sum += first * second;
            }

            sum &= (BigInteger.One << 126) - 1;
            hash = ((hash * point) + sum + (at + 512 >= text.Length ? text.Length : 0)) % s_prime;
        }

        return hash;
    }

    private static BigInteger Word(byte[] bytes, int at, int length)
    {
        BigInteger word = 0;
        for (var i = 0; i < length && at + i < bytes.Length; i++)
            word += (BigInteger)bytes[at + i] << (8 * i);
        return word;
    }

    private static byte[] Bytes(Random random, int length)
    {
        var bytes = new byte[length];
        random.NextBytes(bytes);
        return bytes;
    }
}
