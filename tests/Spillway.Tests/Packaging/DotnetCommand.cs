using Spillway.Tests.Server;

namespace Spillway.Tests.Packaging;

/// <summary>The SDK's commands, without a network and without servers of its own that outlive the test.</summary>
internal static class DotnetCommand
{
    /// <summary>A build on a busy machine takes minutes.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(10);

    /// <summary>"Release" or "Debug": as these tests are built, so that nothing is built anew.</summary>
    public static string Configuration { get; } =
        Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory)) == "debug" ? "Debug" : "Release";

    /// <summary>Runs one to its end; fails with its output when it fails.</summary>
    public static async Task<string> RunAsync(params string[] arguments)
    {
        string[] quiet = ["-nodeReuse:false", "-p:UseSharedCompilation=false", "-v:minimal", "-nologo"];
        await using var child = ChildProcess.Start(
            "dotnet", [.. arguments, .. quiet], ("DOTNET_CLI_TELEMETRY_OPTOUT", "1"),
            ("DOTNET_CLI_USE_MSBUILD_SERVER", "0"), ("MSBUILDDISABLENODEREUSE", "1"));
        var (code, output, errors) = await child.EndAsync(s_patience);
        Assert.True(code == 0, $"dotnet {string.Join(' ', arguments)} ended with {code}:\n{output}\n{errors}");
        return output;
    }
}
