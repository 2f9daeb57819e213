using Spillway.Config;

namespace Spillway.Tests.Config;

public sealed class ExpectOptionsTests
{
    private static readonly Signature s_model = new(
        [new("x", DataType.Float32, new([-1, 3, 48, -1])), new("n", DataType.Int64, new([-1, 1]))],
        [new("y", DataType.Float32, new([-1, 10]))], Batched: true);

    [Theory]
    [InlineData("FP32 [-1,3,48,-1]", "")]
    [InlineData("FP32 [-1,3,48,320]", "")]
    [InlineData("FP32 [4,3,48,320]", "")]
    [InlineData("FP32 [-1,-1,48,-1]", "as FP32 [-1,-1,48,-1]; the model has FP32 [-1,3,48,-1]")]
    [InlineData("FP32 [-1,1,48,-1]", "as FP32 [-1,1,48,-1]; the model has FP32 [-1,3,48,-1]")]
    [InlineData("FP32 [-1,3,48]", "the model has FP32 [-1,3,48,-1]")]
    [InlineData("FP16 [-1,3,48,-1]", "the model has FP32 [-1,3,48,-1]")]
    public void Declared_shape_may_fix_what_the_model_leaves_open_and_nothing_else(string declared, string problem)
    {
        var expects = new ExpectOptions { Inputs = new Dictionary<string, string> { ["x"] = declared } };

        var mismatches = expects.Mismatches(s_model);

        Assert.Equal(problem.Length > 0 ? 1 : 0, mismatches.Count);
        Assert.All(mismatches, m => Assert.Contains(problem, m, StringComparison.Ordinal));
    }

    [Fact]
    public void Name_that_the_model_does_not_have_is_said_with_those_it_has()
    {
        var expects = new ExpectOptions
        {
            Inputs = new Dictionary<string, string> { ["z"] = "FP32 [1]" },
            Outputs = new Dictionary<string, string> { ["x"] = "FP32 [1]" },
        };

        var mismatches = expects.Mismatches(s_model);

        Assert.Equal(2, mismatches.Count);
        Assert.Contains("the input z, which the model does not have; its inputs are x, n.", mismatches[0],
            StringComparison.Ordinal);
        Assert.Contains("its outputs are y.", mismatches[1], StringComparison.Ordinal);
    }
}
