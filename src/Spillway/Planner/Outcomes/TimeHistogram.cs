using System.Numerics;

namespace Spillway.Planner.Outcomes;

/// <summary>
/// Percentiles of any number of times in 30 KB: cells that grow by a sixty-fourth of a power of two (HdrHistogram,
/// G. Tene), so that a percentile, read at the middle of its cell, is off by at most 0.8 %. One owner.
/// </summary>
public sealed class TimeHistogram
{
    private const int SubBits = 6;
    private const int Subs = 1 << SubBits;

    private readonly int[] _cells = new int[(64 - SubBits) * Subs];
    private Int128 _sum;

    /// <summary>How many.</summary>
    public long Count { get; private set; }

    /// <summary>The largest, exactly.</summary>
    public TimeSpan Largest { get; private set; }

    /// <summary>The mean, exactly; zero without any.</summary>
    public TimeSpan Mean => Count == 0 ? TimeSpan.Zero : new((long)(_sum / Count));

    /// <summary>Counts a time, from 0.</summary>
    public void Add(long ticks)
    {
        // Most stages of most requests take no time at all.
        if (ticks == 0)
        {
            _cells[0]++;
            Count++;
            return;
        }

        _cells[CellOf((ulong)Math.Max(0, ticks))]++;
        Count++;
        _sum += ticks;
        if (ticks > Largest.Ticks)
            Largest = new(ticks);
    }

    /// <summary>The time that a share of the counted ones did not exceed; zero without any.</summary>
    /// <param name="share">0 to 1.</param>
    public TimeSpan At(double share)
    {
        var rank = Math.Max(1, (long)Math.Ceiling(share * Count));
        var seen = 0L;
        for (var cell = 0; cell < _cells.Length; cell++)
        {
            seen += _cells[cell];
            if (seen >= rank)
                return new(Math.Min(MiddleOf(cell), Largest.Ticks));
        }

        return TimeSpan.Zero;
    }

    private static int CellOf(ulong ticks)
    {
        if (ticks < Subs)
            return (int)ticks;
        var shift = BitOperations.Log2(ticks) - SubBits;
        return ((shift + 1) << SubBits) + (int)((ticks >> shift) & (Subs - 1));
    }

    private static long MiddleOf(int cell)
    {
        if (cell < Subs)
            return cell;
        var shift = (cell >> SubBits) - 1;
        var first = (long)(Subs + (cell & (Subs - 1))) << shift;
        return first + ((1L << shift) / 2);
    }
}
