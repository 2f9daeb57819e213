namespace Spillway.Runtimes.Onnx.Cache;

/// <summary>
/// An optimized model that also stores its weights as the kernels want them, so that loading copies none into memory
/// of its own: a fully connected model then takes a quarter of the memory. Loading or running such a file has crashed
/// the library
/// (1.30, small weights), hence the proof in a throw-away process.
/// </summary>
internal sealed class PackedForm : IPreparation
{
    private readonly ModelCache _cache;
    private readonly string _draft;
    private readonly string _key;

    private PackedForm(ModelCache cache, string draft, string key, ILoadedModel model) =>
        (_cache, _draft, _key, Model) = (cache, draft, key, model);

    /// <inheritdoc/>
    public ILoadedModel Model { get; }

    /// <summary>
    /// Makes and loads the form; null without a cache, or when it is there already or cannot be made.
    /// </summary>
    public static PackedForm? Make(OrtLibrary library, ModelSource source, OrtProvider provider,
        CancellationToken cancellation)
    {
        var loading = new CachedSession(library, source, provider, cancellation);
        var options = (OnnxOptions)source.Options;
        if (CachedSession.Open(options, provider, source.File, out _) is not { } cache
            || cache.KeyOf(library, source.File, options, provider) is not { } plain
            || CachedSession.PackedKey(plain) is var key && cache.Find(key, out _) is not null)
            return null;
        var draft = cache.Draft(new FileInfo(source.File).Length);
        PackedForm? form = null;
        try
        {
            loading.Store(draft, packed: true);
            var before = KernelMemory.AnonymousBytes;
            var session = loading.FromGraph(Path.Combine(draft, CacheEntry.Graph));
            if (OnnxModel.Wrap(loading, session, library, source, provider, before).TryGet(out var model, out _))
                form = new(cache, draft, key, model);
            return form;
        }
        finally
        {
            if (form is null)
                ModelCache.Drop(draft);
        }
    }

    /// <inheritdoc/>
    public void Keep() => _cache.Publish(_draft, _key);

    /// <inheritdoc/>
    public void Dispose()
    {
        Model.Dispose();
        ModelCache.Drop(_draft);
    }
}
