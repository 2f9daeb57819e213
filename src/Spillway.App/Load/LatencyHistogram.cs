using System.Numerics;

namespace Spillway.App.Load;

/// <summary>
/// A latency histogram of bounded size in the manner of HdrHistogram: 128 linear buckets per doubling, 37 KB. A
/// quantile is the middle of its bucket, so it is off by at most 1/256 (0.4 %) of the value; below 256 ns it is exact
/// to the nanosecond. Count, sum, smallest and largest are exact. Values above 2^42 ns (73 minutes) count as that.
/// Not thread safe: its recorder guards it.
/// </summary>
internal sealed class LatencyHistogram
{
    /// <summary>The largest relative error of a quantile.</summary>
    public const double RelativeErrorMax = 1.0 / 256;

    private const int SubBits = 7;
    private const int SubCount = 1 << SubBits;
    private const int ValueBitsMax = 42;
    private const int BucketCount = (ValueBitsMax - SubBits + 1) * SubCount;

    private readonly long[] _counts = new long[BucketCount];

    public long Count { get; private set; }

    /// <summary>Nanoseconds, exact; 0 when empty.</summary>
    public long Max { get; private set; }

    /// <summary>Nanoseconds, exact; 0 when empty.</summary>
    public long Min { get; private set; }

    /// <summary>Nanoseconds, exact; 0 when empty.</summary>
    public double Mean => Count == 0 ? 0 : Sum / Count;

    private double Sum { get; set; }

    public void Record(long ns)
    {
        if (ns < 0)
            ns = 0;
        _counts[BucketOf(ns)]++;
        Min = Count == 0 ? ns : Math.Min(Min, ns);
        Max = Math.Max(Max, ns);
        Sum += ns;
        Count++;
    }

    /// <summary>Adds another's values.</summary>
    public void Add(LatencyHistogram other)
    {
        if (other.Count == 0)
            return;
        for (var i = 0; i < BucketCount; i++)
            _counts[i] += other._counts[i];
        Min = Count == 0 ? other.Min : Math.Min(Min, other.Min);
        Max = Math.Max(Max, other.Max);
        Sum += other.Sum;
        Count += other.Count;
    }

    /// <summary>
    /// The smallest value that at least the share <paramref name="q"/> (0 to 1) of all values does not exceed, in
    /// nanoseconds: the nearest-rank definition. 0 when empty.
    /// </summary>
    public long Quantile(double q)
    {
        if (Count == 0)
            return 0;
        var rank = Math.Clamp((long)Math.Ceiling(q * Count), 1, Count);
        if (rank == Count)
            return Max;
        var seen = 0L;
        for (var i = 0; i < BucketCount; i++)
        {
            seen += _counts[i];
            if (seen >= rank)
                return Math.Clamp(MiddleOf(i), Min, Max);
        }

        return Max;
    }

    /// <summary>How many values lie in [from, to), counted by each bucket's middle.</summary>
    public long CountBetween(long from, long to)
    {
        var count = 0L;
        for (var i = 0; i < BucketCount; i++)
        {
            if (_counts[i] != 0 && MiddleOf(i) is var middle && middle >= from && middle < to)
                count += _counts[i];
        }

        return count;
    }

    private static int BucketOf(long ns)
    {
        ns = Math.Min(ns, (1L << ValueBitsMax) - 1);
        var shift = Math.Max(0, BitOperations.Log2((ulong)ns) - SubBits);
        // With shift 0 the index is the value itself; above, each doubling takes the next SubCount buckets.
        return (shift * SubCount) + (int)(ns >> shift);
    }

    private static long MiddleOf(int bucket)
    {
        if (bucket < 2 * SubCount)
            return bucket;
        var shift = (bucket / SubCount) - 1;
        var lower = (long)(bucket - (shift * SubCount)) << shift;
        return lower + (1L << (shift - 1));
    }
}
