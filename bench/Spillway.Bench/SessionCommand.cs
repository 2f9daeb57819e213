using Spillway.Config;
using Spillway.Runtimes;
using Spillway.Runtimes.Onnx;
using Spillway.Runtimes.Processes;

namespace Spillway.Bench;

/// <summary>
/// Loads one model once, in a process that has loaded nothing but the library's own start: time, CPU time and
/// anonymous memory of the session. A tiny model is loaded before in the same way, so that neither the library's
/// start nor the compilation of this program is counted; the server is compiled ahead.
/// </summary>
internal static class SessionCommand
{
    public static void Run(Arguments arguments)
    {
        var folder = arguments.Text("--models", "artifacts/bench");
        var runtime = new OnnxRuntime();
        var cache = arguments.Text("--cache", "off");
        for (var load = 0; load < 2; load++)
            Load(runtime, Path.GetFullPath(Path.Combine(folder, "tiny.onnx")), cache).Dispose();
        var file = arguments.Operand("session mlp|line-ocr") == "mlp"
            ? Path.GetFullPath(Path.Combine(folder, "mlp.onnx"))
            : Resolve(RawCommand.Recogniser);
        ProcessMemory.Trim();
        var before = KernelMemory.AnonymousBytes
            ?? throw new BenchException("this kernel does not tell anonymous memory");
        var cpu = Environment.CpuUsage.TotalTime;
        var began = TimeProvider.System.GetTimestamp();
        using var model = Load(runtime, file, cache);
        var wall = TimeProvider.System.GetElapsedTime(began).TotalMilliseconds;
        var used = (Environment.CpuUsage.TotalTime - cpu).TotalMilliseconds;
        Report.Print(new
        {
            Cache = model.Report!.Cache.ToString(),
            WallMilliseconds = wall,
            CpuMilliseconds = used,
            AnonymousMib = ((KernelMemory.AnonymousBytes ?? 0) - before) / (1024.0 * 1024.0),
        });
    }

    private static ILoadedModel Load(OnnxRuntime runtime, string file, string cache) => runtime
        .Load(new("bench", file, new OnnxOptions { Cache = cache }), CancellationToken.None)
        .TryGet(out var model, out var fault)
            ? model
            : throw new BenchException(fault.Message);

    private static string Resolve(string npm)
    {
        var found = NpmPath.Resolve(
            npm, Environment.CurrentDirectory, Environment.GetEnvironmentVariable(NpmPath.Variable));
        return found.File ?? throw new BenchException($"{found.Problem} {found.Remedy}");
    }
}
