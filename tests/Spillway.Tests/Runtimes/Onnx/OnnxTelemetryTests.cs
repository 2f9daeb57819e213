using System.Diagnostics;
using Spillway.Shared;

namespace Spillway.Tests.Runtimes.Onnx;

/// <summary>ONNX Runtime reports to its maker by default. A process of its own shows that here it leaves no trace.</summary>
public sealed class OnnxTelemetryTests(OnnxFixture onnx) : IClassFixture<OnnxFixture>
{
    /// <summary>Variables by which ONNX Runtime, too, recognises a build machine, where it keeps quiet by itself.</summary>
    private static readonly string[] s_buildMachine =
    [
        "CI", "TF_BUILD", "GITHUB_ACTIONS", "GITLAB_CI", "TRAVIS", "CIRCLECI", "APPVEYOR", "TEAMCITY_VERSION", "JENKINS_URL",
        "BUILD_ID", "BUILD_NUMBER", "CODEBUILD_BUILD_ID", "BUILDKITE", "BITBUCKET_BUILD_NUMBER", "DRONE", "ORT_DISABLE_TELEMETRY",
    ];

    [Fact]
    public void Loading_and_running_a_model_writes_no_file_and_no_log_line()
    {
        using var home = new TempFolder();
        var (exit, output, error) = Probe(home.Path, onnx.Source(OnnxModels.Identity(OnnxWriter.Float)).File);
        Assert.True(exit == 0, output + error);
        Assert.Equal("output 0 [1,4] 16 bytes", output.Trim());
        Assert.Empty(error);
        Assert.Empty(Directory.GetFileSystemEntries(home.Path, "*", SearchOption.AllDirectories));
    }

    [Fact]
    public void Failed_load_leaves_standard_error_to_us()
    {
        using var home = new TempFolder();
        var (exit, output, error) = Probe(home.Path, onnx.Source("garbage"u8.ToArray()).File);
        Assert.Equal(1, exit);
        Assert.Contains("Model 'probe' could not be loaded", output, StringComparison.Ordinal);
        Assert.Empty(error);
    }

    private static (int Exit, string Output, string Error) Probe(string home, string model)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath is { } host && Path.GetFileNameWithoutExtension(host) == "dotnet" ? host : "dotnet")
        {
            ArgumentList = { "exec", Path.Combine(AppContext.BaseDirectory, "Spillway.OnnxProbe.dll"), model },
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var variable in s_buildMachine)
            start.Environment.Remove(variable);
        foreach (var variable in (string[])["HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "LOCALAPPDATA"])
            start.Environment[variable] = home;
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, error.GetAwaiter().GetResult());
    }
}
