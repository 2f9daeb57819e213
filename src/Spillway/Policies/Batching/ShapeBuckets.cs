namespace Spillway.Policies.Batching;

/// <summary>
/// Which lengths run together: the ladder of lengths that runs have, and where a request's own length stands on it.
/// Immutable and pure. No request is ever padded by more than <see cref="WasteMax"/>, so no batch is.
/// </summary>
/// <remarks>
/// A length above the last bucket, or so far below its bucket that padding would exceed the bound, runs at its own
/// length, with its equals. Requests are grouped, never reordered: whoever is first in the waiting line is run next,
/// whatever its length, so a lonely length is not postponed.
/// </remarks>
public sealed class ShapeBuckets
{
    private readonly int[] _lengths;

    /// <summary>A ladder as given.</summary>
    /// <param name="lengths">At least one, positive, ascending.</param>
    /// <param name="wasteMax">The largest share of padding, from 0 to below 1.</param>
    /// <param name="toLongest">Pads to the longest in a run in place of the bucket's length.</param>
    public ShapeBuckets(IReadOnlyList<int> lengths, double wasteMax, bool toLongest = false)
    {
        ArgumentOutOfRangeException.ThrowIfZero(lengths.Count);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(wasteMax, 1);
        (_lengths, WasteMax, ToLongest) = ([.. lengths], wasteMax, toLongest);
    }

    /// <summary>The lengths of the buckets, ascending.</summary>
    public IReadOnlyList<int> Lengths => _lengths;

    /// <summary>The largest share of padding in what runs of one request.</summary>
    public double WasteMax { get; }

    /// <summary>Whether a run is only as long as the longest request in it.</summary>
    public bool ToLongest { get; }

    /// <summary>The ladder of valid options.</summary>
    public static ShapeBuckets Of(PaddingOptions options) => new(
        options.IsDeclared || options.Max is not { } max
            ? options.Buckets
            : Derive(options.Min, max, options.Step, options.WasteMax),
        options.WasteMax, options.To == "longest");

    /// <summary>
    /// The fewest multiples of <paramref name="step"/> that reach from <paramref name="min"/> to
    /// <paramref name="max"/> so that the length just above one bucket fits the next within the bound. A step that is
    /// too coarse for that wins; <see cref="StepFits"/> tells. Ends behind <paramref name="most"/> + 1 buckets.
    /// </summary>
    /// <param name="min">The shortest usual length, at least 1.</param>
    /// <param name="max">The longest, at least <paramref name="min"/>.</param>
    /// <param name="step">At least 1.</param>
    /// <param name="wasteMax">From above 0 to below 1.</param>
    /// <param name="most">At most one above this many are made, so that a caller sees that they are too many.</param>
    public static List<int> Derive(int min, int max, int step, double wasteMax, int most = PaddingOptions.BucketsMax)
    {
        List<int> lengths = [(int)Up(min, step)];
        var last = Up(max, step);
        while (lengths[^1] < last && lengths.Count <= most)
        {
            var farthest = (long)((lengths[^1] + 1) / (1 - wasteMax)) / step * step;
            lengths.Add((int)Math.Min(last, Math.Max(lengths[^1] + step, farthest)));
        }

        return lengths;
    }

    /// <summary>Whether steps that wide keep within the bound from that length on.</summary>
    public static bool StepFits(int min, int step, double wasteMax) =>
        Up(min, step) is var first && Waste(first + 1, first + step) <= wasteMax;

    /// <summary>The share of padding when a length is padded to another.</summary>
    public static double Waste(long own, long padded) => padded <= own ? 0 : (padded - own) / (double)padded;

    /// <summary>Where a length stands.</summary>
    /// <param name="length">At least 1.</param>
    public BucketFit Fit(long length)
    {
        var index = Array.BinarySearch(_lengths, (int)Math.Min(length, int.MaxValue));
        index = index < 0 ? ~index : index;
        if (index == _lengths.Length)
            return new(index - 1, length);
        return new(index, Waste(length, _lengths[index]) <= WasteMax ? _lengths[index] : length);
    }

    private static long Up(int length, int step) => (length + (long)step - 1) / step * step;
}

/// <summary>Where a length stands on the ladder.</summary>
/// <param name="Bucket">The bucket whose learned times hold for it: its own; the last for a longer one.</param>
/// <param name="Length">
/// The most that it is padded to: the bucket's length, or its own when it is not padded. Equal values run together.
/// </param>
public readonly record struct BucketFit(int Bucket, long Length);
