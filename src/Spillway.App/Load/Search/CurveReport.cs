using System.Text.Json.Serialization;

namespace Spillway.App.Load.Search;

/// <summary>
/// What <c>--find-max</c> and <c>--sweep</c> print with <c>--json</c>: latency over load, and where it breaks. Times
/// are milliseconds unless named otherwise, rates per second, shares 0 to 1.
/// </summary>
internal sealed record CurveReport
{
    public string Schema { get; } = "spillway.load.curve/1";

    public required string Arrivals { get; init; }

    public required int ConnectionsMax { get; init; }

    public required double WarmupSeconds { get; init; }

    public required int Seed { get; init; }

    public required IReadOnlyList<CurveEndpoint> Endpoints { get; init; }

    public required IReadOnlyList<string> Warnings { get; init; }

    public required bool Interrupted { get; init; }
}

/// <summary>One server's steps, in the order in which they ran.</summary>
internal sealed record CurveEndpoint
{
    public required string Name { get; init; }

    public required string Server { get; init; }

    public required string? Model { get; init; }

    public required string Path { get; init; }

    public required double? DeadlineMs { get; init; }

    public required IReadOnlyList<StepReport> Steps { get; init; }

    /// <summary>Null for a sweep.</summary>
    public required MaxReport? Max { get; init; }
}

/// <summary>One rate, open loop, latency from the scheduled send.</summary>
internal sealed record StepReport
{
    public required int Step { get; init; }

    /// <summary>"sweep", "bracket", "bisect" or "confirm".</summary>
    public required string Kind { get; init; }

    /// <summary>What was asked for.</summary>
    public required double Rate { get; init; }

    public required double Seconds { get; init; }

    public required long Offered { get; init; }

    public required long Ok { get; init; }

    public required double OkPerSecond { get; init; }

    public required double GoodputShare { get; init; }

    public required LatencyReport? Latency { get; init; }

    public required IReadOnlyList<BoundReport> Bounds { get; init; }

    /// <summary>"holds", "broken" or "undecided"; null for a sweep.</summary>
    public required string? Verdict { get; init; }

    public required double? CpuMicrosecondsPerCompleted { get; init; }

    /// <summary>Sends were so late that the load was not the one asked for.</summary>
    public required bool GeneratorLate { get; init; }
}

/// <summary>One bound of a step.</summary>
/// <param name="Bound">"p99 ≤ 50 ms".</param>
/// <param name="Inside">Answered ok within it.</param>
/// <param name="Over">Late, refused, failed or unanswered.</param>
/// <param name="Share">Inside, of both.</param>
/// <param name="UpperMs">The percentile is at most this, with the stated confidence; null: not shown.</param>
/// <param name="Verdict">"holds", "broken" or "undecided".</param>
internal sealed record BoundReport(
    string Bound, long Inside, long Over, double Share, double? UpperMs, string Verdict);

/// <summary>What a search found.</summary>
internal sealed record MaxReport
{
    /// <summary>Requests per second; null: not even the lowest rate held.</summary>
    public required double? Rate { get; init; }

    /// <summary>Whether it held in a fresh run after the search.</summary>
    public required bool Confirmed { get; init; }

    public required double Confidence { get; init; }

    /// <summary>The lowest rate that did not hold.</summary>
    public required double? BrokenRate { get; init; }

    public required IReadOnlyList<string> Bounds { get; init; }

    /// <summary>The generator and not the server set the limit: the server's is higher.</summary>
    public required bool GeneratorLimited { get; init; }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    WriteIndented = true,
    GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(CurveReport))]
internal sealed partial class CurveJson : JsonSerializerContext;
