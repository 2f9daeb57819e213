using System.Runtime.InteropServices;

namespace Spillway.Runtimes.Onnx.Cache;

/// <summary>
/// The processor as far as an optimized graph depends on it: the library chooses layouts and kernels by its features.
/// </summary>
internal static class MachineFeatures
{
    private static readonly string[] s_keys =
        ["vendor_id", "cpu family", "model", "flags", "CPU implementer", "CPU part", "CPU variant", "Features", "isa"];

    /// <summary>One line; the same for every process on this processor.</summary>
    public static string Text { get; } = Read();

    private static string Read()
    {
        var text = RuntimeInformation.ProcessArchitecture.ToString();
        try
        {
            // The first processor's block; the others say the same.
            var block = OperatingSystem.IsLinux() ? File.ReadLines("/proc/cpuinfo").TakeWhile(line => line.Length > 0)
                : [];
            foreach (var line in block)
            {
                var colon = line.IndexOf(':', StringComparison.Ordinal);
                if (colon > 0 && s_keys.Contains(line[..colon].Trim()))
                    text += $"|{line[(colon + 1)..].Trim()}";
            }
        }
        catch (Exception error) when (CacheFolder.IsFileProblem(error))
        {
            // Where nothing tells the features, the architecture and the machine's name must do.
        }

        return text.Contains('|', StringComparison.Ordinal) ? text : $"{text}|{Environment.MachineName}";
    }
}
