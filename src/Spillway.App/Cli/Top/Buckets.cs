using System.Globalization;

namespace Spillway.App.Cli.Top;

/// <summary>A histogram as one scrape shows it, or the difference of two. Filled while a page is read.</summary>
internal sealed class Buckets
{
    private readonly List<(double Bound, double Cumulative)> _rows = [];

    /// <summary>Sum of the observations.</summary>
    public double Sum { get; private set; }

    /// <summary>Number of the observations.</summary>
    public double Count { get; private set; }

    /// <summary>Upper bounds with the observations up to each, rising.</summary>
    public IReadOnlyList<(double Bound, double Cumulative)> Rows => _rows;

    /// <summary>Sum by number; NaN without observations.</summary>
    public double Mean => Count > 0 ? Sum / Count : double.NaN;

    /// <summary>Takes a sample of the family in.</summary>
    public void Add(Sample sample)
    {
        if (sample.Name.EndsWith("_sum", StringComparison.Ordinal))
            Sum = sample.Value;
        else if (sample.Name.EndsWith("_count", StringComparison.Ordinal))
            Count = sample.Value;
        else if (sample.Label("le") is "+Inf")
            _rows.Add((double.PositiveInfinity, sample.Value));
        else if (double.TryParse(sample.Label("le"), NumberStyles.Float, CultureInfo.InvariantCulture, out var bound))
            _rows.Add((bound, sample.Value));
    }

    /// <summary>
    /// What was observed since an earlier scrape. Where the earlier one has more, counting began anew between the two
    /// and everything is new.
    /// </summary>
    public Buckets Since(Buckets? before)
    {
        if (before is null || before._rows.Count != _rows.Count || before.Count > Count)
            return this;
        var since = new Buckets { Sum = Math.Max(0, Sum - before.Sum), Count = Count - before.Count };
        for (var i = 0; i < _rows.Count; i++)
        {
            if (before._rows[i].Bound != _rows[i].Bound || before._rows[i].Cumulative > _rows[i].Cumulative)
                return this;
            since._rows.Add((_rows[i].Bound, _rows[i].Cumulative - before._rows[i].Cumulative));
        }

        return since;
    }

    /// <summary>
    /// The value below which that share of the observations lies, linear inside a bucket, as Prometheus'
    /// histogram_quantile; beyond the last bound it is that bound. NaN without observations.
    /// </summary>
    public double Quantile(double share)
    {
        var total = _rows.Count > 0 ? _rows[^1].Cumulative : 0;
        if (!(total > 0))
            return double.NaN;
        var rank = share * total;
        var (lower, below) = (0d, 0d);
        foreach (var (bound, cumulative) in _rows)
        {
            if (cumulative >= rank && cumulative > below)
            {
                return double.IsInfinity(bound) ? lower
                    : lower + ((bound - lower) * (rank - below) / (cumulative - below));
            }

            (lower, below) = (bound, cumulative);
        }

        return lower;
    }
}
