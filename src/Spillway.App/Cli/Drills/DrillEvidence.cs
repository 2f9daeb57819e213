using System.Text.Json.Serialization;

namespace Spillway.App.Cli.Drills;

/// <summary>What a drill showed: printed, and kept beside the server's store.</summary>
internal sealed record DrillEvidence
{
    public required string Id { get; init; }

    public required string Drill { get; init; }

    public required string Served { get; init; }

    /// <summary>What was broken, as half a sentence.</summary>
    public required string What { get; init; }

    public required DateTimeOffset Began { get; init; }

    /// <summary>Requests a second of the drill's own traffic.</summary>
    public required double Rate { get; init; }

    /// <summary>Before, what was broken one after the other, and after.</summary>
    public required IReadOnlyList<DrillStretch> Stretches { get; init; }

    /// <summary>From the breaking to the first request that noticed; null when none did.</summary>
    public double? EffectMs { get; init; }

    /// <summary>From the mending until everything is as before; null when it did not become so.</summary>
    public double? RecoveryMs { get; init; }

    public required IReadOnlyList<DrillPromise> Promises { get; init; }

    /// <summary>What one request that noticed went through; null when none did.</summary>
    public DrillExample? Example { get; init; }

    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>"held", "broken" or "interrupted".</summary>
    public required string Verdict { get; init; }
}

/// <summary>A part of a drill.</summary>
internal sealed record DrillStretch
{
    /// <summary>"before", "broken" or "after".</summary>
    public required string Name { get; init; }

    /// <summary>What was broken in it; empty for nothing.</summary>
    public string What { get; init; } = "";

    public required double FromMs { get; init; }

    public required double ToMs { get; init; }

    public int Sent { get; init; }

    public int Full { get; init; }

    public int Degraded { get; init; }

    public int Refused { get; init; }

    public int Lost { get; init; }

    /// <summary>Remembered answers among them.</summary>
    public int Hits { get; init; }

    /// <summary>By the step that answered, or the fault that was told.</summary>
    public IReadOnlyDictionary<string, int> By { get; init; } = new Dictionary<string, int>();

    /// <summary>Of the answers; null without any.</summary>
    public double? P50Ms { get; init; }

    public double? P95Ms { get; init; }

    public double? P99Ms { get; init; }

    /// <summary>Of all that were sent: those that got an answer, full or degraded.</summary>
    [JsonIgnore]
    public double Answered => Sent == 0 ? 1 : (Full + Degraded) / (double)Sent;

    [JsonIgnore]
    public bool IsBroken => What.Length > 0;
}

/// <summary>What was promised, and what was seen.</summary>
internal sealed record DrillPromise(string Name, bool Held, string Seen);

/// <summary>What explain says of one request.</summary>
internal sealed record DrillExample(string RequestId, IReadOnlyList<string> Decisions);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    WriteIndented = true,
    GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(DrillEvidence))]
internal sealed partial class DrillEvidenceJson : JsonSerializerContext;
