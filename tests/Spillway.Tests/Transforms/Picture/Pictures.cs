using Spillway.Transforms.Picture;

namespace Spillway.Tests.Transforms.Picture;

/// <summary>Short ways to make and decode pictures.</summary>
internal static class Pictures
{
    /// <summary>Values 0 to 255 as they are, no scaling of values.</summary>
    public static PictureOptions Plain(int height, string channels = "rgb") =>
        new() { Name = "image", To = "x", Height = height, WidthMin = 1, Channels = channels, Deviation = 1 / 255.0 };

    public static byte[] Random(int seed, int bytes)
    {
        var pixels = new byte[bytes];
        new Random(seed).NextBytes(pixels);
        return pixels;
    }

    /// <summary>All of it, as a server does: header, measure, decode.</summary>
    public static Outcome<float[]> Decode(byte[] png, PictureOptions options, int width = 0)
    {
        if (!PngHeader.Read(png).TryGet(out var header, out var fault))
            return fault;
        if (!PictureTensor.Measure(header, options).TryGet(out var least, out fault))
            return fault;
        width = Math.Max(width, least);
        var tensor = new float[PictureTensor.Planes(options) * options.Height * width];
        Array.Fill(tensor, float.NaN);
        return PictureTensor.Decode(png, header, options, tensor, width) is { } wrong ? wrong : tensor;
    }

    public static void AssertClose(ReadOnlySpan<double> expected, ReadOnlySpan<float> actual, double within)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++)
            Assert.True(Math.Abs(expected[i] - actual[i]) <= within, $"[{i}]: {actual[i]}, not {expected[i]}");
    }
}
