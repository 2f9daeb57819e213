using System.Buffers.Text;

namespace Spillway.Runtimes.Processes;

/// <summary>
/// Memory of this process as the kernel sees it. Linux only; elsewhere nothing is told and nothing happens.
/// </summary>
public static class ProcessMemory
{
    private const int DataLimit = 2; // RLIMIT_DATA
    private const int CoreLimit = 4; // RLIMIT_CORE

    /// <summary>
    /// Resident memory that no file backs, in bytes: what the system cannot take back. Null where nothing tells.
    /// </summary>
    public static long? AnonymousBytes => Read("/proc/self/status", "RssAnon:"u8);

    /// <summary>
    /// From now on this process may take that much more memory: a request beyond it fails inside the process, which can
    /// then say so, in place of a machine that swaps or kills. Core files are off too. False where it cannot be
    /// limited.
    /// </summary>
    public static bool TryLimit(long moreBytes)
    {
        if (!OperatingSystem.IsLinux() || Read("/proc/self/status", "VmData:"u8) is not { } used)
            return false;
        return Set(CoreLimit, 0) && Set(DataLimit, (ulong)(used + moreBytes));

        static bool Set(int what, ulong bytes)
        {
            var limit = new LibC.Limit { Current = bytes, Most = bytes };
            return LibC.SetLimit(what, in limit) == 0;
        }
    }

    /// <summary>Gives back what the C library keeps of freed memory; about a millisecond. glibc only.</summary>
    public static void Trim()
    {
        if (!OperatingSystem.IsLinux())
            return;
        try
        {
            _ = LibC.MallocTrim(0);
        }
        catch (EntryPointNotFoundException)
        {
            // Another C library; it has no such call.
        }
    }

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
