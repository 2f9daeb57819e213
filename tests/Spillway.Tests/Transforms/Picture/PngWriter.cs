using System.Buffers.Binary;
using System.IO.Compression;

namespace Spillway.Tests.Transforms.Picture;

/// <summary>Writes PNGs for the tests, right ones and, through its switches, wrong ones.</summary>
internal sealed class PngWriter
{
    private static readonly byte[] Signature = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A];

    /// <summary>Filter type of each row.</summary>
    public Func<int, int> Filter { get; init; } = _ => 0;

    /// <summary>Bytes per IDAT chunk.</summary>
    public int ChunkBytes { get; init; } = int.MaxValue;

    /// <summary>Chunks between IHDR and IDAT.</summary>
    public byte[] Before { get; init; } = [];

    /// <summary>The whole file from interleaved pixels of 8 bits.</summary>
    public byte[] Write(int width, int height, int channels, ReadOnlySpan<byte> pixels) =>
        Assemble(Header(width, height, ColourType(channels)), Zlib(Rows(width, height, channels, pixels)));

    /// <summary>The file from an IHDR and compressed data, right or wrong.</summary>
    public byte[] Assemble(byte[] ihdr, ReadOnlySpan<byte> data)
    {
        var png = new List<byte>();
        png.AddRange(Signature);
        png.AddRange(Chunk("IHDR", ihdr));
        png.AddRange(Before);
        do
        {
            var part = data[..Math.Min(ChunkBytes, data.Length)];
            png.AddRange(Chunk("IDAT", part));
            data = data[part.Length..];
        }
        while (!data.IsEmpty);
        png.AddRange(Chunk("IEND", []));
        return [.. png];
    }

    /// <summary>The 13 bytes of IHDR.</summary>
    public static byte[] Header(uint width, uint height, int colour, int depth = 8, int interlace = 0)
    {
        var ihdr = new byte[13];
        BinaryPrimitives.WriteUInt32BigEndian(ihdr, width);
        BinaryPrimitives.WriteUInt32BigEndian(ihdr.AsSpan(4), height);
        (ihdr[8], ihdr[9], ihdr[12]) = ((byte)depth, (byte)colour, (byte)interlace);
        return ihdr;
    }

    /// <summary>A chunk with its length and checksum.</summary>
    public static byte[] Chunk(string type, ReadOnlySpan<byte> data)
    {
        var chunk = new byte[12 + data.Length];
        BinaryPrimitives.WriteInt32BigEndian(chunk, data.Length);
        System.Text.Encoding.ASCII.GetBytes(type, chunk.AsSpan(4));
        data.CopyTo(chunk.AsSpan(8));
        BinaryPrimitives.WriteUInt32BigEndian(chunk.AsSpan(8 + data.Length), SlowCrc(chunk.AsSpan(4, 4 + data.Length)));
        return chunk;
    }

    /// <summary>Compresses.</summary>
    public static byte[] Zlib(ReadOnlySpan<byte> bytes)
    {
        using var memory = new MemoryStream();
        using (var zlib = new ZLibStream(memory, CompressionLevel.Optimal, leaveOpen: true))
            zlib.Write(bytes);
        return memory.ToArray();
    }

    /// <summary>The colour type of 1 to 4 bytes a pixel.</summary>
    public static int ColourType(int channels) => channels switch { 1 => 0, 2 => 4, 3 => 2, _ => 6 };

    /// <summary>Filtered rows, each behind its filter byte.</summary>
    public byte[] Rows(int width, int height, int channels, ReadOnlySpan<byte> pixels)
    {
        var line = width * channels;
        var rows = new byte[height * (line + 1)];
        for (var y = 0; y < height; y++)
        {
            var filter = Filter(y);
            rows[y * (line + 1)] = (byte)filter;
            for (var i = 0; i < line; i++)
            {
                var left = i < channels ? 0 : pixels[(y * line) + i - channels];
                var up = y == 0 ? 0 : pixels[((y - 1) * line) + i];
                var corner = y == 0 || i < channels ? 0 : pixels[((y - 1) * line) + i - channels];
                rows[(y * (line + 1)) + 1 + i] = (byte)(pixels[(y * line) + i] - Predict(filter, left, up, corner));
            }
        }

        return rows;
    }

    private static byte[] Header(int width, int height, int colour) => Header((uint)width, (uint)height, colour);

    // As the PNG specification writes it, apart from the product's own.
    private static int Predict(int filter, int a, int b, int c)
    {
        var p = a + b - c;
        var (pa, pb, pc) = (Math.Abs(p - a), Math.Abs(p - b), Math.Abs(p - c));
        return filter switch
        {
            1 => a,
            2 => b,
            3 => (a + b) / 2,
            4 => pa <= pb && pa <= pc ? a : pb <= pc ? b : c,
            _ => 0,
        };
    }

    private static uint SlowCrc(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var value in bytes)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++)
                crc = (crc >> 1) ^ ((crc & 1) * 0xEDB88320);
        }

        return ~crc;
    }
}
