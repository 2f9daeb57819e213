using Spillway.Transforms.Picture;

namespace Spillway.Tests.Transforms.Picture;

public sealed class PictureTensorTests
{
    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 1)]
    [InlineData(2, 1)]
    [InlineData(3, 1)]
    [InlineData(4, 1)]
    [InlineData(0, 2)]
    [InlineData(1, 2)]
    [InlineData(2, 2)]
    [InlineData(3, 2)]
    [InlineData(4, 2)]
    [InlineData(0, 3)]
    [InlineData(1, 3)]
    [InlineData(2, 3)]
    [InlineData(3, 3)]
    [InlineData(4, 3)]
    [InlineData(0, 4)]
    [InlineData(1, 4)]
    [InlineData(2, 4)]
    [InlineData(3, 4)]
    [InlineData(4, 4)]
    public void Every_filter_and_colour_type_gives_the_pixels_back(int filter, int channels)
    {
        for (var width = 1; width <= 9; width++)
            AssertPixels(width, height: 7, channels, seed: width, new PngWriter { Filter = _ => filter });
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Filters_that_change_from_row_to_row_work_across_blocks(int channels) =>
        AssertPixels(width: 411, height: 300, channels, seed: 5, new PngWriter { Filter = y => y * 7 % 5 });

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(13)]
    public void Pixels_split_over_many_chunks_are_joined(int chunkBytes) =>
        AssertPixels(width: 20, height: 20, channels: 3, seed: 3, new PngWriter { ChunkBytes = chunkBytes });

    [Fact]
    public void The_demo_models_recipe_is_blue_green_red_from_minus_one_to_one()
    {
        var options = Pictures.Plain(1, "bgr") with { Mean = 0.5, Deviation = 0.5 };
        var tensor = Pictures.Decode(new PngWriter().Write(2, 1, 3, [255, 51, 0, 0, 102, 255]), options).Value;

        Pictures.AssertClose([-1, 1, -0.6, -0.2, 1, -1], tensor, within: 1e-6);
    }

    [Fact]
    public void Grey_is_the_luma_of_601_and_a_grey_source_fills_three_planes()
    {
        var colours = new PngWriter().Write(3, 1, 3, [255, 0, 0, 0, 255, 0, 0, 0, 255]);
        var grey = Pictures.Decode(colours, Pictures.Plain(1, "grey"));
        Pictures.AssertClose([76.245, 149.685, 29.07], grey.Value, within: 1e-3);

        var three = Pictures.Decode(new PngWriter().Write(2, 1, 1, [7, 200]), Pictures.Plain(1)).Value;
        Pictures.AssertClose([7, 200, 7, 200, 7, 200], three, within: 1e-4);
    }

    [Fact]
    public void Transparent_pixels_lie_over_white()
    {
        byte[] pixels = [0, 0, 0, 0, 0, 100, 200, 255, 0, 0, 0, 51];
        var tensor = Pictures.Decode(new PngWriter().Write(3, 1, 4, pixels), Pictures.Plain(1)).Value;
        Pictures.AssertClose([255, 0, 204, 255, 100, 204, 255, 200, 204], tensor, within: 1e-3);

        var luma = Pictures.Decode(new PngWriter().Write(3, 1, 4, pixels), Pictures.Plain(1, "grey")).Value;
        Pictures.AssertClose([255, (0.587 * 100) + (0.114 * 200), 204], luma, within: 1e-3);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void A_colour_declared_transparent_lies_over_white(int channels)
    {
        byte[] key = channels == 1 ? [0, 9] : [0, 9, 0, 8, 0, 7];
        byte[] pixels = channels == 1 ? [9, 10] : [9, 8, 7, 9, 8, 6];
        var writer = new PngWriter { Before = PngWriter.Chunk("tRNS", key) };
        var tensor = Pictures.Decode(writer.Write(2, 1, channels, pixels), Pictures.Plain(1)).Value;

        double[] expected = channels == 1 ? [255, 10, 255, 10, 255, 10] : [255, 9, 255, 8, 255, 6];
        Pictures.AssertClose(expected, tensor, within: 1e-3);
    }

    [Fact]
    public void Columns_right_of_the_picture_are_zero()
    {
        var options = Pictures.Plain(2) with { Mean = 0.5, Deviation = 0.5 };
        var tensor = Pictures.Decode(new PngWriter().Write(1, 2, 1, [255, 255]), options, width: 4).Value;

        Assert.Equal(24, tensor.Length);
        for (var i = 0; i < tensor.Length; i++)
            Assert.Equal(i % 4 == 0 ? 1 : 0, tensor[i], 1e-6f);
    }

    [Fact]
    public void Bytes_after_the_end_are_ignored()
    {
        var png = new PngWriter().Write(2, 2, 1, [1, 2, 3, 4]);

        Assert.Null(Pictures.Decode([.. png, 1, 2, 3], Pictures.Plain(2)).Fault);
    }

    [Theory]
    [InlineData(522, 48, 522)]
    [InlineData(1000, 100, 480)]
    [InlineData(301, 30, 482)]
    [InlineData(1, 1000, 16)]
    public void The_width_keeps_the_ratio_rounded_up_but_not_below_the_least(int width, int height, int expected)
    {
        var options = new PictureOptions { Height = 48 };

        Assert.Equal(expected, PictureTensor.Measure(new PngHeader(width, height, 3), options).Value);
    }

    [Fact]
    public void A_destination_of_another_size_is_a_bug_of_the_caller()
    {
        var png = new PngWriter().Write(2, 2, 1, [1, 2, 3, 4]);
        var header = PngHeader.Read(png).Value;

        Assert.Throws<ArgumentOutOfRangeException>(
            () => PictureTensor.Decode(png, header, Pictures.Plain(2), new float[11], width: 2));
        Assert.Throws<ArgumentOutOfRangeException>(
            () => PictureTensor.Decode(png, header, Pictures.Plain(2), new float[6], width: 1));
    }

    [Fact]
    public void Header_and_measure_allocate_nothing_and_decoding_only_its_inflater()
    {
        var png = new PngWriter { Filter = _ => 4 }.Write(522, 48, 3, Pictures.Random(1, 522 * 48 * 3));
        var options = Pictures.Plain(32);
        var tensor = new float[3 * 32 * 348];
        var header = PngHeader.Read(png).Value;
        for (var i = 0; i < 3; i++)
            Assert.Null(PictureTensor.Decode(png, header, options, tensor, width: 348));

        var before = GC.GetAllocatedBytesForCurrentThread();
        header = PngHeader.Read(png).Value;
        var width = PictureTensor.Measure(header, options).Value;
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        // The least of several: a collection may empty the array pool between two.
        var least = long.MaxValue;
        for (var i = 0; i < 10; i++)
        {
            before = GC.GetAllocatedBytesForCurrentThread();
            var fault = PictureTensor.Decode(png, header, options, tensor, width);
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
            Assert.Null(fault);
        }

        Assert.InRange(least, 1, PictureTensor.DecodeBytesMax);
    }

    private static void AssertPixels(int width, int height, int channels, int seed, PngWriter writer)
    {
        var pixels = Pictures.Random(seed, width * height * channels);
        var tensor = Pictures.Decode(writer.Write(width, height, channels, pixels), Pictures.Plain(height)).Value;

        var expected = new double[3 * width * height];
        for (var i = 0; i < width * height; i++)
        {
            var pixel = pixels.AsSpan(i * channels, channels);
            var alpha = channels is 2 or 4 ? pixel[^1] / 255.0 : 1;
            for (var plane = 0; plane < 3; plane++)
                expected[(plane * width * height) + i] = 255 + ((pixel[channels < 3 ? 0 : plane] - 255) * alpha);
        }

        Pictures.AssertClose(expected, tensor, within: 1e-3);
    }
}
