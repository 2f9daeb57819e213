using System.Buffers.Binary;
using System.Numerics.Tensors;

namespace Spillway.Transforms.Picture;

/// <summary>
/// Turns one row of PNG pixels into opaque float samples 0 to 255, as many per pixel as the tensor needs: 1 when the
/// picture or the model is grey, else 3 in the order R, G, B. Transparent pixels lie over white, as paper is: text on a
/// transparent ground would otherwise come out black on black.
/// </summary>
internal readonly struct PixelRow
{
    // ITU-R BT.601, the luma that cv2.cvtColor uses.
    private const float Red = 0.299f;
    private const float Green = 0.587f;
    private const float Blue = 0.114f;

    private readonly int _channels;
    private readonly bool _luma;
    private readonly bool _keyed;
    private readonly uint _key;

    /// <summary>For pictures with that header; grey says that the model wants one channel.</summary>
    public PixelRow(ReadOnlySpan<byte> png, in PngHeader header, in PngChunks chunks, bool grey)
    {
        _channels = header.Channels;
        _luma = grey && _channels >= 3;
        Samples = grey || _channels <= 2 ? 1 : 3;
        if (chunks.KeyStart == 0)
            return;
        for (var i = 0; i < _channels; i++)
        {
            // Samples of 8 bits are stored as 16; a key beyond 255 matches no pixel.
            var sample = BinaryPrimitives.ReadUInt16BigEndian(png[(chunks.KeyStart + (i * 2))..]);
            _key = (_key << 8) | sample;
            _keyed = (i == 0 || _keyed) && sample <= byte.MaxValue;
        }
    }

    /// <summary>Samples per pixel of the result: 1 or 3.</summary>
    public int Samples { get; }

    /// <summary>Converts a row; flat has room for its pixels times <see cref="Samples"/>.</summary>
    public void Flatten(ReadOnlySpan<byte> row, Span<float> flat)
    {
        switch (_channels)
        {
            case 1 or 3 when !_luma:
                TensorPrimitives.ConvertSaturating(row, flat);
                break;
            case 2:
                GreyAlpha(row, flat);
                break;
            case 4 when !_luma:
                ColourAlpha(row, flat);
                break;
            default:
                Luma(row, flat, _channels);
                break;
        }

        if (_keyed)
            Clear(row, flat);
    }

    private static float Over(byte value, byte alpha) => 255 + ((value - 255) * alpha / 255f);

    private static void GreyAlpha(ReadOnlySpan<byte> row, Span<float> flat)
    {
        for (var x = 0; x < flat.Length; x++)
            flat[x] = Over(row[x * 2], row[(x * 2) + 1]);
    }

    private static void ColourAlpha(ReadOnlySpan<byte> row, Span<float> flat)
    {
        while (row.Length >= 4 && flat.Length >= 3)
        {
            var alpha = row[3];
            flat[2] = Over(row[2], alpha);
            flat[1] = Over(row[1], alpha);
            flat[0] = Over(row[0], alpha);
            row = row[4..];
            flat = flat[3..];
        }
    }

    private static void Luma(ReadOnlySpan<byte> row, Span<float> flat, int channels)
    {
        for (var x = 0; x < flat.Length; x++)
        {
            var pixel = row.Slice(x * channels, channels);
            var luma = (Red * pixel[0]) + (Green * pixel[1]) + (Blue * pixel[2]);
            flat[x] = channels == 4 ? 255 + ((luma - 255) * pixel[3] / 255f) : luma;
        }
    }

    private void Clear(ReadOnlySpan<byte> row, Span<float> flat)
    {
        for (var x = 0; x < flat.Length / Samples; x++)
        {
            var pixel = row.Slice(x * _channels, _channels);
            var colour = _channels == 1 ? pixel[0] : ((uint)pixel[0] << 16) | ((uint)pixel[1] << 8) | pixel[2];
            if (colour == _key)
                flat.Slice(x * Samples, Samples).Fill(255);
        }
    }
}
