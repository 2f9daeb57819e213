using System.Buffers;
using System.Text;
using Spillway.Transforms.Text;

namespace Spillway.Tests.Transforms.Text;

public sealed class CtcDecoderTests
{
    // Classes: 0 blank, 1 a, 2 b, 3 é, 4 space.
    private static readonly CtcDecoder Decoder = new(LabelFile.Parse("a\nb\né\n"u8, spaceLast: true, "labels").Value);

    [Theory]
    [InlineData("1,1,1", "a")]
    [InlineData("1,0,1", "aa")]
    [InlineData("1,2,1", "aba")]
    [InlineData("0,1,1,0,0,2,2,0", "ab")]
    [InlineData("1,4,2", "a b")]
    [InlineData("3,3,0,3", "éé")]
    [InlineData("0,0,0", "")]
    [InlineData("", "")]
    public void Repeats_go_first_then_blanks(string steps, string expected)
    {
        var classes = steps.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(int.Parse);
        var (text, _) = Decode([.. classes.Select(best => (best, 0.9f))]);

        Assert.Equal(expected, text);
    }

    [Fact]
    public void Confidence_is_the_mean_over_the_steps_that_gave_a_label()
    {
        // Blank and the repeat of b count for nothing.
        Assert.Equal(0.7f, Decode((1, 0.8f), (0, 0.99f), (2, 0.6f), (2, 0.95f)).Confidence, 1e-6f);
        Assert.Equal(0, Decode((0, 0.99f)).Confidence);
        Assert.Equal(0, Decode().Confidence);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void A_score_that_is_no_number_fails_the_line_and_is_named(float bad)
    {
        var scores = Scores((1, 0.9f), (2, 0.9f));
        scores[8] = bad;
        var fault = Decoder.Decode(scores, 2, new ArrayBufferWriter<byte>(), out var confidence);

        Assert.Equal(FaultKind.RuntimeFailed, fault!.Kind);
        Assert.Contains("class 3 in step 1", fault.Message, StringComparison.Ordinal);
        Assert.Equal(0, confidence);
    }

    [Fact]
    public void Masked_classes_may_be_minus_infinity()
    {
        var scores = Scores((1, 0.9f));
        scores[2] = float.NegativeInfinity;

        Assert.Null(Decoder.Decode(scores, 1, new ArrayBufferWriter<byte>(), out _));
    }

    [Fact]
    public void Scores_of_another_size_are_a_fault()
    {
        var fault = Decoder.Decode(new float[12], 3, new ArrayBufferWriter<byte>(), out _);

        Assert.Equal(FaultKind.RuntimeFailed, fault!.Kind);
        Assert.Contains("12 scores for 3 steps", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Classes_that_do_not_fit_the_labels_are_found_at_load()
    {
        Assert.Equal(5, Decoder.Classes);
        Assert.Null(Decoder.CheckClasses(5));
        Assert.Null(Decoder.CheckClasses(-1));
        var fault = Decoder.CheckClasses(6)!;
        Assert.Equal(FaultKind.LoadFailed, fault.Kind);
        Assert.Contains("6 classes; the label file labels gives 4", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Decoding_allocates_nothing()
    {
        var scores = Scores([.. Enumerable.Range(0, 200).Select(i => (i % 5, 0.9f))]);
        var text = new ArrayBufferWriter<byte>(1024);
        Assert.Null(Decoder.Decode(scores, 200, text, out _));
        text.ResetWrittenCount();

        var before = GC.GetAllocatedBytesForCurrentThread();
        var fault = Decoder.Decode(scores, 200, text, out _);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Null(fault);
        Assert.Equal(200, text.WrittenCount);
    }

    private static (string Text, float Confidence) Decode(params (int Class, float Score)[] steps)
    {
        var text = new ArrayBufferWriter<byte>();
        Assert.Null(Decoder.Decode(Scores(steps), steps.Length, text, out var confidence));
        return (Encoding.UTF8.GetString(text.WrittenSpan), confidence);
    }

    private static float[] Scores(params (int Class, float Score)[] steps)
    {
        var scores = new float[steps.Length * 5];
        for (var i = 0; i < steps.Length; i++)
            scores[(i * 5) + steps[i].Class] = steps[i].Score;
        return scores;
    }
}
