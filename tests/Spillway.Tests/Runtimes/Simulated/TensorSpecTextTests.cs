using Spillway.Runtimes.Simulated;

namespace Spillway.Tests.Runtimes.Simulated;

public sealed class TensorSpecTextTests
{
    [Theory]
    [InlineData("FP32 [-1,4]", DataType.Float32, "[-1,4]")]
    [InlineData(" BYTES[ -1 ] ", DataType.Bytes, "[-1]")]
    [InlineData("BF16 []", DataType.BFloat16, "[]")]
    public void Type_and_shape_are_read(string text, DataType type, string shape)
    {
        Assert.True(TensorSpecText.TryParse("x", text, out var spec, out var problem));
        Assert.Equal(("x", type, shape, ""), (spec.Name, spec.Type, spec.Shape.ToString(), problem));
    }

    [Theory]
    [InlineData("", "FP32 [-1,4]")]
    [InlineData("FP32", "FP32 [-1,4]")]
    [InlineData("FP32 ]", "FP32 [-1,4]")]
    [InlineData("fp32 [1]", "BOOL, UINT8")]
    [InlineData("FP32 [0]", "positive")]
    [InlineData("FP32 [-2]", "positive")]
    [InlineData("FP32 [1,]", "positive")]
    [InlineData("FP32 [99999999999999999999]", "positive")]
    [InlineData("FP32 [1,1,1,1,1,1,1,1,1]", "at most 8")]
    public void Wrong_text_says_what_would_be_right(string text, string problem)
    {
        Assert.False(TensorSpecText.TryParse("x", text, out var spec, out var said));
        Assert.Null(spec);
        Assert.Contains(problem, said, StringComparison.Ordinal);
    }
}
