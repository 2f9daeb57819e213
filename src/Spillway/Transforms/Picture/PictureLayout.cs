namespace Spillway.Transforms.Picture;

/// <summary>
/// The tensor that a picture fills: float32 [planes, height, width], of which the right may be padding.
/// </summary>
/// <param name="Planes">1 or 3.</param>
/// <param name="Height">Rows.</param>
/// <param name="Width">Columns, padding included.</param>
/// <param name="Filled">Columns that the scaled picture fills.</param>
/// <param name="BlueFirst">True for the order B, G, R.</param>
/// <param name="Scale">Factor of a sample of 0 to 255.</param>
/// <param name="Offset">Added to the product.</param>
internal readonly record struct PictureLayout(
    int Planes, int Height, int Width, int Filled, bool BlueFirst, float Scale, float Offset)
{
    /// <summary>value = (v / 255 - mean) / deviation, written as v * scale + offset.</summary>
    public PictureLayout(PictureOptions options, int width, int filled)
        : this(
            PictureTensor.Planes(options),
            options.Height,
            width,
            filled,
            options.Channels == "bgr",
            (float)(1 / (255 * options.Deviation)),
            (float)(-options.Mean / options.Deviation))
    {
    }
}
