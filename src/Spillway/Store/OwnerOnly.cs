namespace Spillway.Store;

/// <summary>Files and folders that only their owner may read. On Windows the folder's own rights hold.</summary>
internal static class OwnerOnly
{
    private const UnixFileMode File = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode FolderMode = File | UnixFileMode.UserExecute;

    /// <summary>Makes a folder where there is none.</summary>
    public static void Folder(string path)
    {
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(path);
        else
            Directory.CreateDirectory(path, FolderMode);
    }

    /// <summary>Opens a file for reading and writing at any place; made where there is none.</summary>
    public static FileStream Open(string path, FileMode mode = FileMode.OpenOrCreate) => Stream(path, mode);

    /// <summary>Writes a file whole: first beside it, then in its place, so that nobody meets half of it.</summary>
    public static void Write(string path, ReadOnlySpan<byte> content)
    {
        var beside = path + ".new";
        using (var file = Stream(beside, FileMode.Create))
        {
            file.Write(content);
            file.Flush(flushToDisk: true);
        }

        System.IO.File.Move(beside, path, overwrite: true);
    }

    /// <summary>Whether others than the owner may read or write it; false where the system cannot tell.</summary>
    public static bool IsOpenToOthers(string path) => !OperatingSystem.IsWindows()
        && (System.IO.File.GetUnixFileMode(path) & ~FolderMode) != 0;

    private static FileStream Stream(string path, FileMode mode)
    {
        var options = new FileStreamOptions
        {
            Mode = mode, Access = FileAccess.ReadWrite, Share = FileShare.ReadWrite | FileShare.Delete, BufferSize = 0,
        };
        if (!OperatingSystem.IsWindows() && mode is not FileMode.Open)
            options.UnixCreateMode = File;
        return new(path, options);
    }
}
