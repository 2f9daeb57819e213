using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

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
    private const int OfHandle = 0x1000; // AT_EMPTY_PATH
    private const uint BasicFields = 0x7ff; // STATX_BASIC_STATS
    private const int KindMask = 0xf000, RegularKind = 0x8000; // S_IFMT, S_IFREG

    /// <summary>
    /// A file that changed within this time may change again without a trace, in the same tick of the file system's
    /// clock: two of the slowest ticks of Linux (HZ=100).
    /// </summary>
    public static readonly TimeSpan Settled = TimeSpan.FromMilliseconds(20);

    /// <summary>A file with bytes in it: no folder, pipe, socket or device.</summary>
    public bool IsRegular { get; private init; }

    /// <summary>The user that it belongs to.</summary>
    public uint Owner { get; private init; }

    /// <summary>
    /// The stamps of files, and of the two folders above each: so a file, a link or a folder that is put in a file's
    /// place for a moment leaves a trace too. Null when there is no such thing here, or when a file changed so lately
    /// that a further change could leave the same stamp.
    /// </summary>
    public static ModelStamp? Of(IReadOnlyList<string> files, DateTimeOffset now)
    {
        var folders = files.Select(Path.GetDirectoryName).OfType<string>().ToList();
        return All(files, now) is { } own
            ? new(own, All(folders.Concat(folders.Select(Path.GetDirectoryName)).OfType<string>(), now))
            : null;
    }

    private static string? All(IEnumerable<string> paths, DateTimeOffset now)
    {
        var text = new StringBuilder();
        foreach (var path in paths.Distinct(StringComparer.Ordinal))
        {
            if (Of(path) is not { } stamp || !stamp.IsBefore(now - Settled))
                return null;
            text.Append(stamp).Append(' ').Append(path).Append('\n');
        }

        return text.ToString();
    }

    /// <summary>The stamp of a file or folder; null when there is none, or no such thing here.</summary>
    public static FileStamp? Of(string file) => Ask(CurrentFolder, file, 0);

    /// <summary>The stamp of what is open; null when there is no such thing here.</summary>
    public static FileStamp? Of(SafeFileHandle open)
    {
        var held = false;
        try
        {
            open.DangerousAddRef(ref held);
            return Ask((int)open.DangerousGetHandle(), "", OfHandle);
        }
        finally
        {
            if (held)
                open.DangerousRelease();
        }
    }

    /// <summary>
    /// True when the file's inode last changed before that moment: a later change then has another stamp.
    /// </summary>
    public bool IsBefore(DateTimeOffset moment) => Changed < (moment - DateTimeOffset.UnixEpoch).Ticks * 100;

    /// <inheritdoc/>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"{Device:x}.{Inode}.{Size}.{Modified}.{Changed}");

    private static unsafe FileStamp? Ask(int folder, string file, int flags)
    {
        if (!OperatingSystem.IsLinux())
            return null;
        var buffer = stackalloc byte[256]; // sizeof(struct statx), the same on every processor
        try
        {
            fixed (byte* path = OrtNames.Text(file))
            {
                if (LibC.Statx(folder, path, flags, BasicFields, buffer) != 0)
                    return null;
            }
        }
        catch (EntryPointNotFoundException)
        {
            return null;
        }

        return new(
            ((ulong)*(uint*)(buffer + 136) << 32) | *(uint*)(buffer + 140),
            *(ulong*)(buffer + 32), *(ulong*)(buffer + 40), Nanoseconds(buffer + 112), Nanoseconds(buffer + 96))
        {
            IsRegular = (*(ushort*)(buffer + 28) & KindMask) == RegularKind,
            Owner = *(uint*)(buffer + 20),
        };
    }

    private static unsafe long Nanoseconds(byte* time) => (*(long*)time * 1_000_000_000) + *(uint*)(time + 8);
}

/// <summary>What the cache asks of the C library. Linux only.</summary>
internal static unsafe partial class LibC
{
    /// <summary>O_RDONLY, O_NONBLOCK (a pipe without a writer does not block), O_CLOEXEC.</summary>
    internal const int ReadOnly = 0x80800;

    /// <summary>O_PATH, O_CLOEXEC: to ask where something lies, not to read it.</summary>
    internal const int PathOnly = 0x280000;

    /// <summary>Fills a struct statx.</summary>
    [LibraryImport("libc", EntryPoint = "statx")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int Statx(int folder, byte* path, int flags, uint mask, byte* buffer);

    /// <summary>Opens a file or folder; negative with the last error set.</summary>
    [LibraryImport("libc", EntryPoint = "open", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int Open(byte* path, int flags);

    /// <summary>The user that this process acts as.</summary>
    [LibraryImport("libc", EntryPoint = "geteuid")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial uint UserId();
}
