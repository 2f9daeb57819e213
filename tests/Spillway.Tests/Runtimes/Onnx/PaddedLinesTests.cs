using System.Text;
using Spillway.Engine;
using Spillway.Engine.Doors;
using Spillway.Policies.Batching;
using Spillway.Runtimes;
using Spillway.Runtimes.Onnx;
using Spillway.Tests.Conformance;
using Spillway.Transforms.Picture;
using Spillway.Transforms.Text;
using Xunit.Abstractions;

namespace Spillway.Tests.Runtimes.Onnx;

/// <summary>
/// The line recogniser with padding: it is a network that sees its whole input, so padding is not nothing to it. What a
/// user relies on is that a line's text does not depend on the lines beside it, and is right.
/// </summary>
public sealed class PaddedLinesTests(ITestOutputHelper output)
{
    private static readonly string s_assets =
        Repository.At("native", "node_modules", "@gutenye", "ocr-models", "assets");

    private static readonly ModelSource s_source =
        new("line-ocr", Path.Combine(s_assets, "ch_PP-OCRv4_rec_infer.onnx"), new OnnxOptions());

    private static readonly PictureOptions s_picture =
        new() { Name = "image", To = "x", Height = 48, Channels = "bgr", Mean = 0.5, Deviation = 0.5 };

    private static readonly PaddingOptions s_padding = new()
    {
        Inputs = new Dictionary<string, PaddedInputOptions> { ["x"] = new() { Axis = 3 } },
        Min = 160, Max = 960, Step = 8,
    };

    [Fact]
    public void A_line_has_the_same_text_alone_and_beside_others_and_it_is_the_right_one()
    {
        using var model = new OnnxRuntime().Load(s_source, CancellationToken.None).Value;
        using var replica = model.CreateReplica(0).Value;
        var outputs = new Dictionary<string, TrimmedOutputOptions>
        {
            [model.Signature.Outputs[0].Name] = new() { Axis = 1, Per = 8, Plus = 3 },
        };
        var plan = PaddingBinding.Bind(s_padding with { Outputs = outputs }, model.Signature).Value;
        var buckets = ShapeBuckets.Of(s_padding);
        var reader = new Reader(model.Signature);
        var lines = File.ReadAllLines(Repository.At("samples", "ocr", "expected.tsv"))
            .Where(line => line.Contains(".png", StringComparison.Ordinal)).Select(line => line.Split('\t'))
            .Select(part => (Name: part[0], Text: part[1], Item: reader.Decode(part[0]))).ToList();

        foreach (var bucket in lines.GroupBy(line => buckets.Fit(plan.LengthOf(line.Item.Inputs)).Length))
        {
            // A neighbour of the bucket's full width, so that every line is in a batch of several.
            var stranger = new RunItem().With(
                [1, 3, 48, bucket.Key], [.. Enumerable.Range(0, 144 * (int)bucket.Key).Select(i => MathF.Sin(i))]);
            var together = Run([.. bucket.Select(line => line.Item), stranger], new RunPadding(plan, bucket.Key));
            foreach (var (line, (text, confidence)) in bucket.Zip(together))
            {
                var alone = Run([line.Item], new RunPadding(plan, bucket.Key))[0];
                var exact = Run([line.Item], null)[0];
                output.WriteLine($"{line.Name}: {plan.LengthOf(line.Item.Inputs)} to {bucket.Key}: '{exact.Text}' "
                    + $"{exact.Confidence:F4} unpadded, "
                    + $"{alone.Confidence - exact.Confidence:+0.0000;-0.0000} padded alone, "
                    + $"{confidence - alone.Confidence:+0.000000;-0.000000} in a batch of {bucket.Count() + 1}");
                Assert.Equal(line.Text, text.Trim());
                Assert.Equal(alone.Text, text);
                Assert.Equal(alone.Confidence, confidence, 1e-3);
                Assert.Equal(exact.Text.Trim(), text.Trim());
                Assert.Equal(exact.Confidence, confidence, 0.05);
            }
        }

        List<(string Text, float Confidence)> Run(RunItem[] items, RunPadding? padding)
        {
            Array.ForEach(items, item => item.Clear());
            Assert.Null(replica.Run(items, new RunMarks { Pads = padding }));
            return [.. items.Select(reader.Read)];
        }
    }

    [Theory]
    [InlineData(160)]
    [InlineData(163)]
    [InlineData(165)]
    [InlineData(169)]
    [InlineData(324)]
    [InlineData(325)]
    public void A_line_is_cut_back_to_the_steps_that_its_own_width_gives(int width)
    {
        using var model = new OnnxRuntime().Load(s_source, CancellationToken.None).Value;
        using var replica = model.CreateReplica(0).Value;
        var item = new RunItem().With([1, 3, 48, width], new float[144 * width]);
        Assert.Null(replica.Run([item], new RunMarks()));
        Assert.Equal(item.Outputs[0].Shape[1], new TrimmedOutput(0, 1, Per: 8, Plus: 3).Keep(width));
    }

    /// <summary>The demo's door: picture in, text out.</summary>
    private sealed class Reader
    {
        private readonly PictureInput _input = new(s_picture);
        private readonly CtcOutput _output;

        public Reader(Signature model)
        {
            var labels = LabelFile.Load(Path.Combine(s_assets, "ppocr_keys_v1.txt"), spaceLast: true);
            _output = new(new CtcOptions(), labels.Value);
            Assert.Null(_input.Bind(model).Fault);
            Assert.Null(_output.Bind(model).Fault);
        }

        public RunItem Decode(string sample)
        {
            var png = File.ReadAllBytes(Repository.At("samples", "ocr", sample));
            var request = new RunItem().With(DataType.Bytes, [1], [.. BitConverter.GetBytes(png.Length), .. png]);
            var item = new RunItem();
            Assert.Null(_input.Decode(request.Inputs, item.Inputs));
            return item;
        }

        public (string Text, float Confidence) Read(RunItem item)
        {
            var outputs = new TensorSet();
            var (port, shape, data) = item.Outputs[0];
            Assert.Null(_output.Take(outputs, port, shape, data));
            return (Encoding.UTF8.GetString(outputs[0].Data.Span[4..]), BitConverter.ToSingle(outputs[1].Data.Span));
        }
    }
}
