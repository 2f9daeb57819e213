using System.Runtime.InteropServices;

namespace Spillway.Runtimes.Onnx;

/// <summary>
/// Decides which native library file is used. In order: the configured path, SPILLWAY_ORT_LIB, the application's own
/// folder (where the native assets of a user's NuGet package land), the one that the build copied from npm. A path that
/// somebody named is final: when it is wrong, another library is never taken in silence.
/// </summary>
internal static class OrtLocator
{
    /// <summary>The environment variable that names the library.</summary>
    public const string Variable = "SPILLWAY_ORT_LIB";

    /// <summary>What a person can do about a missing or unusable library.</summary>
    public const string Remedy =
        "Install Node.js 20 or newer and build again, or set SPILLWAY_ORT_LIB (or the model's onnx.library) to the file " +
        "of a libonnxruntime 1.20 or newer.";

    private static readonly string[] s_fileNames =
        OperatingSystem.IsWindows() ? ["onnxruntime.dll"]
        : OperatingSystem.IsMacOS() ? ["libonnxruntime.dylib", "libonnxruntime.1.dylib"]
        : ["libonnxruntime.so", "libonnxruntime.so.1"];

    /// <summary>Operating system and processor as NuGet and the build name them: "linux-x64".</summary>
    public static string PortableRid { get; } =
        (OperatingSystem.IsWindows() ? "win-" : OperatingSystem.IsMacOS() ? "osx-" : "linux-")
        + RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant();

    /// <summary>The file to load, as an absolute path, or the fault that says how to get one.</summary>
    /// <param name="configured">The model's own option; empty when not set.</param>
    /// <param name="variable">The value of <see cref="Variable"/>; null or empty when not set.</param>
    /// <param name="applicationFolder">The folder of the running application.</param>
    public static Outcome<string> Find(string configured, string? variable, string applicationFolder)
    {
        var named = configured.Length > 0 ? configured : variable;
        if (!string.IsNullOrEmpty(named))
        {
            var origin = configured.Length > 0 ? "onnx.library" : Variable;
            return File.Exists(named)
                ? Path.GetFullPath(named)
                : Missing($"{origin} names '{named}', and there is no such file.");
        }

        foreach (var folder in Folders(applicationFolder))
        {
            foreach (var name in s_fileNames)
            {
                var file = Path.Combine(folder, name);
                if (File.Exists(file))
                    return file;
            }
        }

        return Missing($"No ONNX Runtime library was found beside the application in '{applicationFolder}'.");
    }

    /// <summary>The folders that are searched, best first.</summary>
    private static IEnumerable<string> Folders(string applicationFolder)
    {
        yield return applicationFolder;
        yield return Path.Combine(applicationFolder, "runtimes", RuntimeInformation.RuntimeIdentifier, "native");
        yield return Path.Combine(applicationFolder, "runtimes", PortableRid, "native");
        yield return Path.Combine(applicationFolder, "runtimes-native", PortableRid);
    }

    private static Fault Missing(string what) => new(FaultKind.LoadFailed, $"{what} {Remedy}");
}
