using System.Buffers.Binary;
using Spillway.Transforms.Picture;

namespace Spillway.Tests.Transforms.Picture;

public sealed class HostilePictureTests
{
    private static readonly byte[] Good = new PngWriter().Write(4, 4, 3, Pictures.Random(1, 48));

    [Theory]
    [InlineData(100_000, 100_000, "10,000,000,000 pixels; at most 16,000,000")]
    [InlineData(2_147_483_647, 2_147_483_647, "at most 16,000,000")]
    [InlineData(1, 15_000_000, "a side may have at most 65,535")]
    [InlineData(60_000, 100, "becomes 28,800 wide")]
    public void Claimed_sizes_are_refused_with_value_and_limit_before_anything_is_allocated(
        int width, int height, string says)
    {
        var options = new PictureOptions { Height = 48 };
        var fault = PictureTensor.Measure(new PngHeader(width, height, 3), options).Fault!;
        Assert.Contains(says, fault.Message, StringComparison.Ordinal);

        var before = GC.GetAllocatedBytesForCurrentThread();
        var again = PictureTensor.Decode(Good, new PngHeader(width, height, 3), options, [], width: 1);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 1, 2048);
        Assert.Equal(fault, again);
    }

    [Theory]
    [InlineData(0, 1, 2, 8, 0, "0 x 1 pixels")]
    [InlineData(1, 0, 2, 8, 0, "1 x 0 pixels")]
    [InlineData(4_000_000_000, 1, 2, 8, 0, "4,000,000,000 x 1 pixels")]
    [InlineData(1, 1, 3, 8, 0, "palette")]
    [InlineData(1, 1, 5, 8, 0, "colour type 5")]
    [InlineData(1, 1, 2, 16, 0, "16 bits")]
    [InlineData(1, 1, 0, 1, 0, "1 bits")]
    [InlineData(1, 1, 2, 8, 1, "interlaced")]
    public void Headers_that_cannot_be_decoded_say_why(
        long width, long height, int colour, int depth, int interlace, string says)
    {
        var header = PngWriter.Header((uint)width, (uint)height, colour, depth, interlace);
        AssertInvalid(new PngWriter().Assemble(header, PngWriter.Zlib([0, 0])), says);
    }

    [Fact]
    public void Other_files_are_named()
    {
        AssertInvalid([], "no bytes");
        AssertInvalid([0xFF, 0xD8, 0xFF, 0xE0, 0], "JPEG");
        AssertInvalid("GIF89a"u8.ToArray(), "GIF");
        AssertInvalid("RIFF....WEBP"u8.ToArray(), "WebP");
        AssertInvalid("hello"u8.ToArray(), "PNG signature");
        AssertInvalid(Good[..20], "20 bytes, inside its header");
    }

    [Fact]
    public void A_picture_cut_anywhere_is_a_fault()
    {
        for (var length = 0; length < Good.Length; length++)
            AssertInvalid(Good[..length], "");
    }

    [Fact]
    public void Wrong_checksums_are_found_in_header_and_data()
    {
        AssertInvalid(Flip(Good, 20), "IHDR chunk has a wrong checksum");
        AssertInvalid(Flip(Good, 31), "IHDR chunk has a wrong checksum");
        AssertInvalid(Flip(Good, PngHeader.Length + 8 + 20), "chunk of the PNG has a wrong checksum");
    }

    [Fact]
    public void Data_for_fewer_or_more_pixels_than_declared_is_a_fault()
    {
        var rows = new PngWriter().Rows(4, 4, 3, Pictures.Random(1, 48));
        AssertInvalid(WithData(PngWriter.Zlib(rows.AsSpan(..^1))), "ends before the 4 x 4 pixels");
        AssertInvalid(WithData(PngWriter.Zlib([.. rows, 0])), "unfolds to more than the 4 x 4 pixels");
        AssertInvalid(WithData(PngWriter.Zlib(rows)[..^5]), "");
        AssertInvalid(WithData(Flip(PngWriter.Zlib(rows), ^1)), "does not inflate");
        AssertInvalid(WithData([1, 2, 3, 4]), "does not inflate");
        AssertInvalid(WithData([]), "");
    }

    [Fact]
    public void A_bomb_is_not_unfolded()
    {
        // 64 MB of zeros in 64 KB, behind a header of 16 pixels.
        var bomb = WithData(PngWriter.Zlib(new byte[64 << 20]));
        var header = PngHeader.Read(bomb).Value;
        var tensor = new float[48];
        _ = PictureTensor.Decode(bomb, header, Pictures.Plain(4), tensor, width: 4);

        var before = GC.GetAllocatedBytesForCurrentThread();
        var fault = PictureTensor.Decode(bomb, header, Pictures.Plain(4), tensor, width: 4);

        // A collection may empty the array pool meanwhile; its buffers are small beside the bomb.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 1, 1 << 20);
        Assert.Contains("unfolds to more", fault!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_large_claim_over_little_data_is_refused_before_inflating() =>
        AssertInvalid(
            new PngWriter().Assemble(PngWriter.Header(4000, 4000, 2), PngWriter.Zlib(new byte[1000])),
            "too few for them");

    [Fact]
    public void A_chunk_longer_than_the_file_is_a_fault()
    {
        foreach (var length in new[] { 1000u, 0x7fffffffu, 0xffffffffu })
        {
            var png = (byte[])Good.Clone();
            BinaryPrimitives.WriteUInt32BigEndian(png.AsSpan(PngHeader.Length), length);
            AssertInvalid(png, $"declares {length:N0} bytes");
        }
    }

    [Fact]
    public void Chunks_out_of_order_unknown_or_missing_are_faults()
    {
        var data = PngWriter.Zlib(new PngWriter().Rows(4, 4, 3, new byte[48]));
        var idat = PngWriter.Chunk("IDAT", data);
        var text = PngWriter.Chunk("tEXt", [1]);
        AssertInvalid(With(idat, text, PngWriter.Chunk("IDAT", [])), "do not follow each other");
        AssertInvalid(With(PngWriter.Chunk("ABCD", [1]), idat), "critical chunk");
        AssertInvalid(With(PngWriter.Chunk("tRNS", [1]), idat), "tRNS chunk has 1 bytes; 6");
        AssertInvalid(With(), "no IDAT");
        Assert.Null(Pictures.Decode(With(text, idat), Pictures.Plain(4)).Fault);
    }

    [Fact]
    public void An_unknown_row_filter_is_a_fault() =>
        AssertInvalid(new PngWriter { Filter = y => y == 2 ? 5 : 0 }.Write(4, 4, 3, new byte[48]), "filter type 5");

    [Theory]
    [MemberData(nameof(Blocks))]
    public void Random_damage_gives_a_picture_or_a_fault_and_never_throws(int block)
    {
        for (var seed = block * 50; seed < (block + 1) * 50; seed++)
        {
            var random = new Random(seed);
            var channels = random.Next(1, 5);
            var png = new PngWriter { Filter = _ => random.Next(5), ChunkBytes = random.Next(1, 200) }
                .Write(12, 9, channels, Pictures.Random(seed, 12 * 9 * channels));
            for (var flips = random.Next(1, 9); flips > 0; flips--)
                png[random.Next(png.Length)] ^= (byte)(1 << random.Next(8));

            // Half of them with right checksums, so that the damage reaches the inflater and the rows.
            if (seed % 2 == 0)
                Mend(png);
            var outcome = Pictures.Decode(png, Pictures.Plain(5));
            Assert.True(outcome.Fault is null or { Kind: FaultKind.InvalidInput }, $"seed {seed}");
        }
    }

    public static TheoryData<int> Blocks => [.. Enumerable.Range(0, 10)];

    private static byte[] WithData(byte[] zlib) => new PngWriter().Assemble(PngWriter.Header(4, 4, 2), zlib);

    private static byte[] With(params byte[][] chunks) =>
        [.. Good.AsSpan(0, PngHeader.Length), .. chunks.SelectMany(chunk => chunk), .. PngWriter.Chunk("IEND", [])];

    private static byte[] Flip(byte[] bytes, Index at)
    {
        var copy = (byte[])bytes.Clone();
        copy[at] ^= 0x10;
        return copy;
    }

    private static void Mend(byte[] png)
    {
        for (var at = 8; at + PngChunks.Frame <= png.Length;)
        {
            var length = BinaryPrimitives.ReadUInt32BigEndian(png.AsSpan(at));
            if (length > png.Length - at - PngChunks.Frame)
                return;
            var end = at + 8 + (int)length;
            BinaryPrimitives.WriteUInt32BigEndian(png.AsSpan(end), Crc32.Of(png.AsSpan((at + 4)..end)));
            at = end + 4;
        }
    }

    private static void AssertInvalid(byte[] png, string says)
    {
        var fault = Pictures.Decode(png, Pictures.Plain(4)).Fault;
        Assert.NotNull(fault);
        Assert.Equal(FaultKind.InvalidInput, fault.Kind);
        Assert.Contains(says, fault.Message, StringComparison.Ordinal);
    }
}
