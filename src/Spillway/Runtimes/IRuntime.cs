namespace Spillway.Runtimes;

/// <summary>What executes models of one kind. One instance a process; thread-safe.</summary>
public interface IRuntime
{
    /// <summary>As configuration names it: "onnx", "simulated".</summary>
    string Name { get; }

    /// <summary>
    /// The options class that a model's section of that name is bound to; has a parameterless constructor.
    /// </summary>
    Type OptionsType { get; }

    /// <summary>
    /// Loads one model version. Expected failures (no such file, corrupt file, missing library or provider) are
    /// <see cref="FaultKind.LoadFailed"/> with the remedy. May take seconds; runs off the request path.
    /// </summary>
    Outcome<ILoadedModel> Load(ModelSource source, CancellationToken cancellation);

    /// <summary>
    /// Where a model would be in memory, and about how much of it would take; an estimate that reads no file whole. By
    /// default one byte of the processor's.
    /// </summary>
    ModelFootprint Estimate(ModelSource source) => new("cpu", 1);

    /// <summary>
    /// Every file that a model is made of, absolute, the model file first; empty for a model without files, null when
    /// they cannot all be told. Reads the model file at most.
    /// </summary>
    IReadOnlyList<string>? Files(ModelSource source) => source.File.Length == 0 ? [] : [source.File];

    /// <summary>
    /// What the file system knows of these files at this moment; null where there is no such thing, or where one
    /// changed too lately to tell.
    /// </summary>
    /// <param name="files">As <see cref="Files"/> gives them.</param>
    ModelStamp? Stamp(IReadOnlyList<string> files) => null;

    /// <summary>What is remembered of models between processes; null when nothing is.</summary>
    IProofStore? Proofs => null;

    /// <summary>
    /// Makes and loads a form of the model that may serve better, in a way that may end the process: only a throw-away
    /// one calls this, and keeps the form when its answers are those of the ordinary one. Null when there is no such
    /// form, or it is kept already.
    /// </summary>
    IPreparation? Prepare(ModelSource source, CancellationToken cancellation) => null;
}

/// <summary>What to load.</summary>
/// <param name="Name">The deployment's name, for messages.</param>
/// <param name="File">Absolute path of the model file; empty for runtimes that need none.</param>
/// <param name="Options">An instance of <see cref="IRuntime.OptionsType"/>, validated.</param>
public sealed record ModelSource(string Name, string File, object Options);

/// <summary>
/// What a file system knows of a model's files, as texts that no change leaves as they were, not even one that is taken
/// back. When both are equal, whoever read the files between them read the same bytes.
/// </summary>
/// <param name="Files">Of the files alone: equal ones mean that the files at these paths hold the same bytes.</param>
/// <param name="Folders">
/// Of the folders above them: equal ones mean that no other file or folder was in their place between. Creating
/// anything in such a folder changes it. Null when one changed too lately to tell.
/// </param>
public sealed record ModelStamp(string Files, string? Folders);

/// <summary>What a model takes of a device.</summary>
/// <param name="Device">As budgets name it: "cpu", "cuda:0", "simulated".</param>
/// <param name="Bytes">At least 1.</param>
public readonly record struct ModelFootprint(string Device, long Bytes);

/// <summary>A loaded model version: makes replicas, which run it. Disposed after its last replica.</summary>
public interface ILoadedModel : IDisposable
{
    /// <summary>Its own inputs and outputs, before any transform at the door.</summary>
    Signature Signature { get; }

    /// <summary>What the Engine must know to run it well.</summary>
    RuntimeTraits Traits { get; }

    /// <summary>How the load went; null from a runtime that has nothing to tell.</summary>
    LoadReport? Report => null;

    /// <summary>
    /// Memory that this model takes now, in bytes, without pages of files that the system can take back; null when the
    /// runtime cannot tell. Cheap enough to ask once a second.
    /// </summary>
    long? MemoryBytes => null;

    /// <summary>Where measured batch curves of this model are kept between processes; null when nowhere.</summary>
    ICurveStore? Curves => null;

    /// <summary>One more running instance on a device (index into <see cref="RuntimeTraits.Devices"/>).</summary>
    Outcome<IBatchReplica> CreateReplica(int device);
}

/// <summary>How a loaded model behaves.</summary>
public sealed record RuntimeTraits
{
    /// <summary>As the protocol's metadata says it: "onnxruntime_onnx", "spillway_simulated".</summary>
    public required string Platform { get; init; }

    /// <summary>True when nothing real runs: every answer and listing says so.</summary>
    public bool Simulated { get; init; }

    /// <summary>Where it can run; at least one.</summary>
    public required IReadOnlyList<Device> Devices { get; init; }

    /// <summary>A declared batch curve, in place of one measured at load; null means measure.</summary>
    public IReadOnlyList<BatchPoint>? DeclaredCurve { get; init; }

    /// <summary>Price of one run and of each row in it; zero where nothing is declared.</summary>
    public Money PricePerRun { get; init; }

    /// <summary>Price of each row.</summary>
    public Money PricePerRow { get; init; }
}

/// <summary>Something that runs work: a processor's cores as one device, or one accelerator.</summary>
/// <param name="Name">"cpu", "cuda:0", "simulated:1".</param>
/// <param name="Parallelism">How many runs it carries at once without slowing each: cores for a processor, 1 for an
/// accelerator.</param>
public sealed record Device(string Name, int Parallelism);
