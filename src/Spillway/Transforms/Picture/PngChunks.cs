using System.Buffers.Binary;
using static Spillway.Transforms.Picture.PictureFault;

namespace Spillway.Transforms.Picture;

/// <summary>Where a PNG keeps its pixels, after every chunk that matters has been checked.</summary>
/// <param name="DataStart">Offset of the first IDAT chunk; the others follow without a gap.</param>
/// <param name="DataBytes">Compressed bytes in all IDAT chunks together.</param>
/// <param name="KeyStart">
/// Offset of the tRNS chunk's bytes: one 16-bit sample per colour channel of the colour that counts as transparent;
/// 0 when the picture has none.
/// </param>
internal readonly record struct PngChunks(int DataStart, long DataBytes, int KeyStart)
{
    /// <summary>Bytes around a chunk's data: its length, its type and its checksum.</summary>
    public const int Frame = 12;

    /// <summary>The chunk type that carries pixels, as a number.</summary>
    public const uint Idat = 0x49444154;

    private const uint Iend = 0x49454E44;
    private const uint Plte = 0x504C5445;
    private const uint Trns = 0x74524E53;

    /// <summary>
    /// Walks the chunks after IHDR up to IEND and verifies lengths, order and the checksums of all that is used. What
    /// follows IEND is ignored, as every decoder does. Allocates only a fault.
    /// </summary>
    public static Outcome<PngChunks> Read(ReadOnlySpan<byte> png, in PngHeader header)
    {
        var found = default(PngChunks);
        for (var at = PngHeader.Length; ;)
        {
            if (Open(png, at, out var type, out var data) is { } broken)
                return broken;
            if (type == Iend)
                break;
            if (Take(ref found, header, type, data, at) is { } wrong)
                return wrong;
            at += Frame + data.Length;
        }

        return found.DataStart == 0
            ? Invalid($"The PNG holds no IDAT chunk, so it has no pixels. Send a complete file.")
            : found;
    }

    private static Fault? Take(ref PngChunks found, in PngHeader header, uint type, ReadOnlySpan<byte> data, int at)
    {
        if (type == Idat)
            return TakeData(ref found, data, at);
        if (type == Trns && !header.HasAlpha && found.DataStart == 0)
        {
            if (data.Length != header.Channels * 2)
            {
                return Invalid($"The PNG's tRNS chunk has {data.Length} bytes; {header.Channels * 2} belong there. "
                    + $"Send it anew.");
            }

            found = found with { KeyStart = at + 8 };
            return null;
        }

        // A capital first letter marks a chunk that must be understood; the palette is only a hint outside type 3.
        return type != Plte && (type & 0x20000000) == 0
            ? Invalid($"The PNG holds a critical chunk that this server does not know. Save it as a plain PNG.")
            : null;
    }

    private static Fault? TakeData(ref PngChunks found, ReadOnlySpan<byte> data, int at)
    {
        if (found.DataStart == 0)
            found = found with { DataStart = at, End = at };
        if (found.End != at)
            return Invalid($"The PNG's IDAT chunks do not follow each other: the file is damaged. Send it anew.");
        found = found with { DataBytes = found.DataBytes + data.Length, End = at + Frame + data.Length };
        return null;
    }

    /// <summary>Where the last IDAT chunk seen ends.</summary>
    private int End { get; init; }

    private static Fault? Open(ReadOnlySpan<byte> png, int at, out uint type, out ReadOnlySpan<byte> data)
    {
        type = 0;
        data = default;
        var rest = png[at..];
        if (rest.Length < Frame)
            return Invalid($"The PNG ends after {png.Length:N0} bytes, before its IEND chunk. Send the whole file.");
        var length = BinaryPrimitives.ReadUInt32BigEndian(rest);
        if (length > rest.Length - Frame)
        {
            return Invalid($"A chunk of the PNG declares {length:N0} bytes and {rest.Length - Frame:N0} are left: "
                + $"the file is cut or damaged. Send the whole file.");
        }

        type = BinaryPrimitives.ReadUInt32BigEndian(rest[4..]);
        data = rest.Slice(8, (int)length);
        var used = type is Idat or Iend or Trns;
        var end = 8 + data.Length;
        return used && BinaryPrimitives.ReadUInt32BigEndian(rest[end..]) != Crc32.Of(rest[4..end])
            ? Invalid($"A chunk of the PNG has a wrong checksum: the file is damaged. Send it anew.")
            : null;
    }
}
