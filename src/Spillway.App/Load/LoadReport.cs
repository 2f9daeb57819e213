using System.Text.Json.Serialization;
using Spillway.App.Load.Compare;

namespace Spillway.App.Load;

/// <summary>
/// What <c>--json</c> prints. Times are milliseconds, rates per second, shares 0 to 1; null: not known.
/// </summary>
internal sealed record LoadReport
{
    public string Schema { get; } = "spillway.load/1";

    public required RunReport Run { get; init; }

    public required IReadOnlyList<EndpointReport> Endpoints { get; init; }

    /// <summary>Each further endpoint against the first, round by round.</summary>
    public required IReadOnlyList<RatioReport> Ratios { get; init; }

    /// <summary>With <c>--compare</c> or <c>--baseline</c>: ratios with intervals and a judgement.</summary>
    public required IReadOnlyList<ComparisonReport> Comparisons { get; init; }

    public required IReadOnlyList<string> Warnings { get; init; }

    public required bool Interrupted { get; init; }
}

internal sealed record RunReport(
    string Arrivals,
    double? Rate,
    double? Dispersion,
    double? TraceSpeed,
    int? Concurrency,
    int ConnectionsMax,
    int Rounds,
    double? DurationSeconds,
    long? Requests,
    double WarmupSeconds,
    int Seed);

internal sealed record EndpointReport
{
    public required string Name { get; init; }

    public required string Server { get; init; }

    public required string? Model { get; init; }

    public required string Path { get; init; }

    public required double? DeadlineMs { get; init; }

    public required string DeadlineSource { get; init; }

    public required RoundReport Total { get; init; }

    public required IReadOnlyList<RoundReport> Rounds { get; init; }

    /// <summary>Median, smallest and largest over the rounds.</summary>
    public required SpreadReport Spread { get; init; }
}

/// <summary>Figures of one round, or of all together (round 0).</summary>
internal sealed record RoundReport
{
    public required int Round { get; init; }

    public required double Seconds { get; init; }

    public required CountsReport Counts { get; init; }

    /// <summary>Answers of any status inside the measured window, per second.</summary>
    public required double CompletedPerSecond { get; init; }

    /// <summary>2xx answers inside the measured window, per second.</summary>
    public required double OkPerSecond { get; init; }

    public required int Connections { get; init; }

    /// <summary>Requests that found every connection taken.</summary>
    public required long WaitedForConnection { get; init; }

    public required IReadOnlyList<StageReport> Stages { get; init; }

    /// <summary>First byte sent to last byte received, minus the server's total.</summary>
    public required LatencyReport? Network { get; init; }

    public required LatencyReport? SendLag { get; init; }

    /// <summary>The generator's own lateness, without waits for a free connection.</summary>
    public required LatencyReport? DispatchLag { get; init; }

    public required double? CpuMicrosecondsPerCompleted { get; init; }

    public required double? CpuMicrosecondsPerOk { get; init; }

    public required double? GeneratorCpuMicrosecondsPerCompleted { get; init; }

    public required IReadOnlyList<PhaseReport> Phases { get; init; }

    /// <summary>Seconds from the start of the last phase; null: not recovered, or no phases.</summary>
    public required double? RecoverySeconds { get; init; }
}

internal sealed record CountsReport
{
    public required long Offered { get; init; }

    public required double OfferedPerSecond { get; init; }

    public required long Sent { get; init; }

    public required long Completed { get; init; }

    public required long Ok { get; init; }

    /// <summary>Due in the window and without an end when the drain was over.</summary>
    public required long Unanswered { get; init; }

    /// <summary>2xx answers inside the deadline.</summary>
    public required long Good { get; init; }

    public required double GoodputPerSecond { get; init; }

    /// <summary>Of all offered.</summary>
    public required double GoodputShare { get; init; }

    public required IReadOnlyList<RefusalReport> Refusals { get; init; }

    public required IReadOnlyList<ErrorReport> Errors { get; init; }

    /// <summary>Of 2xx answers, from the scheduled send.</summary>
    public required LatencyReport? Latency { get; init; }

    public required LatencyReport? RefusalLatency { get; init; }
}

internal sealed record RefusalReport(
    string Reason, int Status, long Count, double Share, long? RetryAfterMs, string Example);

internal sealed record ErrorReport(string Kind, long Count, double Share);

internal sealed record StageReport(string Name, LatencyReport Time);

internal sealed record PhaseReport(int Phase, double Factor, double Seconds, CountsReport Counts);

/// <summary>Milliseconds.</summary>
internal sealed record LatencyReport(
    double Mean,
    double P50,
    double P90,
    double P95,
    double P99,
    [property: JsonPropertyName("p99_9")] double P999,
    double Max)
{
    public static LatencyReport? Of(LatencyHistogram? histogram) => histogram is not { Count: > 0 } some ? null : new(
        Milliseconds(some.Mean),
        Milliseconds(some.Quantile(0.5)),
        Milliseconds(some.Quantile(0.9)),
        Milliseconds(some.Quantile(0.95)),
        Milliseconds(some.Quantile(0.99)),
        Milliseconds(some.Quantile(0.999)),
        Milliseconds(some.Max));

    private static double Milliseconds(double ns) => Math.Round(ns / LoadClock.PerMillisecond, 6);
}

internal sealed record Spread(double Median, double Min, double Max)
{
    public static Spread? Of(IEnumerable<double?> values)
    {
        double[] sorted = [.. values.OfType<double>().Order()];
        if (sorted.Length == 0)
            return null;
        var middle = sorted.Length / 2;
        var median = sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
        return new(median, sorted[0], sorted[^1]);
    }
}

internal sealed record SpreadReport(
    Spread? CompletedPerSecond,
    Spread? OkPerSecond,
    Spread? GoodputPerSecond,
    Spread? GoodputShare,
    Spread? P50Ms,
    Spread? P95Ms,
    Spread? P99Ms,
    Spread? CpuMicrosecondsPerCompleted,
    Spread? RecoverySeconds);

/// <summary>Endpoint over the base, paired by round: above 1 means more.</summary>
internal sealed record RatioReport(
    string Endpoint,
    string Base,
    Spread? OkPerSecond,
    Spread? Goodput,
    Spread? P50,
    Spread? P99,
    Spread? CpuPerCompleted);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    WriteIndented = true,
    GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(LoadReport))]
internal sealed partial class LoadJson : JsonSerializerContext;
