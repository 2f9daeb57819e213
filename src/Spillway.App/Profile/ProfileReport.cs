using System.Text.Json.Serialization;
using Spillway.Runtimes.Onnx.Profiling;

namespace Spillway.App.Profile;

/// <summary>What `spillway profile` measured; its JSON is for programs.</summary>
internal sealed record ProfileReport
{
    public string Schema { get; init; } = "spillway.profile/1";

    public required string Model { get; init; }

    public required string File { get; init; }

    public required IReadOnlyList<string> Inputs { get; init; }

    public required IReadOnlyList<string> Outputs { get; init; }

    public required int Cores { get; init; }

    /// <summary>Providers of the library.</summary>
    public required IReadOnlyList<string> Providers { get; init; }

    public required LoadTimes Load { get; init; }

    /// <summary>Memory of the loaded model after its largest batch, in bytes.</summary>
    public long? PeakBytes { get; init; }

    /// <summary>One curve for each number of threads, one thread first.</summary>
    public required IReadOnlyList<ThreadCurve> Curves { get; init; }

    /// <summary>Runs of the useful batch beside each other, on one thread each.</summary>
    public required IReadOnlyList<SideBySide> SideBySide { get; init; }

    /// <summary>Hottest first.</summary>
    public required IReadOnlyList<OperatorTime> Operators { get; init; }

    public IReadOnlyList<string> Advice { get; init; } = [];
}

/// <summary>Load times in milliseconds and memory in bytes; null: not measured, because the cache is off.</summary>
internal sealed record LoadTimes(double PlainMs, long? PlainBytes, double? CachedMs, long? CachedBytes);

/// <summary>Times of runs with so many threads inside an operator.</summary>
internal sealed record ThreadCurve(int Threads, IReadOnlyList<CurvePoint> Points)
{
    /// <summary>The size that costs the least time a row.</summary>
    [JsonIgnore]
    public CurvePoint Best => Points.MinBy(static p => p.Ms / p.Rows)!;
}

/// <summary>A run: fastest of several, and the CPU time of the process in it.</summary>
internal sealed record CurvePoint(int Rows, double Ms, double CpuMs);

/// <summary>Rows a second with so many callers.</summary>
internal sealed record SideBySide(int Callers, int Rows, double RowsPerSecond);

/// <summary>The report's JSON.</summary>
[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ProfileReport))]
internal sealed partial class ProfileJson : JsonSerializerContext;
