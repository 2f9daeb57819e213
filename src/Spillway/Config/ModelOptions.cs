using Spillway.Policies.Batching;
using Spillway.Policies.Sequences;
using Spillway.Policies.Overload;
using Spillway.Policies.Sharing;
using Spillway.Store.Audit;
using Spillway.Store.Provenance;
using Spillway.Transforms.Picture;
using Spillway.Transforms.Text;

namespace Spillway.Config;

/// <summary>One model version as its model.yaml declares it.</summary>
public sealed record ModelOptions
{
    /// <summary>The deployment's name; by default the folder's.</summary>
    [Option("Name of the deployment; by default the folder's name.")]
    public string Name { get; init; } = "";

    /// <summary>Who answers for it.</summary>
    [Option("Who answers for the model: a team or an address. Its costs are told by owner, and `spillway check` "
        + "notes a model without one.")]
    public string Owner { get; init; } = "";

    /// <summary>A positive integer.</summary>
    [Option("Version, a positive integer.", Min = 1, Max = 2_147_483_647)]
    public int Version { get; init; } = 1;

    /// <summary>"onnx" or "simulated".</summary>
    [Option("What executes it. The section of the same name holds the runtime's own options.")]
    public string Runtime { get; init; } = "onnx";

    /// <summary>The model file.</summary>
    [Option("The model file, relative to model.yaml, or npm:<package>/<file> for one installed by "
        + "native/package.json.")]
    public string File { get; init; } = "model.onnx";

    /// <summary>Which versions of a repository's model are served.</summary>
    [Option("Which version folders are served; only for a model in a repository.")]
    public VersionOptions Versions { get; init; } = new();

    /// <summary>What the model file must look like.</summary>
    [Option("Inputs and outputs that the model must have; without one of them it is not served.")]
    public ExpectOptions Expects { get; init; } = new();

    /// <summary>Typical shape per input, for the batch curve.</summary>
    [Option("Typical shape of each input by name, its first dimension 1: { x: [1, 3, 48, 320] }. The batch curve is "
        + "measured there.")]
    public IReadOnlyDictionary<string, IReadOnlyList<long>> Typical { get; init; } = new Dictionary<string, IReadOnlyList<long>>();

    /// <summary>Queue and batches.</summary>
    [Option("How it queues and batches.")]
    public BatchingOptions Batching { get; init; } = new();

    /// <summary>Its part of a device that other models want too.</summary>
    [Option("How it shares its device with other models.")]
    public SharingOptions Sharing { get; init; } = new();

    /// <summary>Who is given up first when there is too much to do.</summary>
    [Option("Who is given up first when there is too much to do: the less critical requests.")]
    public SheddingOptions Shedding { get; init; } = new();

    /// <summary>Never unloaded to make room.</summary>
    [Option("Whether it stays in memory though its device has a budget (residency.memoryBytesMax): it is never "
        + "unloaded to make room for another.")]
    public bool Pinned { get; init; }

    /// <summary>Requests of different lengths in one run; null runs only equal shapes together.</summary>
    [Option("How requests of different lengths run together. Without the section only equal shapes do.")]
    public PaddingOptions? Padding { get; init; }

    /// <summary>Sequences of requests to a model with state; null for a model without.</summary>
    [Option("Sequences of requests whose state the server keeps, for models whose answer depends on the requests "
        + "before.")]
    public SequenceOptions? Sequences { get; init; }

    /// <summary>Default deadline.</summary>
    [Option("How long a request may take when its caller does not say.")]
    public DeadlineOptions Deadline { get; init; } = new();

    /// <summary>What follows the model.</summary>
    [Option("What follows the model, for every name that serves it.")]
    public OutputOptions Outputs { get; init; } = new();

    /// <summary>Label file per output, for the classification extension.</summary>
    [Option("Label files of outputs by name, one label a line: { y: labels.txt }. A request that asks for the best "
        + "classes of such an output (parameter classification) gets their labels too. Relative to model.yaml, or "
        + "npm:<package>/<file>.")]
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();

    /// <summary>What is written down of it.</summary>
    [Option("What the audit log keeps of its requests beyond who asked.")]
    public ModelAuditOptions Audit { get; init; } = new();

    /// <summary>Whether it must be signed.</summary>
    [Option("Whether it must be signed.")]
    public ModelSigningOptions Signing { get; init; } = new();

    /// <summary>Names it is served under.</summary>
    [Option("The names that clients see, each with what happens at its door; by default one, the deployment's own, "
        + "with nothing.")]
    public IReadOnlyDictionary<string, DoorOptions> Serve { get; init; } = new Dictionary<string, DoorOptions>();

    /// <summary>Validated instance of the runtime's own options class; not a key of its own.</summary>
    public object? RuntimeOptions { get; init; }

    /// <summary>
    /// Absolute path of the model.yaml or config.pbtxt, or of the model's folder where there is neither; not a key.
    /// </summary>
    public string Source { get; init; } = "";

    /// <summary>
    /// Whether it was found in a model repository, and not named by the configuration itself; not a key.
    /// </summary>
    public bool IsFound { get; init; }
}

/// <summary>Transforms after the model; without any its own outputs are served.</summary>
public sealed record OutputOptions
{
    /// <summary>Scores to text.</summary>
    [Option("Greedy CTC: class scores per step to text.")]
    public CtcOptions? Ctc { get; init; }

    /// <summary>Scores to labels.</summary>
    [Option("Class scores to the best labels.")]
    public TopKOptions? TopK { get; init; }
}

/// <summary>What happens at the door of one served name.</summary>
public sealed record DoorOptions
{
    /// <summary>PNG bytes to a tensor.</summary>
    [Option("PNG pictures in place of one of the model's inputs.")]
    public PictureOptions? Picture { get; init; }

    /// <summary>Who answers for the name; empty for the model's owner.</summary>
    [Option("Who answers for this name. Empty: the model's owner.")]
    public string Owner { get; init; } = "";
}
