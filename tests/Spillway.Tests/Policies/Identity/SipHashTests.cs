using System.Buffers.Binary;
using Spillway.Policies.Identity;

namespace Spillway.Tests.Policies.Identity;

public sealed class SipHashTests
{
    /// <summary>
    /// The vectors of the reference implementation: key 00 01 … 0f, message 00 01 … of that length.
    /// https://github.com/veorq/SipHash
    /// </summary>
    [Theory]
    [InlineData(0, "a3817f04ba25a8e66df67214c7550293")]
    [InlineData(1, "da87c1d86b99af44347659119b22fc45")]
    [InlineData(7, "a1f1ebbed8dbc153c0b84aa61ff08239")]
    [InlineData(8, "3b62a9ba6258f5610f83e264f31497b4")]
    [InlineData(15, "5493e99933b0a8117e08ec0f97cfc3d9")]
    [InlineData(63, "5150d1772f50834a503e069a973fbd7c")]
    public void The_reference_vectors_come_out(int length, string expected)
    {
        byte[] bytes = [.. Enumerable.Range(0, 64).Select(i => (byte)i)];
        var hash = new SipHash(BinaryPrimitives.ReadUInt128LittleEndian(bytes.AsSpan(0, 16)));
        var tag = new byte[16];
        BinaryPrimitives.WriteUInt128LittleEndian(tag, hash.Of(bytes.AsSpan(0, length)));
        Assert.Equal(expected, Convert.ToHexStringLower(tag));
    }

    [Fact]
    public void Two_processes_give_one_text_different_tags() =>
        Assert.NotEqual(SipHash.Random().Of("a key"), SipHash.Random().Of("a key"));
}
