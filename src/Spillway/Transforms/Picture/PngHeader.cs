using System.Buffers.Binary;
using static Spillway.Transforms.Picture.PictureFault;

namespace Spillway.Transforms.Picture;

/// <summary>
/// What a PNG declares about itself in its first 33 bytes: enough to admit or refuse it before any decoding.
/// </summary>
/// <param name="Width">Pixels in a row, 1 to 2,147,483,647 as declared; nothing is allocated by it before
/// <see cref="PictureTensor.Measure"/> has checked it.</param>
/// <param name="Height">Rows, 1 to 2,147,483,647 as declared.</param>
/// <param name="Channels">Bytes per pixel: 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha.</param>
internal readonly record struct PngHeader(int Width, int Height, int Channels)
{
    /// <summary>Bytes that <see cref="Read"/> looks at: the signature and the IHDR chunk.</summary>
    public const int Length = 33;

    private const string Remedy =
        "Send an 8-bit grey, RGB or RGBA PNG without interlacing, as a browser's canvas writes it.";

    /// <summary>True when the last byte of each pixel is its opacity.</summary>
    public bool HasAlpha => Channels is 2 or 4;

    /// <summary>
    /// Reads the signature and IHDR; looks no further. Allocates nothing but a fault
    /// (<see cref="FaultKind.InvalidInput"/>) for anything that cannot be decoded here.
    /// </summary>
    public static Outcome<PngHeader> Read(ReadOnlySpan<byte> png)
    {
        if (!png.StartsWith(Signature))
            return NotPng(png);
        if (png.Length < Length)
            return Invalid($"The PNG ends after {png.Length} bytes, inside its header of {Length}. Send all of it.");
        if (BinaryPrimitives.ReadUInt32BigEndian(png[8..]) != 13 || !png.Slice(12, 4).SequenceEqual("IHDR"u8))
            return Invalid($"The PNG does not begin with an IHDR chunk of 13 bytes: it is damaged. Send it anew.");
        if (BinaryPrimitives.ReadUInt32BigEndian(png[29..]) != Crc32.Of(png[12..29]))
            return Invalid($"The PNG's IHDR chunk has a wrong checksum: the file is damaged. Send it anew.");
        return Pixels(png[16..29]);
    }

    private static ReadOnlySpan<byte> Signature => [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A];

    private static Outcome<PngHeader> Pixels(ReadOnlySpan<byte> ihdr)
    {
        var width = BinaryPrimitives.ReadUInt32BigEndian(ihdr);
        var height = BinaryPrimitives.ReadUInt32BigEndian(ihdr[4..]);
        if (width is 0 or > int.MaxValue || height is 0 or > int.MaxValue)
        {
            return Invalid($"The PNG declares {width:N0} x {height:N0} pixels; "
                + $"each side must be 1 to {int.MaxValue:N0}. Send a picture that has pixels.");
        }

        var channels = ihdr[9] switch { 0 => 1, 2 => 3, 4 => 2, 6 => 4, _ => 0 };
        if (channels == 0)
        {
            return ihdr[9] == 3
                ? Invalid($"The PNG has a palette (colour type 3), which is not supported. {Remedy}")
                : Invalid($"The PNG declares colour type {ihdr[9]}, which does not exist. {Remedy}");
        }

        if (ihdr[8] != 8)
            return Invalid($"The PNG has {ihdr[8]} bits per sample; only 8 are supported. {Remedy}");
        if (ihdr[12] != 0)
            return Invalid($"The PNG is interlaced (method {ihdr[12]}), which is not supported. {Remedy}");
        if (ihdr[10] != 0 || ihdr[11] != 0)
            return Invalid($"The PNG declares compression {ihdr[10]} and filter {ihdr[11]}; only 0 exists. {Remedy}");
        return new PngHeader((int)width, (int)height, channels);
    }

    private static Fault NotPng(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty)
            return Invalid($"The picture has no bytes. {Remedy}");
        if (bytes.Length < Signature.Length && Signature.StartsWith(bytes))
            return Invalid($"The PNG ends after {bytes.Length} bytes, inside its signature. Send the whole file.");
        var kind = bytes switch
        {
            [0xFF, 0xD8, 0xFF, ..] => "is a JPEG",
            [(byte)'G', (byte)'I', (byte)'F', (byte)'8', ..] => "is a GIF",
            [(byte)'R', (byte)'I', (byte)'F', (byte)'F', ..] => "is a WebP",
            [(byte)'%', (byte)'P', (byte)'D', (byte)'F', ..] => "is a PDF",
            _ => "does not begin with the PNG signature",
        };
        return Invalid($"The picture {kind}; only PNG is supported. {Remedy}");
    }
}
