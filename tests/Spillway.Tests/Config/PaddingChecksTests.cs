namespace Spillway.Tests.Config;

public sealed class PaddingChecksTests
{
    private const string Model = """
        runtime: simulated
        simulated:
          inputs: { x: "FP32 [-1,4,-1]", m: "FP32 [-1,-1]" }
          outputs: { y: "FP32 [-1,-1]" }
          latencyMs: { 1: 2.0, 8: 3.5 }
        padding:
          inputs: { x: { axis: 2 } }

        """;

    [Theory]
    [InlineData("  min: 8", "", 6, "Give buckets, or max")]
    [InlineData("  buckets: [128, 100]\n  wasteMax: 0.5", "buckets[1]", 8, "Order the buckets")]
    [InlineData("  buckets: [100, 200]", "buckets[1]", 8, "Put a bucket between 100 and 200, or set wasteMax: 0.5")]
    [InlineData("  buckets: [100]\n  max: 200", "max", 9, "Remove buckets, or remove min, max and step")]
    [InlineData("  buckets: [0]", "buckets[0]", 8, "1 to 16777216 positions")]
    [InlineData("  min: 300\n  max: 200", "min", 8, "Lower min, or raise max")]
    [InlineData("  max: 512\n  step: 32", "step", 9, "Lower step, raise wasteMax, or raise min to 175 or more")]
    [InlineData("  max: 10000000\n  wasteMax: 0.02", "wasteMax", 9, "Raise wasteMax, raise min, or lower max")]
    [InlineData("  max: 512\n  wasteMax: 1", "wasteMax", 9, "0.01 to 0.95")]
    [InlineData("  max: 512\n  to: widest", "to", 9, "bucket, longest")]
    [InlineData("  max: 512\n  mask: { input: x, axis: 2 }", "mask.input", 9, "Name it once")]
    [InlineData("  max: 512\n  mask: { input: n }", "mask.input", 9, "Its inputs: x, m")]
    [InlineData("  max: 512\n  mask: { input: m, axis: 2 }", "mask.axis", 9, "the axis of a -1")]
    [InlineData("  max: 512\n  outputs: { z: { axis: 1 } }", "outputs.z", 9, "Its outputs: y")]
    [InlineData("  max: 512\n  outputs: { y: {} }", "outputs.y.axis", 9, "Which dimension follows the length")]
    public void A_bad_declaration_is_an_error_at_start_with_its_line_and_a_remedy(
        string more, string key, int line, string remedy)
    {
        using var folder = ConfigFolder.WithModel(Model + more + "\n");

        var error = folder.OnlyError();

        Assert.Equal(("models[0].padding" + (key.Length > 0 ? "." + key : ""), line), (error.Key, error.Line));
        Assert.Contains(remedy, error.Remedy, StringComparison.Ordinal);
        Assert.NotEmpty(error.Problem);
    }

    [Theory]
    [InlineData("padding: { max: 512 }", "inputs", 6, "inputs that grow with the length")]
    [InlineData("padding: { inputs: { x: { axis: 1 } }, max: 512 }", "inputs.x.axis", 6, "the axis of a -1")]
    [InlineData("padding: { inputs: { x: {} }, max: 512 }", "inputs.x.axis", 6, "Which dimension is the length")]
    [InlineData("padding: { inputs: { w: { axis: 1 } }, max: 512 }", "inputs.w", 6, "Its inputs: x, m")]
    [InlineData("padding: { inputs: { x: { axis: 0 } }, max: 512 }", "inputs.x.axis", 6, "1 to 7")]
    public void Inputs_must_be_named_with_a_variable_axis(string section, string key, int line, string remedy)
    {
        var model = Model[..Model.IndexOf("padding:", StringComparison.Ordinal)];
        using var folder = ConfigFolder.WithModel(model + section + "\n");

        var error = folder.OnlyError();

        Assert.Equal(("models[0].padding." + key, line), (error.Key, error.Line));
        Assert.Contains(remedy, error.Remedy, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("  max: 512")]
    [InlineData("  min: 160\n  max: 960\n  step: 8")]
    [InlineData("  buckets: [128, 256, 512]\n  wasteMax: 0.5\n  to: longest\n  mask: { input: m }\n"
        + "  outputs: { y: { axis: 1, per: 8, plus: 3 } }")]
    public void A_good_declaration_is_read(string more)
    {
        using var folder = ConfigFolder.WithModel(Model + more + "\n");
        var padding = Assert.Single(folder.Valid().Models).Padding;
        Assert.Equal(2, padding?.Inputs["x"].Axis);
    }
}
