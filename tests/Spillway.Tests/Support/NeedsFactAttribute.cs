using System.Runtime.InteropServices;

namespace Spillway.Tests.Support;

/// <summary>What a test needs that a machine may lack.</summary>
public enum Need
{
    /// <summary>Prometheus' promtool on the path.</summary>
    Promtool,

    /// <summary>Linux on x64: where a file was seen to kill the native library.</summary>
    LinuxX64,

    /// <summary>Linux: files are told apart by what its kernel says of them.</summary>
    Linux,

    /// <summary>Linux as its own user, who alone can give files away.</summary>
    LinuxRoot,

    /// <summary>The programs script (util-linux) and stty, for a terminal that is none.</summary>
    PseudoTerminal,

    /// <summary>The programs script (util-linux) and curl.</summary>
    CurlOnATerminal,

    /// <summary>SIGHUP as it is by default: under nohup every process ignores it.</summary>
    HangUp,

    /// <summary>Public traces and profiles, in the folder that SPILLWAY_DATA names.</summary>
    Data,
}

/// <summary>A test that is skipped, and counted as such, where the machine lacks what it needs.</summary>
public sealed class NeedsFactAttribute : FactAttribute
{
    /// <summary>Looks for it.</summary>
    public NeedsFactAttribute(Need need) => Skip = Needs.Missing(need);
}

/// <summary>As <see cref="NeedsFactAttribute"/>, for a theory.</summary>
public sealed class NeedsTheoryAttribute : TheoryAttribute
{
    /// <summary>Looks for it.</summary>
    public NeedsTheoryAttribute(Need need) => Skip = Needs.Missing(need);
}

/// <summary>Looks for what tests need.</summary>
internal static class Needs
{
    /// <summary>Why a test is skipped; null when all is there.</summary>
    public static string? Missing(Need need) => need switch
    {
        Need.Promtool => Lacking("promtool"),
        Need.LinuxX64 => OperatingSystem.IsLinux()
            && RuntimeInformation.ProcessArchitecture is System.Runtime.InteropServices.Architecture.X64
            ? null : "needs Linux on x64",
        Need.Linux => OperatingSystem.IsLinux() ? null : "needs Linux",
        Need.LinuxRoot => OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess
            ? null : "needs Linux, as root",
        Need.PseudoTerminal => Lacking("script", "stty"),
        Need.CurlOnATerminal => Lacking("script", "curl"),
        Need.HangUp => IsHangUpIgnored() ? "needs SIGHUP, which is ignored here, as under nohup" : null,
        Need.Data => Directory.Exists(Environment.GetEnvironmentVariable("SPILLWAY_DATA"))
            ? null : "needs public traces and profiles in the folder that SPILLWAY_DATA names",
    };

    private static string? Lacking(params ReadOnlySpan<string> programs)
    {
        foreach (var program in programs)
        {
            if (OnPath(program) is null)
                return $"needs {program}, which is not on PATH";
        }

        return null;
    }

    private static bool IsHangUpIgnored()
    {
        const string Status = "/proc/self/status";
        var line = File.Exists(Status)
            ? File.ReadLines(Status).FirstOrDefault(l => l.StartsWith("SigIgn:", StringComparison.Ordinal)) : null;
        // Signals are counted from 1, and SIGHUP is the first.
        return line is not null && (Convert.ToUInt64(line["SigIgn:".Length..].Trim(), 16) & 1) != 0;
    }

    /// <summary>The path of a program; null when it is not there.</summary>
    public static string? OnPath(string program) => (Environment.GetEnvironmentVariable("PATH") ?? "")
        .Split(Path.PathSeparator).Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);
}
