namespace Spillway.Tests.Transforms.Picture;

public sealed class PictureScalingTests
{
    [Fact]
    public void Doubling_interpolates_between_pixel_centres_as_cv2_does()
    {
        var tensor = Pictures.Decode(new PngWriter().Write(2, 1, 1, [0, 100]), Pictures.Plain(2, "grey")).Value;

        Pictures.AssertClose([0, 25, 75, 100, 0, 25, 75, 100], tensor, within: 1e-4);
    }

    [Fact]
    public void Doubling_interpolates_down_as_well()
    {
        var tensor = Pictures.Decode(new PngWriter().Write(1, 2, 1, [0, 100]), Pictures.Plain(4, "grey")).Value;

        Pictures.AssertClose([0, 0, 25, 25, 75, 75, 100, 100], tensor, within: 1e-4);
    }

    [Fact]
    public void Halving_takes_the_mean_of_four()
    {
        var tensor = Pictures.Decode(new PngWriter().Write(2, 2, 1, [0, 10, 20, 70]), Pictures.Plain(1, "grey")).Value;

        Pictures.AssertClose([25], tensor, within: 1e-4);
    }

    [Fact]
    public void Beyond_half_every_source_pixel_counts()
    {
        // One black column in eight: interpolation alone would miss it or give it half the weight.
        var pixels = new byte[64 * 64];
        Array.Fill(pixels, (byte)255);
        for (var y = 0; y < 64; y++)
            pixels[(y * 64) + 10] = 0;
        var tensor = Pictures.Decode(new PngWriter().Write(64, 64, 1, pixels), Pictures.Plain(8, "grey")).Value;

        for (var i = 0; i < tensor.Length; i++)
            Assert.Equal(i % 8 == 1 ? 255 * 7 / 8.0 : 255, tensor[i], 1e-3);
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void A_constant_picture_stays_constant(int seed)
    {
        var random = new Random(seed);
        var (width, height, target) = (random.Next(1, 120), random.Next(1, 120), random.Next(1, 60));
        var pixels = new byte[width * height * 3];
        Array.Fill(pixels, (byte)random.Next(256));
        var tensor = Pictures.Decode(new PngWriter().Write(width, height, 3, pixels), Open(target)).Value;

        Assert.All(tensor, value => Assert.Equal(pixels[0], value, 1e-3));
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Any_scale_agrees_with_the_definition(int seed)
    {
        var random = new Random(seed);
        var (width, height, target) = (random.Next(1, 90), random.Next(1, 90), random.Next(1, 60));
        var channels = random.Next(2) == 0 ? 1 : 3;
        var pixels = Pictures.Random(seed, width * height * channels);
        var tensor = Pictures.Decode(new PngWriter().Write(width, height, channels, pixels), Open(target)).Value;

        var columns = (int)(((long)width * target + height - 1) / height);
        var expected = new double[3 * target * columns];
        for (var i = 0; i < expected.Length; i++)
        {
            var (plane, y, x) = (i / (target * columns), i / columns % target, i % columns);
            foreach (var (row, down) in Taps(y, height, target))
            {
                foreach (var (column, along) in Taps(x, width, columns))
                    expected[i] += down * along * pixels[(((row * width) + column) * channels) + (plane % channels)];
            }
        }

        Pictures.AssertClose(expected, tensor, within: 0.01);
    }

    public static TheoryData<int> Seeds => [.. Enumerable.Range(0, 40)];

    private static Spillway.Transforms.Picture.PictureOptions Open(int height) =>
        Pictures.Plain(height) with { WidthMax = 65_536 };

    // Written from the definitions: overlap of intervals beyond a scale of 2, else weight by distance of centres.
    private static IEnumerable<(int Index, double Weight)> Taps(int target, int source, int targets)
    {
        var scale = source / (double)targets;
        var centre = Math.Clamp(((target + 0.5) * scale) - 0.5, 0, source - 1);
        for (var i = 0; i < source; i++)
        {
            var weight = scale > 2
                ? (Math.Min((target + 1) * scale, i + 1) - Math.Max(target * scale, i)) / scale
                : 1 - Math.Abs(centre - i);
            if (weight > 0)
                yield return (i, weight);
        }
    }
}
