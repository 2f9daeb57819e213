using Spillway.Runtimes.Onnx.Cache;

namespace Spillway.Runtimes.Onnx;

/// <summary>
/// Runs ONNX models in this process through ONNX Runtime's C interface, without a NuGet package. The native library is
/// found and loaded with the first model (<see cref="OnnxOptions.Library"/> says where); its telemetry is off.
/// Optimized models are cached (<see cref="OnnxOptions.Cache"/>). Thread-safe.
/// </summary>
public sealed class OnnxRuntime : IRuntime
{
    /// <summary>Makes the runtime; nothing native is loaded yet.</summary>
    public OnnxRuntime() => Proofs = new ProofFiles(FindProofs);

    /// <inheritdoc/>
    public string Name => "onnx";

    /// <inheritdoc/>
    public Type OptionsType => typeof(OnnxOptions);

    /// <inheritdoc/>
    public IProofStore Proofs { get; }

    /// <summary>
    /// By the size of its file and of those beside it whose names begin with its name: external weights.
    /// </summary>
    public ModelFootprint Estimate(ModelSource source)
    {
        var provider = ((OnnxOptions)source.Options).Provider;
        var device = provider is "cpu" or "xnnpack" ? "cpu" : $"{provider}:0";
        try
        {
            var file = new FileInfo(source.File);
            return new(device, Math.Max(1, file.Directory!.EnumerateFiles($"{file.Name}*").Sum(f => f.Length)));
        }
        catch (Exception error) when (CacheFolder.IsFileProblem(error))
        {
            return new(device, 1);
        }
    }

    /// <inheritdoc/>
    public IReadOnlyList<string>? Files(ModelSource source) => ModelDigest.Files(source.File, TimeProvider.System.GetUtcNow());

    /// <inheritdoc/>
    public ModelStamp? Stamp(IReadOnlyList<string> files) => FileStamp.Of(files, TimeProvider.System.GetUtcNow());

    /// <inheritdoc/>
    public Outcome<ILoadedModel> Load(ModelSource source, CancellationToken cancellation)
    {
        if (cancellation.IsCancellationRequested)
            return Stopped(source);
        if (!Resolve(source, out var library, out var provider).TryGet(out _, out var fault))
            return fault with { Message = $"Model '{source.Name}': {fault.Message}" };

        try
        {
            return OnnxModel.Create(library, source, provider, cancellation);
        }
        catch (OrtException) when (cancellation.IsCancellationRequested)
        {
            return Stopped(source);
        }
        catch (OrtException error)
        {
            return new Fault(
                FaultKind.LoadFailed,
                $"Model '{source.Name}' could not be loaded from '{source.File}': {error.Message} " +
                "Check that the file is a complete ONNX model that this version of ONNX Runtime " +
                $"({library.Version}) knows.");
        }
    }

    /// <inheritdoc/>
    public IPreparation? Prepare(ModelSource source, CancellationToken cancellation)
    {
        if (!Resolve(source, out var library, out var provider).TryGet(out _, out _))
            return null;
        try
        {
            return PackedForm.Make(library, source, provider, cancellation);
        }
        catch (Exception error) when (error is OrtException || CacheFolder.IsFileProblem(error))
        {
            return null;
        }
    }

    /// <summary>The library and the provider of a model, or what is wrong before the library sees the file.</summary>
    internal static Outcome<bool> Resolve(ModelSource source, out OrtLibrary library, out OrtProvider provider)
    {
        (library, provider) = (null!, null!);
        var options = (OnnxOptions)source.Options;
        var found = OrtLocator.Find(
            options.Library, Environment.GetEnvironmentVariable(OrtLocator.Variable), AppContext.BaseDirectory);
        if (!found.TryGet(out var file, out var fault)
            || !OrtLibrary.Load(file).TryGet(out library!, out fault)
            || (fault = CheckFile(source)) is not null
            || !OrtProvider.Resolve(library, options.Provider).TryGet(out provider!, out fault))
            return fault;
        return true;
    }

    private static (string Folder, string Key)? FindProofs(ModelSource source)
    {
        var options = (OnnxOptions)source.Options;
        try
        {
            if (!Resolve(source, out var library, out var provider).TryGet(out _, out _)
                || CachedSession.Open(options, provider, source.File, out _) is not { } cache
                || cache.KeyOf(library, source.File, options, provider) is not { } key)
                return null;
            return (cache.Folder, key);
        }
        catch (Exception error) when (CacheFolder.IsFileProblem(error))
        {
            return null;
        }
    }

    private static Fault Stopped(ModelSource source) =>
        new(FaultKind.Cancelled, $"Loading model '{source.Name}' was cancelled.");

    /// <summary>
    /// What can be said of the file without the native library, in clearer words than its own, and what must be said
    /// before that follows a path in it.
    /// </summary>
    private static Fault? CheckFile(ModelSource source) =>
        ModelParts.Of(source.File, TimeProvider.System.GetUtcNow(), out var problem) is null
            ? new(FaultKind.LoadFailed, $"the model file '{source.File}' {problem}")
            : null;
}
