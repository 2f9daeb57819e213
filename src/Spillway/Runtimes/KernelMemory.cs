using System.Buffers.Text;

namespace Spillway.Runtimes;

/// <summary>
/// Memory as the kernel sees it, of this process and for it. Linux only; elsewhere nothing is told. Thread-safe.
/// </summary>
public static class KernelMemory
{
    /// <summary>
    /// Resident memory of this process that no file backs, in bytes: what the system cannot take back. Null where
    /// nothing tells.
    /// </summary>
    public static long? AnonymousBytes => Read("/proc/self/status", "RssAnon:"u8);

    /// <summary>
    /// What this process has as data, in bytes, touched or not: what a limit of it counts. Null as above.
    /// </summary>
    public static long? DataBytes => Read("/proc/self/status", "VmData:"u8);

    /// <summary>
    /// Memory that could be had now without swapping, in bytes: of the machine, or of the container where that has a
    /// limit. Null where nothing tells.
    /// </summary>
    public static long? FreeBytes => Read("/proc/meminfo", "MemAvailable:"u8) is { } free
        ? Math.Min(free, Math.Max(0, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes - (AnonymousBytes ?? 0)))
        : null;

    /// <summary>A figure that the kernel gives in kB.</summary>
    private static long? Read(string file, ReadOnlySpan<byte> name)
    {
        if (!OperatingSystem.IsLinux())
            return null;
        Span<byte> buffer = stackalloc byte[4096];
        try
        {
            using var handle = File.OpenHandle(file);
            var text = (ReadOnlySpan<byte>)buffer[..RandomAccess.Read(handle, buffer, 0)];
            var at = text.IndexOf(name);
            return at >= 0 && Utf8Parser.TryParse(text[(at + name.Length)..].TrimStart(" \t"u8), out long kilobytes,
                out _)
                ? kilobytes * 1024
                : null;
        }
        catch (IOException)
        {
            return null;
        }
    }
}
