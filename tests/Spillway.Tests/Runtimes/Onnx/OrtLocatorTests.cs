using Spillway.Runtimes.Onnx;
using Spillway.Shared;

namespace Spillway.Tests.Runtimes.Onnx;

public sealed class OrtLocatorTests(OnnxFixture onnx) : IClassFixture<OnnxFixture>, IDisposable
{
    private readonly TempFolder _folder = new();

    [Fact]
    public void Named_library_wins_then_the_variable_then_the_applications_own_then_the_one_from_npm()
    {
        var name = OperatingSystem.IsWindows() ? "onnxruntime.dll" : OperatingSystem.IsMacOS() ? "libonnxruntime.dylib" : "libonnxruntime.so";
        var fromNpm = _folder.Write($"runtimes-native/{OrtLocator.PortableRid}/{name}", "n"u8);
        Assert.Equal(fromNpm, OrtLocator.Find("", null, _folder.Path).Value);
        var asset = _folder.Write($"runtimes/{OrtLocator.PortableRid}/native/{name}", "a"u8);
        Assert.Equal(asset, OrtLocator.Find("", "", _folder.Path).Value);
        var own = _folder.Write(name, "o"u8);
        Assert.Equal(own, OrtLocator.Find("", null, _folder.Path).Value);
        var variable = _folder.Write("elsewhere/variable.so", "v"u8);
        Assert.Equal(variable, OrtLocator.Find("", variable, _folder.Path).Value);
        var configured = _folder.Write("elsewhere/configured.so", "c"u8);
        Assert.Equal(configured, OrtLocator.Find(configured, variable, _folder.Path).Value);
    }

    [Fact]
    public void Named_library_that_is_missing_is_never_replaced_in_silence()
    {
        _folder.Write("libonnxruntime.so", "o"u8);
        foreach (var (configured, variable, origin) in new[] { ("/no/such.so", (string?)null, "onnx.library"), ("", "/no/such.so", OrtLocator.Variable) })
        {
            var fault = OrtLocator.Find(configured, variable, _folder.Path).Fault;
            Assert.Equal(FaultKind.LoadFailed, fault?.Kind);
            Assert.Contains($"{origin} names '/no/such.so'", fault!.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Missing_library_is_a_fault_that_says_how_to_get_one()
    {
        var fault = OrtLocator.Find("", null, _folder.Path).Fault;
        Assert.Equal(FaultKind.LoadFailed, fault?.Kind);
        Assert.Contains("Install Node.js", fault!.Message, StringComparison.Ordinal);
        Assert.Contains("SPILLWAY_ORT_LIB", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Library_option_reaches_the_search_and_names_the_model()
    {
        var fault = onnx.LoadFault(OnnxModels.Simple(), new OnnxOptions { Library = "/no/such.so" });
        Assert.StartsWith("Model 'generated': onnx.library names", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void File_that_is_no_library_is_a_fault_with_the_remedy()
    {
        var fault = OrtLibrary.Load(_folder.Write("libonnxruntime.so", "text"u8)).Fault;
        Assert.Equal(FaultKind.LoadFailed, fault?.Kind);
        Assert.Contains("could not be loaded", fault!.Message, StringComparison.Ordinal);
        Assert.Contains(OrtLocator.Remedy, fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Library_that_is_another_one_is_a_fault_with_the_remedy()
    {
        var other = Directory.GetFiles(Path.GetDirectoryName(typeof(object).Assembly.Location)!, "*System.Native.*")
            .First(static file => !file.EndsWith(".dll", StringComparison.Ordinal) || OperatingSystem.IsWindows());
        var fault = OrtLibrary.Load(other).Fault;
        Assert.Contains("not ONNX Runtime", fault?.Message, StringComparison.Ordinal);
        Assert.Contains(OrtLocator.Remedy, fault!.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("1.19.2", false)]
    [InlineData("0.99.0", false)]
    [InlineData("", false)]
    [InlineData("one.two", false)]
    [InlineData("1.20.0", true)]
    [InlineData("1.30.0", true)]
    [InlineData("1.31.0-dev", true)]
    [InlineData("2.0.0", true)]
    public void Library_older_than_1_20_is_refused_with_its_version(string version, bool taken)
    {
        var fault = OrtLibrary.CheckVersion("lib.so", version);
        Assert.Equal(taken, fault is null);
        if (fault is not null)
            Assert.Contains($"version '{version}'; 1.20 or newer", fault.Message, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();
}
