using Spillway.App.Load.Search;

namespace Spillway.App.Load.Plots;

/// <summary>One line of a plot: latency in milliseconds over requests per second, ascending.</summary>
internal sealed record Series(string Name, char Mark, IReadOnlyList<(double Rate, double Ms)> Points)
{
    /// <summary>
    /// Percentiles of one server, or the 99th of several. The bisection's steps come in any order and some rates twice:
    /// the later of two, which is the longer, stands.
    /// </summary>
    public static IReadOnlyList<Series> Of(IReadOnlyList<CurveEndpoint> endpoints, bool ascii)
    {
        if (endpoints.Count > 1)
        {
            return
            [
                .. endpoints.Select((e, i) => new Series($"{e.Name} p99", (char)('A' + i), PointsOf(e, l => l.P99))),
            ];
        }

        var endpoint = endpoints[0];
        return
        [
            new("p50", ascii ? '.' : '·', PointsOf(endpoint, l => l.P50)),
            new("p95", ascii ? 'o' : '○', PointsOf(endpoint, l => l.P95)),
            new("p99", ascii ? '#' : '●', PointsOf(endpoint, l => l.P99)),
        ];
    }

    private static IReadOnlyList<(double Rate, double Ms)> PointsOf(
        CurveEndpoint endpoint, Func<LatencyReport, double> percentile) =>
    [
        .. endpoint.Steps.Where(s => s.Latency is not null).GroupBy(s => s.Rate).OrderBy(g => g.Key)
            .Select(g => (g.Key, percentile(g.Last().Latency!))),
    ];
}

/// <summary>A logarithmic axis over all values, with round numbers to write beside it.</summary>
internal sealed class Axis
{
    private static readonly double[] s_round = [1, 2, 5];
    private readonly double _low;
    private readonly double _high;

    /// <param name="values">At least one, above 0.</param>
    public Axis(IEnumerable<double> values)
    {
        var all = values.Select(v => Math.Max(v, 1e-6)).ToList();
        (_low, _high) = (Math.Log(all.Min()), Math.Log(all.Max()));
        if (_high - _low >= 0.1)
            return;
        // A single value, or nearly: some room around it.
        (_low, _high) = (_low - 0.5, _high + 0.5);
    }

    /// <summary>Where a value lies, 0 to 1.</summary>
    public double At(double value) => Math.Clamp((Math.Log(Math.Max(value, 1e-6)) - _low) / (_high - _low), 0, 1);

    /// <summary>1, 2 and 5 times powers of ten inside the axis; only the ends when there are none.</summary>
    public IReadOnlyList<double> Ticks()
    {
        List<double> ticks = [];
        for (var power = (int)Math.Floor(_low / Math.Log(10)); power <= Math.Ceiling(_high / Math.Log(10)); power++)
            ticks.AddRange(s_round.Select(r => r * Math.Pow(10, power)).Where(IsInside));
        return ticks.Count > 0 ? ticks : [Math.Exp(_low), Math.Exp(_high)];
    }

    private bool IsInside(double tick) => Math.Log(tick) >= _low && Math.Log(tick) <= _high;

    /// <summary>A tick's words: 0.05, 2, 500, 20k.</summary>
    public static string Label(double value) => value switch
    {
        >= 1e6 => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{value / 1e6:0.##}M"),
        >= 1e4 => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{value / 1e3:0.##}k"),
        _ => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{value:0.####}"),
    };
}
