namespace Spillway.Runtimes.Onnx;

/// <summary>
/// One model version: a single native session that all its replicas share, because a session's Run is thread-safe and a
/// second one would only double the weights. Thread-safe.
/// </summary>
internal sealed class OnnxModel : ILoadedModel
{
    private readonly OrtHandle _session;

    private OnnxModel(OrtLibrary library, OrtHandle session, Signature signature, ModelSource source, Device device)
    {
        (Library, _session, Signature, Name) = (library, session, signature, source.Name);
        (InputNames, OutputNames) = (new OrtNames(signature.Inputs), new OrtNames(signature.Outputs));
        Traits = new RuntimeTraits { Platform = "onnxruntime_onnx", Devices = [device] };
    }

    /// <summary>The deployment's name, for messages.</summary>
    public string Name { get; }

    /// <summary>The library that runs it.</summary>
    public OrtLibrary Library { get; }

    /// <summary>Names of the inputs for the native call.</summary>
    public OrtNames InputNames { get; }

    /// <summary>Names of the outputs for the native call.</summary>
    public OrtNames OutputNames { get; }

    /// <inheritdoc/>
    public Signature Signature { get; }

    /// <inheritdoc/>
    public RuntimeTraits Traits { get; }

    /// <summary>Loads the file. Throws <see cref="OrtException"/> for what the native library reports.</summary>
    public static Outcome<ILoadedModel> Create(
        OrtLibrary library, ModelSource source, OnnxOptions options, OrtProvider provider, CancellationToken cancellation)
    {
        var session = OrtSession.Create(library, source.File, options, provider, cancellation);
        OnnxModel? model = null;
        try
        {
            if (!OrtPorts.Read(library, session.Value, source).TryGet(out var signature, out var fault))
                return fault;
            return model = new OnnxModel(library, session, signature, source, provider.ToDevice(options.IntraOpThreads));
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
    public void Dispose() => _session.Dispose();
}
