using Spillway.Runtimes;
using Spillway.Runtimes.Onnx;
using Spillway.Runtimes.Onnx.Cache;
using Spillway.Shared;

namespace Spillway.Tests.Runtimes.Onnx.Cache;

public sealed class CurveFileTests : IDisposable
{
    private readonly TempFolder _folder = new();

    private string Cache => Path.Combine(_folder.Path, "cache");

    [Fact]
    public void Curves_are_kept_for_the_same_conditions_and_options_only()
    {
        BatchPoint[] curve = [new(1, TimeSpan.FromTicks(10)), new(2, TimeSpan.FromTicks(15))];
        var source = Source(OnnxModels.Tiny());
        using (var model = LoadModel(source))
            model.Curves!.Save("rows=2", curve);

        using (var again = LoadModel(source))
        {
            Assert.Equal(curve, again.Curves!.Find("rows=2"));
            Assert.Null(again.Curves.Find("rows=4"));
        }

        using var other = LoadModel(source with { Options = Options(Cache) with { IntraOpThreads = 2 } });
        Assert.Null(other.Curves!.Find("rows=2"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("spillway-curve 1\n")]
    [InlineData("spillway-curve 1\nX\n1 10\n1 11\n")]
    [InlineData("spillway-curve 1\nX\n1 0\n")]
    [InlineData("spillway-curve 1\nX\n-1 10\n")]
    [InlineData("spillway-curve 1\nX\n1 99999999999999999999\n")]
    public void A_corrupt_curve_is_none(string text)
    {
        using var model = LoadModel(Source(OnnxModels.Tiny()));
        model.Curves!.Save("c", [new(1, TimeSpan.FromTicks(10))]);
        var file = Assert.Single(Directory.GetFiles(Entry(), "curve-*"));
        var said = File.ReadAllLines(file)[1];
        File.WriteAllText(file, text.Replace("X", said, StringComparison.Ordinal));
        Assert.Null(model.Curves.Find("c"));
    }

    [Theory]
    [InlineData("off", "named", "xdg", null)]
    [InlineData("auto", "off", "xdg", null)]
    [InlineData("auto", "/named", "/xdg", "/named")]
    [InlineData("auto", null, "/xdg", "/xdg/spillway/onnx")]
    [InlineData("auto", null, "not absolute", "/users/u/.cache/spillway/onnx")]
    [InlineData("/mine", "off", "/xdg", "/mine")]
    public void The_folder_is_the_options_the_variables_or_the_users(string option, string? named, string? xdg,
        string? expected)
    {
        if (OperatingSystem.IsWindows())
            return;
        Assert.Equal(expected, CacheFolder.Find(option, name => name switch
        {
            CacheFolder.Variable => named,
            "XDG_CACHE_HOME" => xdg,
            _ => "/users/u",
        }));
    }

    public void Dispose() => _folder.Dispose();

    private static OnnxOptions Options(string cache) => new() { Cache = cache };

    private static ILoadedModel LoadModel(ModelSource source) =>
        new OnnxRuntime().Load(source, CancellationToken.None).Value;

    private ModelSource Source(byte[] model) => new("cached", _folder.Write("model.onnx", model), Options(Cache));

    private string Entry() => Assert.Single(
        Directory.GetDirectories(Path.Combine(Cache, CacheFolder.Own)),
        static folder => Path.GetFileName(folder).Length == 64);
}
