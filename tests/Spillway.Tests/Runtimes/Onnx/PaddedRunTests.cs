using Spillway.Engine;
using Spillway.Policies.Batching;
using Spillway.Runtimes;
using Spillway.Shared;
using Spillway.Tests.Conformance;

namespace Spillway.Tests.Runtimes.Onnx;

/// <summary>Requests of different lengths in one run of a real, generated model.</summary>
public sealed class PaddedRunTests(OnnxFixture onnx) : IClassFixture<OnnxFixture>
{
    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 8)];

    [Fact]
    public void Each_request_gets_what_its_own_length_gives_and_the_mask_hides_the_padding()
    {
        using var model = onnx.Load(OnnxModels.MaskedMean());
        using var replica = model.CreateReplica(0).Value;
        var plan = Plan(model, Masked(value: 1000));
        RunItem[] items = [Row(1, 2, 3), Row(10), Row(4, 5, 6, 7, 8)];

        Assert.Null(replica.Run(items, new RunMarks { Pads = new(plan, 8) }));

        Assert.Equal([2f, 4, 6], items[0].Numbers<float>(0));
        Assert.Equal([2f, 10, 6], items.Select(item => item.Numbers<float>(1)[0]));
        Assert.Equal(
            [new Shape([1, 3]), new Shape([1, 1]), new Shape([1, 5])], items.Select(item => item.Outputs[0].Shape));
        Assert.Equal([8f, 10, 12, 14, 16], items[2].Numbers<float>(0));
    }

    [Fact]
    public void Without_a_length_the_mask_is_all_ones()
    {
        using var model = onnx.Load(OnnxModels.MaskedMean());
        using var replica = model.CreateReplica(0).Value;
        var item = Row(1, 2, 6);
        Assert.Null(replica.Run([item], new RunMarks { Pads = new(Plan(model, Masked(0)), 0) }));
        Assert.Equal([3f], item.Numbers<float>(1));
        Assert.Equal([2f, 4, 12], item.Numbers<float>(0));
    }

    [Fact]
    public void A_request_s_own_bytes_are_never_touched_and_a_shorter_run_shows_nothing_of_a_longer_one()
    {
        using var model = onnx.Load(OnnxModels.MaskedMean());
        using var replica = model.CreateReplica(0).Value;
        var plan = Plan(model, Masked(7));
        var item = Row(1, 2);
        var before = item.Inputs[1].Data.ToArray();
        Assert.Null(replica.Run([Row([.. Enumerable.Repeat(9f, 64)])], new RunMarks { Pads = new(plan, 64) }));
        Assert.Null(replica.Run([item], new RunMarks { Pads = new(plan, 4) }));
        Assert.Equal(before, item.Inputs[1].Data.ToArray());
        Assert.Equal([1.5f], item.Numbers<float>(1));
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Rows_of_several_planes_are_padded_and_cut_piece_by_piece(int seed)
    {
        using var model = onnx.Load(OnnxModels.Planes());
        using var replica = model.CreateReplica(0).Value;
        var plan = Plan(model, new()
        {
            Inputs = new Dictionary<string, PaddedInputOptions> { ["x"] = new() { Axis = 2, Value = -3 } },
            Outputs = new Dictionary<string, TrimmedOutputOptions>
            {
                ["twice"] = new() { Axis = 2 }, ["half"] = new() { Axis = 2, Per = 2 },
            },
        });
        var random = new Random(seed);
        var items = Enumerable.Range(0, random.Next(1, 6))
            .Select(i => Planes(new Random((100 * seed) + i), random.Next(1, 4), random.Next(2, 41))).ToArray();

        Assert.Null(replica.Run(items, new RunMarks { Pads = new(plan, 40) }));

        foreach (var item in items)
        {
            var alone = new RunItem { RowsGiven = item.Rows }.With(
                DataType.Float32, item.Inputs[0].Shape.Dims.ToArray(), item.Inputs[0].Data.ToArray());
            Assert.Null(replica.Run([alone], new RunMarks()));
            Assert.Equal(alone.Outputs.Select(o => o.Shape), item.Outputs.Select(o => o.Shape));
            Assert.Equal(alone.Numbers<float>(0), item.Numbers<float>(0));
            Assert.Equal(alone.Numbers<float>(1), item.Numbers<float>(1));
        }
    }

    [Fact]
    public void A_request_longer_than_its_run_is_refused_and_the_next_run_works()
    {
        using var model = onnx.Load(OnnxModels.MaskedMean());
        using var replica = model.CreateReplica(0).Value;
        var plan = Plan(model, Masked(0));
        Assert.Equal(FaultKind.InvalidInput, replica.Run([Row(1, 2, 3)], new RunMarks { Pads = new(plan, 2) })?.Kind);
        Assert.Null(replica.Run([Row(1, 2, 3)], new RunMarks { Pads = new(plan, 3) }));
    }

    [Theory]
    [InlineData("y", 1, 0, null, "padding.inputs.y: names 'y'; the model's inputs are m, x")]
    [InlineData("x", 2, 0, null, "padding.inputs.x: axis 2 of input x [-1,-1] is not variable")]
    [InlineData("x", 1, 1e300, null, "padding.inputs.x.value: is 1E+300, which FP32 does not hold")]
    [InlineData("x", 1, 0, "n", "padding.mask.input: names 'n'")]
    [InlineData("x", 1, 0, "x", "padding.mask.input: 'x' is padded already")]
    public void A_declaration_that_does_not_fit_the_model_says_which_key_and_what_the_model_has(
        string input, int axis, double value, string? mask, string says)
    {
        using var model = onnx.Load(OnnxModels.MaskedMean());
        var options = new PaddingOptions
        {
            Inputs = new Dictionary<string, PaddedInputOptions> { [input] = new() { Axis = axis, Value = value } },
            Mask = mask is null ? null : new() { Input = mask },
        };
        var fault = PaddingBinding.Bind(options, model.Signature).Fault;
        Assert.Equal(FaultKind.LoadFailed, fault?.Kind);
        Assert.Contains(says, fault!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_model_without_rows_cannot_be_padded()
    {
        using var model = onnx.Load(OnnxModels.Fixed());
        var fault = PaddingBinding.Bind(Masked(0), model.Signature).Fault;
        Assert.Contains("first dimension counts rows", fault!.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(DataType.Int8, -128, "80")]
    [InlineData(DataType.Int8, 128, null)]
    [InlineData(DataType.UInt8, 255, "FF")]
    [InlineData(DataType.UInt8, -1, null)]
    [InlineData(DataType.Int64, -1, "FFFFFFFFFFFFFFFF")]
    [InlineData(DataType.Int32, 1.5, null)]
    [InlineData(DataType.UInt64, 1.8446744073709552e19, null)]
    [InlineData(DataType.Int16, 258, "0201")]
    [InlineData(DataType.Float16, 1, "003C")]
    [InlineData(DataType.BFloat16, 1, "803F")]
    [InlineData(DataType.Float32, 1, "0000803F")]
    [InlineData(DataType.Float64, 1, "000000000000F03F")]
    [InlineData(DataType.Bool, 2, null)]
    [InlineData(DataType.Bytes, 0, null)]
    public void A_padding_value_becomes_one_element_or_is_refused(DataType type, double value, string? bytes) =>
        Assert.Equal(bytes, NumberBytes.Of(type, value) is { } made ? Convert.ToHexString(made) : null);

    private static PaddingOptions Masked(double value) => new()
    {
        Inputs = new Dictionary<string, PaddedInputOptions> { ["x"] = new() { Axis = 1, Value = value } },
        Mask = new() { Input = "m" },
        Outputs = new Dictionary<string, TrimmedOutputOptions> { ["twice"] = new() { Axis = 1 } },
    };

    private static PaddingPlan Plan(ILoadedModel model, PaddingOptions options) =>
        PaddingBinding.Bind(options, model.Signature).Value;

    /// <summary>One row of x behind the place of the mask, which brings no bytes.</summary>
    private static RunItem Row(params float[] values) =>
        new RunItem().With(DataType.Float32, [], []).With([1, values.Length], values);

    private static RunItem Planes(Random random, int rows, int length) => new RunItem { RowsGiven = rows }.With(
        [rows, 2, length], [.. Enumerable.Range(0, rows * 2 * length).Select(_ => (float)random.Next(100))]);
}
