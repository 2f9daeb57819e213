using System.Buffers.Text;

namespace Spillway.Engine.Canary;

/// <summary>What a model could still take, as the kernel sees it. Linux only.</summary>
internal static class FreeMemory
{
    /// <summary>
    /// Memory that could be had now without swapping, in bytes: of the machine, or of the container where that has a
    /// limit. Null where nothing tells.
    /// </summary>
    public static long? Bytes => Read("/proc/meminfo", "MemAvailable:"u8) is { } free
        ? Math.Min(free, Math.Max(0, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes - Own))
        : null;

    /// <summary>What this process holds that no file backs.</summary>
    private static long Own => Read("/proc/self/status", "RssAnon:"u8) ?? 0;

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
