using Spillway.Config.Repository;

namespace Spillway.Tests.Config.Repository;

public sealed class UploadPathTests
{
    [Theory]
    [InlineData("file:1/model.onnx", 1, "model.onnx")]
    [InlineData("file:20/parts/a.bin", 20, "parts/a.bin")]
    public void File_of_a_version_is_read(string parameter, int version, string file)
    {
        Assert.True(UploadPath.TryParse(parameter, out var path, out var problem));
        Assert.Equal((new(version, file), ""), (path, problem));
    }

    [Theory]
    [InlineData("file:")]
    [InlineData("file:model.onnx")]
    [InlineData("file:/model.onnx")]
    [InlineData("file:0/model.onnx")]
    [InlineData("file:01/model.onnx")]
    [InlineData("file:-1/model.onnx")]
    [InlineData("file:1/")]
    [InlineData("file:1/../../x")]
    [InlineData("file:1//etc/passwd")]
    [InlineData("file:1/a\\..\\b")]
    [InlineData("file:1/a\0b")]
    [InlineData("file:1/a\u001bb")]
    [InlineData("file:../1/model.onnx")]
    [InlineData("1/model.onnx")]
    public void Anything_else_is_refused_with_what_would_be_right(string parameter)
    {
        Assert.False(UploadPath.TryParse(parameter, out _, out var problem));
        Assert.Contains("file:1/model.onnx", problem, StringComparison.Ordinal);
        Assert.DoesNotContain(problem, char.IsControl);
    }

    [Fact]
    public void Long_name_is_refused_with_a_short_answer()
    {
        Assert.False(UploadPath.TryParse("file:1/" + new string('x', 1_000_000), out _, out var problem));
        Assert.True(problem.Length < 400);
    }
}
