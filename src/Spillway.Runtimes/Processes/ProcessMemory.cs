namespace Spillway.Runtimes.Processes;

/// <summary>
/// What a process can do about its own memory. Linux only; elsewhere nothing happens.
/// </summary>
public static class ProcessMemory
{
    private const int DataLimit = 2; // RLIMIT_DATA
    private const int CoreLimit = 4; // RLIMIT_CORE

    /// <summary>
    /// From now on this process may take that much more memory: a request beyond it fails inside the process, which can
    /// then say so, in place of a machine that swaps or kills. Core files are off too. False where it cannot be
    /// limited.
    /// </summary>
    public static bool TryLimit(long moreBytes)
    {
        if (!OperatingSystem.IsLinux() || KernelMemory.DataBytes is not { } used)
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
}
