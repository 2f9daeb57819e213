using System.Globalization;

namespace Spillway.App.Load;

/// <summary>Latencies as bars, one per step of a logarithmic scale.</summary>
internal static class HistogramText
{
    private const int BarMax = 50;

    /// <summary>Six steps per power of ten: about as fine as an eye tells bars apart, and at most 25 lines.</summary>
    private const double StepFactor = 1.4677992676220697;

    private const int LinesMax = 25;

    public static void Write(LatencyHistogram histogram, bool terminal, Action<string> line)
    {
        if (histogram.Count == 0)
            return;
        var steps = Steps(histogram);
        var most = steps.Max(s => s.Count);
        line("latency of ok, milliseconds");
        foreach (var (from, to, count) in steps)
        {
            var bar = new string(terminal ? '█' : '#', (int)Math.Ceiling(BarMax * (double)count / most));
            var share = 100.0 * count / histogram.Count;
            line(string.Create(CultureInfo.InvariantCulture,
                $"  {from / 1e6,10:0.000} .. {to / 1e6,-10:0.000} {bar,-BarMax} {count,10:N0} {share,5:0.0} %"));
        }
    }

    private static List<(double From, double To, long Count)> Steps(LatencyHistogram histogram)
    {
        // A rare outlier may lie decades away: the last line takes what is left.
        List<(double From, double To, long Count)> steps = [];
        var from = Math.Pow(StepFactor, Math.Floor(Math.Log(Math.Max(1, histogram.Min), StepFactor)));
        while (from <= histogram.Max)
        {
            var to = steps.Count == LinesMax - 1 ? histogram.Max + 1 : from * StepFactor;
            steps.Add((from, to, histogram.CountBetween((long)Math.Ceiling(from), (long)Math.Ceiling(to))));
            from = to;
        }

        return steps;
    }
}
