using Spillway.Planner.Plans;

namespace Spillway.Planner.Workloads;

/// <summary>What repeats, by Zipf's law: a table of cumulated shares, searched by halves.</summary>
public sealed class ZipfKeys
{
    private readonly double[] _cumulated;

    /// <summary>A table for that many different requests.</summary>
    public ZipfKeys(RepeatOptions options)
    {
        _cumulated = new double[options.Distinct];
        var sum = 0.0;
        for (var rank = 0; rank < options.Distinct; rank++)
        {
            sum += Math.Pow(rank + 1, -options.Zipf);
            _cumulated[rank] = sum;
        }
    }

    /// <summary>The rank of what is asked, from 0.</summary>
    public long Draw(Chance chance)
    {
        var drawn = chance.Next() * _cumulated[^1];
        var at = Array.BinarySearch(_cumulated, drawn);
        return at < 0 ? Math.Min(~at, _cumulated.Length - 1) : at;
    }
}
