namespace Spillway.App.Load.Compare;

/// <summary>One endpoint against another, or against its own earlier result.</summary>
/// <param name="Endpoint">What is judged.</param>
/// <param name="Base">What it is judged against.</param>
/// <param name="Method">How the intervals were made.</param>
/// <param name="Figures">Each figure's ratio.</param>
internal sealed record ComparisonReport(
    string Endpoint, string Base, string Method, IReadOnlyList<FigureReport> Figures);

/// <summary>A figure's ratio, endpoint over base.</summary>
/// <param name="Figure">"ok_per_second", "goodput_per_second", "p50", "p95", "p99" or "cpu_per_completed".</param>
/// <param name="Ratio">Above 1: more than the base.</param>
/// <param name="Low">Lower end of the interval; null with too few rounds.</param>
/// <param name="High">Upper end.</param>
/// <param name="Confidence">Of the interval.</param>
/// <param name="Rounds">How many rounds it rests on (pairs; else the smaller side).</param>
/// <param name="Verdict">
/// "better" or "worse": the whole interval lies beyond the tolerance. "within": it lies inside. "open": neither.
/// </param>
internal sealed record FigureReport(
    string Figure, double? Ratio, double? Low, double? High, double? Confidence, int Rounds, string Verdict);

/// <summary>The figures that are compared, and which way is better.</summary>
internal sealed record Figure(string Name, bool HigherIsBetter, Func<RoundReport, double?> Of)
{
    public static readonly IReadOnlyList<Figure> All =
    [
        new("ok_per_second", true, r => r.OkPerSecond),
        new("goodput_per_second", true, r => r.Counts.GoodputPerSecond),
        new("p50", false, r => r.Counts.Latency?.P50),
        new("p95", false, r => r.Counts.Latency?.P95),
        new("p99", false, r => r.Counts.Latency?.P99),
        new("cpu_per_completed", false, r => r.CpuMicrosecondsPerCompleted),
    ];
}
