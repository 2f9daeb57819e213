namespace Spillway.Policies.Scaling;

/// <summary>What to do with a replica that became idle.</summary>
/// <param name="PreWarm">So long it is gone before it is started again; zero: it stays.</param>
/// <param name="KeepAlive">So long it stays, from the begin of the idle time or from when it was started again.</param>
/// <param name="Reason">Why.</param>
internal readonly record struct IdleWindows(TimeSpan PreWarm, TimeSpan KeepAlive, string Reason);

/// <summary>
/// The hybrid histogram policy: idle times in bins; a pattern gives a window in which the next request is expected, no
/// pattern the whole range, and idle times that are mostly too long for the bins are forecast.
/// </summary>
/// <remarks>
/// M. Shahrad et al., "Serverless in the wild" (ATC'20). The paper forecasts with ARIMA; here it is the first order of
/// it, an autoregression on the one before, because idle times of hours are few.
/// </remarks>
internal sealed class IdleHistogram
{
    private const int ForecastFrom = 3;
    private const int LongMax = 100;

    private readonly KeepAliveOptions _options;
    private readonly int[] _bins;
    private readonly List<double> _recentMs = [];
    private int _inside;
    private int _outside;

    /// <summary>Nothing seen.</summary>
    /// <param name="options">Bins, percentiles and margins.</param>
    public IdleHistogram(KeepAliveOptions options) => (_options, _bins) = (options, new int[options.Bins]);

    /// <summary>An idle time: from the end of a request to the next arrival.</summary>
    public void Observe(TimeSpan idle)
    {
        var bin = idle.TotalMilliseconds / _options.BinMs;
        if (bin < _bins.Length)
        {
            _bins[(int)Math.Max(0, bin)]++;
            _inside++;
        }
        else
            _outside++;
        if (_recentMs.Count == LongMax)
            _recentMs.RemoveAt(0);
        _recentMs.Add(idle.TotalMilliseconds);
    }

    /// <summary>What to do with the next idle time.</summary>
    public IdleWindows Windows()
    {
        var all = _inside + _outside;
        var range = _bins.Length * _options.BinMs;
        if (all > 0 && (double)_outside / all >= _options.OutOfBoundsMax && _recentMs.Count >= ForecastFrom)
        {
            var forecast = Forecast();
            var margin = _options.ForecastMarginPercent / 100;
            return Of(forecast * (1 - margin), forecast * 2 * margin,
                "idle times are longer than the histogram: forecast");
        }

        if (all == 0 || _inside == 0 || Variation() < _options.VariationMin)
            return Of(0, range, "idle times show no pattern");
        var (head, tail) = (Percentile(_options.HeadPercent), Percentile(_options.TailPercent));
        var by = _options.MarginPercent / 100;
        return Of(head * _options.BinMs * (1 - by), (tail + 1) * _options.BinMs * (1 + by),
            "the histogram of idle times");
    }

    /// <summary>The deviation of the bins' counts by their mean.</summary>
    public double Variation()
    {
        var mean = (double)_inside / _bins.Length;
        return mean > 0 ? Math.Sqrt(_bins.Average(count => (count - mean) * (count - mean))) / mean : 0;
    }

    private static IdleWindows Of(double preWarmMs, double keepMs, string reason) =>
        new(TimeSpan.FromMilliseconds(preWarmMs), TimeSpan.FromMilliseconds(keepMs), reason);

    private int Percentile(double percent)
    {
        var (needed, seen) = (Math.Max(1, percent / 100 * _inside), 0);
        for (var bin = 0; bin < _bins.Length; bin++)
        {
            seen += _bins[bin];
            if (seen >= needed)
                return bin;
        }

        return _bins.Length - 1;
    }

    private double Forecast()
    {
        var mean = _recentMs.Average();
        var (product, square) = (0.0, 0.0);
        for (var at = 1; at < _recentMs.Count; at++)
        {
            product += (_recentMs[at] - mean) * (_recentMs[at - 1] - mean);
            square += (_recentMs[at - 1] - mean) * (_recentMs[at - 1] - mean);
        }

        var slope = square > 0 ? Math.Clamp(product / square, -0.99, 0.99) : 0;
        return Math.Max(0, mean + (slope * (_recentMs[^1] - mean)));
    }
}
