using System.Text.Json;
using System.Text.Json.Serialization;

namespace Spillway.Engine.Canary;

/// <summary>What a throw-away process found out about a model that it loaded and ran.</summary>
public sealed record CanaryReport
{
    /// <summary>The model's inputs as "x FP32 [-1,784]".</summary>
    public required IReadOnlyList<string> Inputs { get; init; }

    /// <summary>Its outputs.</summary>
    public required IReadOnlyList<string> Outputs { get; init; }

    /// <summary>Whether rows of several requests may run together.</summary>
    public bool Batched { get; init; }

    /// <summary>Time of the load, in milliseconds; with an empty cache that of optimizing, too.</summary>
    public double LoadMs { get; init; }

    /// <summary>
    /// Memory of the process that nothing but the model explains, after its load, in bytes; null where nothing tells.
    /// </summary>
    public long? LoadedBytes { get; init; }

    /// <summary>The same after the largest batch: what a server needs to have free for it.</summary>
    public long? PeakBytes { get; init; }

    /// <summary>The runs, smallest first.</summary>
    public required IReadOnlyList<CanaryRun> Runs { get; init; }

    /// <summary>Whether a form that takes less memory or time was made, proved and kept for later loads.</summary>
    public bool Prepared { get; init; }
}

/// <summary>One run of a probe.</summary>
/// <param name="Rows">Rows in it.</param>
/// <param name="Ms">Its time in milliseconds; the first run of a shape, so it includes what is done only once.</param>
public sealed record CanaryRun(int Rows, double Ms);

/// <summary>What a probe is asked, on the standard input of the child.</summary>
internal sealed record CanaryQuestion
{
    public required string Runtime { get; init; }

    public required string Name { get; init; }

    public required string File { get; init; }

    /// <summary>The runtime's options, by their properties.</summary>
    public required JsonElement Options { get; init; }

    public required IReadOnlyDictionary<string, IReadOnlyList<long>> Typical { get; init; }

    public required int RowsMax { get; init; }

    /// <summary>Memory that it may take beyond what the process has at its start; null: no limit.</summary>
    public long? BytesMax { get; init; }
}

/// <summary>One line of the child's standard output; exactly one member is set, and Rows beside a stage.</summary>
internal sealed record CanaryLine
{
    /// <summary>What begins now: "load", "run", "prepare".</summary>
    public string? Stage { get; init; }

    public int Rows { get; init; }

    public CanaryReport? Report { get; init; }

    /// <summary>Why the model does not work, in words for its owner.</summary>
    public string? Error { get; init; }

    public bool? Prepared { get; init; }
}

/// <summary>The child's language.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(CanaryQuestion))]
[JsonSerializable(typeof(CanaryLine))]
internal sealed partial class CanaryJson : JsonSerializerContext;
