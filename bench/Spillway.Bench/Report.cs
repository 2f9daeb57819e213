using System.Text.Json;

namespace Spillway.Bench;

/// <summary>Prints a result for <c>bench/run</c>, and the statistics that several commands share.</summary>
internal static class Report
{
    private static readonly JsonSerializerOptions s_json =
        new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    /// <summary>One JSON object on one line of the standard output.</summary>
    public static void Print(object result) => Console.WriteLine(JsonSerializer.Serialize(result, s_json));

    /// <summary>The value below which that share lies; the sorted values have at least one.</summary>
    public static double Quantile(IReadOnlyList<double> sorted, double share) =>
        sorted[Math.Min((int)(share * sorted.Count), sorted.Count - 1)];

    /// <summary>Median, smallest and largest.</summary>
    public static object Spread(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        var middle = sorted.Length / 2;
        var median = sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
        return new { Median = median, Min = sorted[0], Max = sorted[^1] };
    }
}
