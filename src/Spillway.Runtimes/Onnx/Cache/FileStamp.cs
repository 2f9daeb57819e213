using System.Globalization;
using System.Runtime.InteropServices;

namespace Spillway.Runtimes.Onnx.Cache;

/// <summary>
/// A file as the file system knows it: device, inode, size, and the nanoseconds of its last change of content and of
/// its inode. Nobody can set the last one back, so an equal stamp means the bytes that were hashed; a copy, a restore
/// or a touch makes another stamp, which costs no more than hashing again. Linux only: elsewhere there is no stamp,
/// and everything is hashed.
/// </summary>
internal readonly record struct FileStamp(ulong Device, ulong Inode, ulong Size, long Modified, long Changed)
{
    private const int CurrentFolder = -100; // AT_FDCWD
    private const uint BasicFields = 0x7ff; // STATX_BASIC_STATS

    /// <summary>The stamp of a file; null when there is none, or no such thing here.</summary>
    public static unsafe FileStamp? Of(string file)
    {
        if (!OperatingSystem.IsLinux())
            return null;
        var buffer = stackalloc byte[256]; // sizeof(struct statx), the same on every processor
        try
        {
            fixed (byte* path = OrtNames.Text(file))
            {
                if (LibC.Statx(CurrentFolder, path, 0, BasicFields, buffer) != 0)
                    return null;
            }
        }
        catch (EntryPointNotFoundException)
        {
            return null;
        }

        return new(
            ((ulong)*(uint*)(buffer + 136) << 32) | *(uint*)(buffer + 140),
            *(ulong*)(buffer + 32), *(ulong*)(buffer + 40), Nanoseconds(buffer + 112), Nanoseconds(buffer + 96));
    }

    /// <summary>
    /// True when the file's inode last changed before that moment: a later change then has another stamp.
    /// </summary>
    public bool IsBefore(DateTimeOffset moment) => Changed < (moment - DateTimeOffset.UnixEpoch).Ticks * 100;

    /// <inheritdoc/>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"{Device:x}.{Inode}.{Size}.{Modified}.{Changed}");

    private static unsafe long Nanoseconds(byte* time) => (*(long*)time * 1_000_000_000) + *(uint*)(time + 8);
}

/// <summary>What the cache asks of the C library.</summary>
internal static unsafe partial class LibC
{
    /// <summary>Fills a struct statx.</summary>
    [LibraryImport("libc", EntryPoint = "statx")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int Statx(int folder, byte* path, int flags, uint mask, byte* buffer);
}
