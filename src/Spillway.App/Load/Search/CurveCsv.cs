using System.Globalization;
using System.Text;

namespace Spillway.App.Load.Search;

/// <summary>The steps as a table for other programs: one line per step.</summary>
internal static class CurveCsv
{
    public static string Format(CurveReport report)
    {
        var csv = new StringBuilder("endpoint,step,kind,rate,seconds,offered,ok,ok_per_second,goodput_share,"
            + "mean_ms,p50_ms,p95_ms,p99_ms,max_ms,over,verdict\n");
        foreach (var (endpoint, step) in report.Endpoints.SelectMany(e => e.Steps.Select(s => (e, s))))
        {
            var over = step.Bounds.Count > 0 ? step.Bounds.Max(b => b.Over) : (long?)null;
            var l = step.Latency;
            Add($"{Quote(endpoint.Name)},{step.Step},{step.Kind},{step.Rate:0.######},");
            Add($"{step.Seconds:0.###},{step.Offered},{step.Ok},{step.OkPerSecond:0.###},");
            Add($"{step.GoodputShare:0.######},{l?.Mean},{l?.P50},{l?.P95},{l?.P99},{l?.Max},{over},{step.Verdict}\n");
        }

        return csv.ToString();

        void Add(FormattableString text) => csv.Append(text.ToString(CultureInfo.InvariantCulture));
    }

    private static string Quote(string text) =>
        text.AsSpan().ContainsAny(",\"") ? $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : text;
}
