using Spillway.Runtimes.Onnx.Cache;
using Spillway.Runtimes.Processes;

namespace Spillway.Runtimes.Onnx;

/// <summary>
/// One model version: a single native session that all its replicas share, because a session's Run is thread-safe and a
/// second one would only double the weights. Thread-safe.
/// </summary>
internal sealed class OnnxModel : ILoadedModel
{
    private readonly OrtHandle _session;
    private readonly OrtArena? _arena;
    private readonly long? _loadBytes;
    private readonly long _arenaAtLoad;

    private OnnxModel(OrtLibrary library, OrtHandle session, Signature signature, ModelSource source, Device device,
        long? before)
    {
        (Library, _session, Signature, Name) = (library, session, signature, source.Name);
        (InputNames, OutputNames) = (new OrtNames(signature.Inputs), new OrtNames(signature.Outputs));
        Traits = new RuntimeTraits { Platform = "onnxruntime_onnx", Devices = [device] };
        var options = (OnnxOptions)source.Options;
        if (options.MemoryArena && device.Name == "cpu")
        {
            Watch = new();
            _arena = OrtArena.Of(library, session);
        }

        // What optimizing took and freed would stay with the C library.
        ProcessMemory.Trim();
        _arenaAtLoad = _arena?.TotalBytes ?? 0;
        _loadBytes = KernelMemory.AnonymousBytes is { } after && before is not null
            ? Math.Max(after - before.Value, _arenaAtLoad)
            : _arena?.TotalBytes;
    }

    /// <summary>The deployment's name, for messages.</summary>
    public string Name { get; }

    /// <summary>The library that runs it.</summary>
    public OrtLibrary Library { get; }

    /// <summary>Names of the inputs for the native call.</summary>
    public OrtNames InputNames { get; }

    /// <summary>Names of the outputs for the native call.</summary>
    public OrtNames OutputNames { get; }

    /// <summary>When the arena shrinks; null without an arena.</summary>
    public ArenaWatch? Watch { get; }

    /// <inheritdoc/>
    public Signature Signature { get; }

    /// <inheritdoc/>
    public RuntimeTraits Traits { get; }

    /// <inheritdoc/>
    public LoadReport? Report { get; private init; }

    /// <inheritdoc/>
    public ICurveStore? Curves { get; private init; }

    /// <summary>
    /// Growth of the process's anonymous memory while it was loaded, and of its arena since. What others allocated
    /// during the load counts too, so the figure of a probe (a process of its own) is the sharper one.
    /// </summary>
    public long? MemoryBytes => _loadBytes is { } load
        ? load + Math.Max(0, (_arena?.TotalBytes ?? _arenaAtLoad) - _arenaAtLoad)
        : null;

    /// <summary>Loads the file. Throws <see cref="OrtException"/> for what the native library reports.</summary>
    public static Outcome<ILoadedModel> Create(
        OrtLibrary library, ModelSource source, OrtProvider provider, CancellationToken cancellation)
    {
        var before = KernelMemory.AnonymousBytes;
        var loading = new CachedSession(library, source, provider, cancellation);
        return Wrap(loading, loading.Create(), library, source, provider, before);
    }

    /// <summary>A model around a session that came by another way than <see cref="CachedSession.Create"/>.</summary>
    public static Outcome<ILoadedModel> Wrap(
        CachedSession loading, OrtHandle session, OrtLibrary library, ModelSource source, OrtProvider provider,
            long? before)
    {
        var options = (OnnxOptions)source.Options;
        OnnxModel? model = null;
        try
        {
            if (!OrtPorts.Read(library, session.Value, source).TryGet(out var signature, out var fault))
                return fault;
            model = new OnnxModel(library, session, signature, source, provider.ToDevice(options.IntraOpThreads),
                before)
            {
                Report = loading.Report,
                Curves = loading.Entry is { } entry ? new CurveFile(entry.Folder, options) : null,
            };
            return model;
        }
        finally
        {
            if (model is null)
                session.Dispose();
        }
    }

    /// <inheritdoc/>
    public unsafe Outcome<IBatchReplica> CreateReplica(int device)
    {
        ObjectDisposedException.ThrowIf(_session.IsClosed, this);
        ArgumentOutOfRangeException.ThrowIfNotEqual(device, 0);
        var api = Library.Api;
        nint options;
        var status = api.CreateRunOptions(&options);
        if (status != 0)
            return new Fault(FaultKind.RuntimeFailed, $"Model '{Name}' has no room for another replica: {api.Take(status).Text}");
        return new OnnxReplica(this, _session, new OrtHandle(options, api.ReleaseRunOptions, _session));
    }

    /// <summary>Lets go of the session; replicas that still exist keep it until they are disposed too.</summary>
    public void Dispose()
    {
        _arena?.Dispose();
        _session.Dispose();
        ProcessMemory.Trim();
    }
}
