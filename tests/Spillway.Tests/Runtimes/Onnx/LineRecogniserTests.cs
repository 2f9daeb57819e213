using Spillway.Runtimes;
using Spillway.Runtimes.Onnx;
using Spillway.Tests.Conformance;

namespace Spillway.Tests.Runtimes.Onnx;

/// <summary>The model of the demo, a real one: PP-OCRv4's recogniser of lines of text.</summary>
public sealed class LineRecogniserTests
{
    private static readonly string s_assets = Repository.At("native", "node_modules", "@gutenye", "ocr-models", "assets");

    [Fact]
    public void Line_recogniser_loads_and_runs_one_line_and_two()
    {
        var source = new ModelSource("line-ocr", Path.Combine(s_assets, "ch_PP-OCRv4_rec_infer.onnx"), new OnnxOptions());
        using var model = new OnnxRuntime().Load(source, CancellationToken.None).Value;
        var input = Assert.Single(model.Signature.Inputs);
        Assert.Equal(("x", DataType.Float32, "[-1,3,48,-1]"), (input.Name, input.Type, input.Shape.ToString()));
        Assert.True(model.Signature.Batched);

        using var replica = model.CreateReplica(0).Value;
        var (one, two) = (Line(seed: 1), Line(seed: 2));
        Assert.Null(replica.Run([one], new RunMarks()));
        var alone = one.Numbers<float>(0);
        one.Clear();
        Assert.Null(replica.Run([one, two], new RunMarks()));
        Assert.All((RunItem[])[one, two], static item => Assert.Equal(new Shape([1, 40, 6625]), item.Outputs[0].Shape));

        // Class scores of a step are probabilities, and the neighbour in the batch does not change them.
        Assert.Equal(1, alone[..6625].Sum(), 1e-3);
        Assert.All(alone.Zip(one.Numbers<float>(0)), static pair => Assert.Equal(pair.First, pair.Second, 1e-3));
    }

    [Fact]
    public void Labels_are_as_many_as_the_scores_less_the_blank_and_the_space() =>
        Assert.Equal(6625 - 2, File.ReadLines(Path.Combine(s_assets, "ppocr_keys_v1.txt")).Count());

    private static RunItem Line(int seed)
    {
        var random = new Random(seed);
        return new RunItem().With([1, 3, 48, 320], [.. Enumerable.Range(0, 3 * 48 * 320).Select(_ => (random.NextSingle() * 2) - 1)]);
    }
}
