namespace Spillway.Runtimes.Onnx.Cache;

/// <summary>
/// Optimized models on disk, one folder of entries for all models and processes of a user. An entry is named by
/// everything that it depends on (model bytes, library build, processor features, options), made under a name of its
/// own and renamed when complete: of two processes that make the same one, the second finds the first's and uses it.
/// Thread-safe. Throws for what the file system says; its caller goes on without a cache.
/// </summary>
internal sealed class ModelCache
{
    /// <summary>Raised when an entry's form changes: older entries are then never found again, and age out.</summary>
    private const string Form = "spillway-onnx-entry 1";

    private const string DraftPrefix = "tmp-", ScrapPrefix = "old-";
    private const int GuidDigits = 32;

    /// <summary>A draft that is older was left by a process that ended in the middle.</summary>
    private static readonly TimeSpan s_draftAge = TimeSpan.FromHours(1);

    private readonly long _bytesMax;
    private readonly TimeProvider _time;

    /// <summary>A cache in a folder that <see cref="CacheFolder.Prepare"/> found good.</summary>
    public ModelCache(string folder, long bytesMax, TimeProvider time) =>
        (Folder, _bytesMax, _time) = (Path.Combine(folder, CacheFolder.Own), bytesMax, time);

    /// <summary>Our own folder in the named one.</summary>
    public string Folder { get; }

    /// <summary>
    /// The name of a model's entry: 64 hexadecimal digits; null when the model cannot be read. Threads, spinning and
    /// the arena do not change the graph and are not in it.
    /// </summary>
    public string? KeyOf(OrtLibrary library, string file, OnnxOptions options, OrtProvider provider)
    {
        var digest = ModelDigest.Of(file, Path.Combine(Folder, ModelDigest.Folder), _time.GetUtcNow());
        return digest is null ? null : CacheFolder.Hash(string.Join('\n',
            Form, digest, library.Version, library.Build, MachineFeatures.Text, provider.Word, options.Optimization));
    }

    /// <summary>The entry of that name if it is there and whole; a corrupt one is thrown away and reported.</summary>
    public CacheEntry? Find(string key, out bool corrupt)
    {
        corrupt = false;
        var entry = new CacheEntry(Path.Combine(Folder, key));
        if (!Directory.Exists(entry.Folder))
            return null;
        if (entry.Verify())
        {
            entry.Touch(_time.GetUtcNow());
            return entry;
        }

        corrupt = true;
        Discard(entry);
        return null;
    }

    /// <summary>Throws an entry away; processes that have mapped it keep what they have.</summary>
    public void Discard(CacheEntry entry)
    {
        var scrap = Path.Combine(Folder, $"{ScrapPrefix}{Guid.NewGuid():n}");
        try
        {
            Directory.Move(entry.Folder, scrap);
            Directory.Delete(scrap, recursive: true);
        }
        catch (DirectoryNotFoundException)
        {
            // Another process did the same.
        }
    }

    /// <summary>A new folder to make an entry in; refuses when the disk is nearly full.</summary>
    /// <param name="modelBytes">Size of the model; an entry is about as large, with packed weights twice.</param>
    public string Draft(long modelBytes)
    {
        var needed = (2 * modelBytes) + (16 * 1024 * 1024);
        var free = new DriveInfo(Folder).AvailableFreeSpace;
        if (free < needed)
            throw new IOException($"{free / 1_000_000} MB are free and {needed / 1_000_000} MB may be needed");
        var draft = Path.Combine(Folder, $"{DraftPrefix}{Guid.NewGuid():n}");
        Directory.CreateDirectory(draft);
        return draft;
    }

    /// <summary>
    /// Makes a draft the entry of that name, or takes the one that another process published meanwhile.
    /// </summary>
    public CacheEntry Publish(string draft, string key)
    {
        var entry = new CacheEntry(Path.Combine(Folder, key));
        CacheEntry.Seal(draft);
        try
        {
            Directory.Move(draft, entry.Folder);
        }
        catch (IOException) when (Directory.Exists(entry.Folder))
        {
            Drop(draft);
        }

        try
        {
            Trim(entry);
        }
        catch (Exception error) when (CacheFolder.IsFileProblem(error))
        {
            // Another process trims at the same time; what is left over goes next time.
        }

        return entry;
    }

    /// <summary>Deletes a draft; one that cannot be deleted is left for a later trim.</summary>
    public static void Drop(string draft)
    {
        try
        {
            if (Directory.Exists(draft))
                Directory.Delete(draft, recursive: true);
        }
        catch (Exception error) when (CacheFolder.IsFileProblem(error))
        {
            // It ages out.
        }
    }

    /// <summary>
    /// Deletes what was not used for longest until the rest fits, and drafts that nobody finished. Only what has the
    /// exact form of ours, and only below our mark.
    /// </summary>
    private void Trim(CacheEntry keep)
    {
        if (!CacheFolder.IsOurs(Folder))
            return;
        List<(CacheEntry Entry, long Bytes)> entries = [];
        foreach (var folder in Directory.EnumerateDirectories(Folder))
        {
            var name = Path.GetFileName(folder);
            if (CacheFolder.IsHash(name) && new CacheEntry(folder) is { HasManifest: true } entry)
                entries.Add((entry, entry.Bytes));
            else if (IsLeftOver(name)
                && _time.GetUtcNow().UtcDateTime - Directory.GetLastWriteTimeUtc(folder) > s_draftAge)
                Drop(folder);
        }

        var total = entries.Sum(static e => e.Bytes);
        foreach (var (entry, bytes) in entries.OrderBy(static e => e.Entry.LastUsed))
        {
            if (total <= _bytesMax)
                break;
            if (entry.Folder == keep.Folder)
                continue;
            Discard(entry);
            total -= bytes;
        }

        NoteFiles.Trim(Path.Combine(Folder, ModelDigest.Folder), _time.GetUtcNow());
        NoteFiles.Trim(Path.Combine(Folder, ProofFiles.Folder), _time.GetUtcNow());
    }

    private static bool IsLeftOver(string name) => name.Length == DraftPrefix.Length + GuidDigits
        && (name.StartsWith(DraftPrefix, StringComparison.Ordinal)
            || name.StartsWith(ScrapPrefix, StringComparison.Ordinal))
        && CacheFolder.IsHex(name.AsSpan(DraftPrefix.Length), GuidDigits);
}
