namespace Spillway.Store.Drills;

/// <summary>
/// What drills showed: one file each in a folder of the state folder, readable by its owner alone. The oldest goes when
/// there are more than <see cref="FilesMax"/>. Keeps no state.
/// </summary>
internal static class DrillFiles
{
    /// <summary>The folder in the state folder.</summary>
    public const string FolderName = "drills";

    /// <summary>Files that are kept.</summary>
    public const int FilesMax = 100;

    /// <summary>The largest one: some thousand times what a drill has to tell.</summary>
    public const int BytesMax = 1024 * 1024;

    private const int IdMax = 64;
    private const string Ending = ".json";

    /// <summary>Whether that may be an identifier: it becomes the name of a file.</summary>
    public static bool IsId(string id) => id.Length is > 0 and <= IdMax && id.All(c => c is '-' or >= '0' and <= '9'
        or >= 'a' and <= 'z');

    /// <summary>Keeps one; null when it is on the disk.</summary>
    /// <param name="state">The state folder's path.</param>
    /// <param name="id">Its identifier.</param>
    /// <param name="evidence">JSON.</param>
    public static Fault? Write(string state, string id, ReadOnlySpan<byte> evidence)
    {
        var folder = Path.Combine(state, FolderName);
        try
        {
            OwnerOnly.Folder(folder);
            OwnerOnly.Write(Path.Combine(folder, id + Ending), evidence);
            foreach (var old in Ids(state).Skip(FilesMax))
                File.Delete(Path.Combine(folder, old + Ending));
            return null;
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            return new(FaultKind.StoreFailed, $"What the drill showed cannot be written to {folder}: "
                + $"{failed.Message.TrimEnd('.')}. Make room or rights; `--json` prints it.");
        }
    }

    /// <summary>One that was kept; a fault when there is none of that name.</summary>
    public static Outcome<byte[]> Read(string state, string id)
    {
        var file = Path.Combine(state, FolderName, id + Ending);
        try
        {
            return File.ReadAllBytes(file);
        }
        catch (Exception absent) when (absent is FileNotFoundException or DirectoryNotFoundException)
        {
            return new Fault(
                FaultKind.UnknownRequest, $"No drill {id} is kept here. See which are: spillway drill list.");
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            return new Fault(FaultKind.StoreFailed, $"{file} cannot be read: {failed.Message}");
        }
    }

    /// <summary>All that are kept, the newest first; identifiers begin with their time.</summary>
    public static IReadOnlyList<string> Ids(string state)
    {
        var folder = Path.Combine(state, FolderName);
        return !Directory.Exists(folder) ? []
            : [.. Directory.EnumerateFiles(folder, "*" + Ending).Select(Path.GetFileNameWithoutExtension)
                .OfType<string>().Where(IsId).OrderDescending(StringComparer.Ordinal)];
    }
}
