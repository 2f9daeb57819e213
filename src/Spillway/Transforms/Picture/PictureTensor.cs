using static Spillway.Transforms.Picture.PictureFault;

namespace Spillway.Transforms.Picture;

/// <summary>
/// A PNG as a normalised tensor float32 [channels, height, width], in two phases with the admission of the request
/// between them: <see cref="Measure"/> costs nothing and says how wide the tensor is, <see cref="Decode"/> does the
/// work. Thread-safe: all state is on the stack or in pooled buffers.
/// </summary>
internal static class PictureTensor
{
    /// <summary>The longest side taken, as JPEG's: it bounds the work for a picture of a single column.</summary>
    public const int SideMax = 65_535;

    /// <summary>
    /// What one decoding allocates at most, in bytes: the inflater's objects (376 on .NET 10); all else is pooled.
    /// </summary>
    public const int DecodeBytesMax = 512;

    // Deflate cannot unfold more than 1,032 bytes from one (zlib's technical notes); the slack covers tiny streams.
    private const int InflateMax = 1032;
    private const int InflateSlack = 64 * 1024;

    /// <summary>Planes of the tensor: 1 for the channel order "grey", else 3.</summary>
    public static int Planes(PictureOptions options) => options.Channels == "grey" ? 1 : 3;

    /// <summary>
    /// The narrowest tensor that this picture fits: its width once scaled to the options' height with its ratio kept
    /// (or the part of that which <see cref="PictureOptions.WidthScale"/> leaves), rounded up, and at least
    /// <see cref="PictureOptions.WidthMin"/>. A fault when the picture declares more pixels or becomes wider than the
    /// options allow. Allocates only that fault.
    /// </summary>
    public static Outcome<int> Measure(in PngHeader header, PictureOptions options)
    {
        var pixels = (long)header.Width * header.Height;
        if (pixels > options.PixelsMax)
        {
            return Invalid($"The picture declares {header.Width:N0} x {header.Height:N0} = {pixels:N0} pixels; "
                + $"at most {options.PixelsMax:N0} are taken. "
                + $"Send a smaller picture, or raise picture.pixelsMax in model.yaml.");
        }

        if (header.Width > SideMax || header.Height > SideMax)
        {
            return Invalid($"The picture declares {header.Width:N0} x {header.Height:N0} pixels; "
                + $"a side may have at most {SideMax:N0}. Cut it into smaller pictures.");
        }

        var scaled = Scaled(header, options);
        if (scaled > options.WidthMax)
        {
            return Invalid($"The picture of {header.Width:N0} x {header.Height:N0} pixels becomes "
                + $"{scaled:N0} wide at a height of {options.Height:N0}; at most {options.WidthMax:N0} are taken. "
                + $"Cut it, or raise picture.widthMax in model.yaml.");
        }

        return Math.Max((int)scaled, options.WidthMin);
    }

    /// <summary>
    /// Decodes, scales and normalises the picture whose header this is. Null, or the fault in its data
    /// (<see cref="FaultKind.InvalidInput"/>); the destination's content is then undefined. Never throws for what a
    /// picture holds, and allocates at most <see cref="DecodeBytesMax"/>.
    /// </summary>
    /// <param name="png">The whole file.</param>
    /// <param name="header">What <see cref="PngHeader.Read"/> found in it.</param>
    /// <param name="options">Height, order of the channels, mean and deviation.</param>
    /// <param name="destination">float32 [planes, height, width], exactly as long.</param>
    /// <param name="width">At least what <see cref="Measure"/> said; columns right of the picture become 0.</param>
    public static Fault? Decode(
        ReadOnlyMemory<byte> png, in PngHeader header, PictureOptions options, Span<float> destination, int width)
    {
        // Measured again, so that no caller can forget the limits.
        if (!Measure(header, options).TryGet(out var least, out var fault))
            return fault;
        ArgumentOutOfRangeException.ThrowIfLessThan(width, least);
        ArgumentOutOfRangeException.ThrowIfNotEqual(destination.Length, Planes(options) * options.Height * width);
        if (!PngChunks.Read(png.Span, header).TryGet(out var chunks, out fault))
            return fault;
        if (((long)header.Width * header.Channels + 1) * header.Height > (chunks.DataBytes * InflateMax) + InflateSlack)
        {
            return Invalid($"The PNG declares {header.Width:N0} x {header.Height:N0} pixels and holds only "
                + $"{chunks.DataBytes:N0} compressed bytes, too few for them. Send the whole file.");
        }

        var layout = new PictureLayout(options, width, (int)Scaled(header, options));
        var pixels = new PixelRow(png.Span, header, chunks, layout.Planes == 1);
        using var rows = new PngRows(png, header, chunks);
        using var scaler = new PictureScaler(header, pixels, layout, destination);
        return scaler.Run(rows, header.Height);
    }

    private static long Scaled(in PngHeader header, PictureOptions options)
    {
        var kept = (((long)header.Width * options.Height) + header.Height - 1) / header.Height;
        return options.WidthScale < 1 ? Math.Max(1, (long)Math.Ceiling(kept * options.WidthScale)) : kept;
    }
}
