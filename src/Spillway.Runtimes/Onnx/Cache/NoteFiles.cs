namespace Spillway.Runtimes.Onnx.Cache;

/// <summary>
/// The small files beside the entries of a cache, one folder for each kind: digests, proofs. What was not used for
/// longest goes first; whoever misses it works it out again.
/// </summary>
internal static class NoteFiles
{
    /// <summary>Notes of a kind that are kept: more models than a machine serves, in 16 MB at most.</summary>
    public const int Most = 4096;

    /// <summary>A note that was used within this time counts as used now: noting each use would cost a write.</summary>
    private static readonly TimeSpan s_useRounding = TimeSpan.FromDays(1);

    private static readonly TimeSpan s_draftAge = TimeSpan.FromHours(1);

    /// <summary>Notes that it is in use.</summary>
    public static void Touch(string note)
    {
        try
        {
            var now = TimeProvider.System.GetUtcNow().UtcDateTime;
            if (now - File.GetLastWriteTimeUtc(note) > s_useRounding)
                File.SetLastWriteTimeUtc(note, now);
        }
        catch (Exception error) when (CacheFolder.IsFileProblem(error))
        {
            // Deleted meanwhile, or another user's: it only ages.
        }
    }

    /// <summary>
    /// Deletes the oldest above <paramref name="most"/>, and what a process that ended left half written.
    /// </summary>
    /// <param name="folder">Of one kind, below a folder that is ours.</param>
    /// <param name="now">To tell old drafts.</param>
    /// <param name="most">How many stay.</param>
    public static void Trim(string folder, DateTimeOffset now, int most = Most)
    {
        if (!Directory.Exists(folder))
            return;
        List<FileInfo> notes = [];
        foreach (var file in new DirectoryInfo(folder).EnumerateFiles())
        {
            if (IsNote(file.Name))
                notes.Add(file);
            else if (file.Name.EndsWith(".tmp", StringComparison.Ordinal) && IsNote(file.Name.Split('.')[0])
                && now.UtcDateTime - file.LastWriteTimeUtc > s_draftAge)
                file.Delete();
        }

        foreach (var old in notes.OrderByDescending(static f => f.LastWriteTimeUtc).Skip(most))
            old.Delete();
    }

    /// <summary>A hash, or two of them: what we name notes by.</summary>
    private static bool IsNote(string name) => name.Split('-') is [var key, .. var rest]
        && CacheFolder.IsHash(key) && rest is [] or [{ Length: 16 }];
}
