namespace Spillway.Policies.Scaling;

/// <summary>
/// Additive Holt-Winters: a level, a trend and a season, each corrected by a part of what was wrong. Needs two seasons
/// to begin: their means give level and trend, the first one's shape the season; it then runs over the second again.
/// </summary>
/// <remarks>P. Winters, "Forecasting sales by exponentially weighted moving averages" (1960).</remarks>
internal sealed class HoltWinters : IPredictor
{
    private readonly double _alpha;
    private readonly double _beta;
    private readonly double _gamma;
    private readonly double[] _season;
    private readonly double[] _first;
    private long _count;

    /// <summary>Knows nothing.</summary>
    /// <param name="season">Steps of a season; at least 2.</param>
    /// <param name="alpha">Into the level, 0 to 1.</param>
    /// <param name="beta">Into the trend, 0 to 1.</param>
    /// <param name="gamma">Into the season, 0 to 1.</param>
    public HoltWinters(int season, double alpha, double beta, double gamma)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(season, 2);
        (_alpha, _beta, _gamma) = (alpha, beta, gamma);
        (_season, _first) = (new double[season], new double[2 * season]);
    }

    /// <inheritdoc/>
    public string Name => "Holt-Winters";

    /// <summary>The level after the newest value.</summary>
    public double Level { get; private set; }

    /// <summary>The trend for each step.</summary>
    public double Trend { get; private set; }

    /// <inheritdoc/>
    public double Ahead(int steps) => _count < _first.Length
        ? double.NaN : Level + (steps * Trend) + _season[(_count + steps - 1) % _season.Length];

    /// <inheritdoc/>
    public void Add(double value)
    {
        if (_count < _first.Length)
        {
            _first[_count++] = value;
            if (_count == _first.Length)
                Begin();
            return;
        }

        Correct(value, (int)(_count % _season.Length));
        _count++;
    }

    /// <summary>The forecast of each value from the second season on, from all before it.</summary>
    public static IEnumerable<double> OneStep(IReadOnlyList<double> series, HoltWinters fresh)
    {
        var p = fresh._season.Length;
        series.Take(2 * p).ToArray().CopyTo(fresh._first, 0);
        fresh.Seed();
        for (var at = p; at < series.Count; at++)
        {
            yield return fresh.Level + fresh.Trend + fresh._season[at % p];
            fresh.Correct(series[at], at % p);
        }

        fresh._count = series.Count;
    }

    private void Seed()
    {
        var p = _season.Length;
        Level = _first.Take(p).Average();
        Trend = (_first.Skip(p).Average() - Level) / p;
        for (var at = 0; at < p; at++)
            _season[at] = _first[at] - Level;
    }

    private void Begin()
    {
        Seed();
        for (var at = _season.Length; at < _first.Length; at++)
            Correct(_first[at], at % _season.Length);
    }

    private void Correct(double value, int at)
    {
        var before = Level;
        Level = (_alpha * (value - _season[at])) + ((1 - _alpha) * (Level + Trend));
        Trend = (_beta * (Level - before)) + ((1 - _beta) * Trend);
        _season[at] = (_gamma * (value - Level)) + ((1 - _gamma) * _season[at]);
    }
}
