using System.Text.Json;
using Spillway.App.Profile;
using Spillway.Runtimes.Onnx.Profiling;
using Spillway.Shared;
using Spillway.Tests.Runtimes.Onnx;
using Spillway.Tests.Server;

namespace Spillway.Tests.App.Profile;

public sealed class ProfileTests
{
    [Fact]
    public async Task Profiling_a_file_measures_curves_loads_and_operators()
    {
        using var folder = new TempFolder();
        var file = folder.Write("tiny.onnx", OnnxModels.Tiny());
        await using var child = ChildProcess.Spillway(
            ["profile", file, "--rows-max", "4", "--json"], ("SPILLWAY_CACHE", Path.Combine(folder.Path, "cache")));
        var (code, output, errors) = await child.EndAsync();
        Assert.True(code == 0, errors);

        var report = JsonDocument.Parse(output).RootElement;
        Assert.Equal("spillway.profile/1", report.GetProperty("schema").GetString());
        Assert.True(report.GetProperty("load").GetProperty("cached_ms").GetDouble() > 0);
        Assert.Equal([1, 2, 4], report.GetProperty("curves")[0].GetProperty("points").EnumerateArray()
            .Select(static point => point.GetProperty("rows").GetInt32()));
        Assert.Contains(report.GetProperty("operators").EnumerateArray(), static op =>
            op.GetProperty("name").GetString()!.Contains("Gemm", StringComparison.Ordinal));
        Assert.Equal(1, report.GetProperty("operators").EnumerateArray()
            .Sum(static op => op.GetProperty("share").GetDouble()), 1e-6);
        Assert.Contains(report.GetProperty("advice").EnumerateArray(), static s =>
            s.GetString()!.StartsWith("Batch:", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("x=1,0")]
    [InlineData("x")]
    [InlineData("x=1,many")]
    public async Task A_wrong_shape_is_wrong_usage(string shape)
    {
        using var folder = new TempFolder();
        var (code, _, errors) = await ChildProcess.RunAsync("profile", folder.Write("m.onnx", [1]), "--shape", shape);
        Assert.Equal(2, code);
        Assert.Contains("is no shape", errors, StringComparison.Ordinal);
    }

    [Fact]
    public void Sums_by_operator_pass_over_what_is_no_kernel()
    {
        using var folder = new TempFolder();
        var file = folder.Write("profile.json", """
            [
            {"cat" : "Session","name" :"model_run","dur" :900,"args" : {}},
            {"cat" : "Node","name" :"a_kernel_time","dur" :30,"args" : {"op_name" : "Conv"}},
            {"cat" : "Node","name" :"b_kernel_time","dur" :30,"args" : {"op_name" : "Conv"}},
            {"cat" : "Node","name" :"a_kernel_time","dur" :30,"args" : {"op_name" : "Conv"}},
            {"cat" : "Node","name" :"c_kernel_time","dur" :10,"args" : {"op_name" : "Relu"}},
            {"cat" : "Node","name" :"d_kernel_time","dur" :"long","args" : 7},
            {"cat" : "Node","name" :"e_ker
            """u8);
        OperatorTime[] expected = [new("Conv", 2, 0.09, 0.9), new("Relu", 1, 0.01, 0.1)];
        Assert.Equal(expected, ProfileFile.Sum(file));
    }

    [Fact]
    public void Advice_carries_the_numbers_behind_it()
    {
        var advice = ProfileAdvice.Of(
            Report([new(1, 1, 1), new(2, 1.1, 1.1), new(4, 1.4, 1.4)], twoThreads: new(1, 0.6, 1.2)));
        Assert.Contains(advice, static s =>
            s.StartsWith("Threads: 1 for throughput. 2 make a single row 1.7x faster", StringComparison.Ordinal));
        Assert.Contains(advice, static s =>
            s.StartsWith("Batch: up to 4 rows pay: 0.35 ms a row in place of 1 (2.9x", StringComparison.Ordinal));
        Assert.Contains(advice, static s =>
            s.Contains("2 runs side by side answer 190 rows a second", StringComparison.Ordinal));
        Assert.Contains(advice, static s =>
            s == "Load: 30 ms and 5 MB with the cache of optimized models, 60 ms and 20 MB without.");
    }

    [Fact]
    public void A_model_that_gains_nothing_is_not_told_to_batch() => Assert.Contains(
        ProfileAdvice.Of(Report([new(1, 10, 10), new(2, 20, 20)], twoThreads: new(1, 9.8, 18))),
        static s => s.StartsWith("Batch: batching.batchRowsMax 1 or leave it", StringComparison.Ordinal));

    private static ProfileReport Report(CurvePoint[] points, CurvePoint twoThreads) => new()
    {
        Model = "m", File = "m.onnx", Inputs = [], Outputs = [], Cores = 2, Providers = ["cpu"],
        Load = new(60, 20_000_000, 30, 5_000_000), PeakBytes = 50_000_000,
        Curves = [new(1, points), new(2, [twoThreads])],
        SideBySide = [new(1, 1, 100), new(2, 1, 190)],
        Operators = [new("Conv", 3, 9, 0.9), new("Relu", 1, 1, 0.1)],
    };
}
