using System.Numerics;

namespace Spillway.Policies.Measuring;

/// <summary>
/// Percentiles of recent times in bounded memory: counts in cells that grow by an eighth of a power of two, so that a
/// percentile is read at most 12.5 % too high and never too low. Two generations: the older one is dropped after every
/// <see cref="GenerationMax"/> times, so that between that many and twice as many are remembered. Pure, one owner;
/// allocates only when made.
/// </summary>
/// <remarks>
/// The cells are those of HdrHistogram (G. Tene) with three significant bits: a bounded relative error without a bound
/// on the times, and without the sorting that exact percentiles would need.
/// </remarks>
internal sealed class LatencySketch
{
    /// <summary>Times of one generation.</summary>
    public const int GenerationMax = 1000;

    private const int SubBits = 3;
    private const int Subs = 1 << SubBits;

    // 64-bit ticks: no time is outside.
    private const int Cells = (64 - SubBits) * Subs;

    private int[] _newer = new int[Cells];
    private int[] _older = new int[Cells];
    private int _newerCount;
    private int _olderCount;

    /// <summary>How many times are remembered.</summary>
    public int Count => _newerCount + _olderCount;

    /// <summary>Remembers a time; a negative one counts as none.</summary>
    public void Add(TimeSpan time)
    {
        if (_newerCount == GenerationMax)
        {
            (_newer, _older) = (_older, _newer);
            Array.Clear(_newer);
            (_olderCount, _newerCount) = (_newerCount, 0);
        }

        _newer[CellOf((ulong)Math.Max(time.Ticks, 0))]++;
        _newerCount++;
    }

    /// <summary>
    /// The time that the given share of the remembered ones did not exceed; zero when none is remembered.
    /// </summary>
    /// <param name="share">0 to 1: 0.95 for the 95th percentile.</param>
    public TimeSpan At(double share)
    {
        if (Count == 0)
            return TimeSpan.Zero;
        var rank = Math.Clamp((long)Math.Ceiling(share * Count), 1, Count);
        var seen = 0L;
        for (var cell = 0; cell < Cells; cell++)
        {
            seen += _newer[cell] + _older[cell];
            if (seen >= rank)
                return new(UpperEndOf(cell));
        }

        return TimeSpan.MaxValue;
    }

    private static int CellOf(ulong ticks)
    {
        if (ticks < Subs)
            return (int)ticks;
        var shift = BitOperations.Log2(ticks) - SubBits;
        return ((shift + 1) << SubBits) + (int)((ticks >> shift) & (Subs - 1));
    }

    private static long UpperEndOf(int cell)
    {
        if (cell < Subs)
            return cell;
        var shift = (cell >> SubBits) - 1;
        var first = (ulong)(Subs + (cell & (Subs - 1))) << shift;
        return (long)Math.Min(first + (1UL << shift) - 1, long.MaxValue);
    }
}
