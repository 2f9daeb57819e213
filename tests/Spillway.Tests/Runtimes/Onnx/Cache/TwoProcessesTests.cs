using System.Diagnostics;
using Spillway.Runtimes.Onnx.Cache;
using Spillway.Shared;

namespace Spillway.Tests.Runtimes.Onnx.Cache;

public sealed class TwoProcessesTests : IDisposable
{
    private readonly TempFolder _folder = new();

    private string Cache => Path.Combine(_folder.Path, "cache");

    [Fact]
    public void Two_processes_share_a_folder()
    {
        var model = _folder.Write("identity.onnx", OnnxModels.Identity(OnnxWriter.Float));
        var both = Enumerable.Range(0, 2).Select(_ => Probe(model)).ToList();
        foreach (var process in both)
        {
            using (process)
            {
                Assert.Equal("output 0 [1,4] 16 bytes", process.StandardOutput.ReadToEnd().Trim());
                process.WaitForExit();
                Assert.Equal(0, process.ExitCode);
            }
        }

        Assert.Single(
            Directory.GetDirectories(Path.Combine(Cache, CacheFolder.Own)),
            static folder => Path.GetFileName(folder).Length == 64);
    }

    public void Dispose() => _folder.Dispose();

    private Process Probe(string model)
    {
        var start = new ProcessStartInfo("dotnet")
        {
            ArgumentList = { "exec", Path.Combine(AppContext.BaseDirectory, "Spillway.OnnxProbe.dll"), model },
            RedirectStandardOutput = true,
        };
        start.Environment["SPILLWAY_CACHE"] = Cache;
        return Process.Start(start)!;
    }
}
