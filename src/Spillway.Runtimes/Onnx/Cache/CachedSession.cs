namespace Spillway.Runtimes.Onnx.Cache;

/// <summary>
/// Makes a session by way of the cache: from the stored optimized model when there is one, else from the file, storing
/// what came of it. Whatever the cache cannot do, the model is loaded all the same. Throws <see cref="OrtException"/>
/// only for what the model itself is to blame for.
/// </summary>
/// <param name="library">The native library.</param>
/// <param name="source">The model.</param>
/// <param name="provider">Where it runs.</param>
/// <param name="cancellation">Ends a load.</param>
internal sealed class CachedSession(
    OrtLibrary library, ModelSource source, OrtProvider provider, CancellationToken cancellation)
{
    private readonly OnnxOptions _options = (OnnxOptions)source.Options;

    /// <summary>What the cache did.</summary>
    public LoadReport Report { get; private set; } = new(CacheUse.Off);

    /// <summary>The entry in use; null when the session comes from the model file.</summary>
    public CacheEntry? Entry { get; private set; }

    /// <summary>
    /// The cache that the model's options mean; null when there is none to use, with the reason if that is worth
    /// telling.
    /// </summary>
    public static ModelCache? Open(OnnxOptions options, OrtProvider provider, string file, out string problem)
    {
        problem = "";
        // A graph that a provider compiled cannot be stored; a file in the library's own format is optimized already.
        if (!provider.IsCpu || options.Optimization == "none"
            || file.EndsWith(".ort", StringComparison.OrdinalIgnoreCase)
            || CacheFolder.Find(options.Cache, Environment.GetEnvironmentVariable) is not { } folder)
            return null;
        if (CacheFolder.Prepare(folder) is not { } why)
            return new(folder, options.CacheBytesMax, TimeProvider.System);
        problem = $"the folder '{folder}' cannot be used: {why}";
        return null;
    }

    /// <summary>The session.</summary>
    public OrtHandle Create()
    {
        if (Open(_options, provider, source.File, out var problem) is not { } cache)
        {
            if (problem.Length > 0)
                Report = Without(problem);
            return FromFile();
        }

        try
        {
            return Through(cache);
        }
        catch (Exception error) when (CacheFolder.IsFileProblem(error))
        {
            Report = Without($"'{cache.Folder}': {error.Message}");
            return FromFile();
        }
    }

    /// <summary>The name of the entry that also holds packed weights, which only a proven model has.</summary>
    public static string PackedKey(string key) => CacheFolder.Hash($"{key} packed");

    /// <summary>Stores the optimized graph of a model; the folder is the caller's to publish or drop.</summary>
    /// <param name="draft">An empty folder.</param>
    /// <param name="packed">Also stores weights in the order the kernels want, so that loading copies none.</param>
    public void Store(string draft, bool packed)
    {
        OrtSession.Create(library, source.File, _options, provider, cancellation, SessionExtras.Save(draft, packed))
            .Dispose();
        if (!File.Exists(Path.Combine(draft, CacheEntry.Graph)))
            throw new IOException("the library wrote no optimized model");
    }

    /// <summary>Loads an entry's or a draft's graph, which is not optimized again.</summary>
    public OrtHandle FromGraph(string graph) =>
        OrtSession.Create(library, graph, _options with { Optimization = "none" }, provider, cancellation);

    private OrtHandle FromFile() => OrtSession.Create(library, source.File, _options, provider, cancellation);

    private OrtHandle Through(ModelCache cache)
    {
        if (cache.KeyOf(library, source.File, _options, provider) is not { } key)
            return FromFile();
        var session = TryEntry(cache, PackedKey(key), out var corrupt);
        if (session is null)
        {
            session = TryEntry(cache, key, out var plainCorrupt);
            corrupt |= plainCorrupt;
        }

        if (session is not null)
        {
            // A corrupt packed entry is made again by the next probe; this one serves meanwhile.
            Report = new(corrupt ? CacheUse.Rebuilt : CacheUse.Hit);
            return session;
        }

        var draft = cache.Draft(new FileInfo(source.File).Length);
        try
        {
            Store(draft, packed: false);
            // Replaced while the library read it: the entry would answer for a model that it is not.
            if (cache.KeyOf(library, source.File, _options, provider) != key)
                throw new IOException("the model file changed while it was loaded");
            Entry = cache.Publish(draft, key);
            // Loaded from there at once: weights are mapped instead of held, and every start runs the same graph.
            session = FromGraph(Entry.GraphFile);
            Report = new(corrupt ? CacheUse.Rebuilt : CacheUse.Filled);
            return session;
        }
        catch (OrtException error) when (!cancellation.IsCancellationRequested)
        {
            // The model itself is to blame if it does not load without the cache either; then that is thrown.
            if (Entry is { } unusable)
                cache.Discard(unusable);
            Entry = null;
            session = FromFile();
            Report = Without(error.Message);
            return session;
        }
        finally
        {
            ModelCache.Drop(draft);
        }
    }

    private OrtHandle? TryEntry(ModelCache cache, string key, out bool corrupt)
    {
        if (cache.Find(key, out corrupt) is not { } entry)
            return null;
        try
        {
            var session = FromGraph(entry.GraphFile);
            Entry = entry;
            return session;
        }
        catch (OrtException) when (!cancellation.IsCancellationRequested)
        {
            // Whole by its hashes and not loadable: a defect of whoever wrote it.
            corrupt = true;
            cache.Discard(entry);
            return null;
        }
    }

    private static LoadReport Without(string why) => new(
        CacheUse.Failed,
        $"The optimized model is not cached ({why}), so every start optimizes it again. "
        + $"Free the disk or name another folder: {CacheFolder.Variable}, or the model's onnx.cache "
        + "(off: none, and no warning).");
}
