namespace Spillway.Policies.Batching;

/// <summary>The batch curve of one bucket of lengths, or of all requests where there are no buckets.</summary>
/// <param name="Points">At least one, rows ascending.</param>
/// <param name="ElementsPerRow">Input elements of one row of it, padding included, at least 1.</param>
public sealed record BucketCurve(IReadOnlyList<BatchPoint> Points, long ElementsPerRow)
{
    /// <summary>
    /// A curve for every bucket: one that was not measured borrows the nearest measured one, which is then scaled by
    /// its elements. On a ladder of lengths that grow by a factor, the nearest step is the most alike.
    /// </summary>
    /// <param name="measured">One entry a bucket, null where nothing was measured; at least one is not null.</param>
    public static BucketCurve[] Complete(IReadOnlyList<BucketCurve?> measured)
    {
        var known = Enumerable.Range(0, measured.Count).Where(i => measured[i] is not null).ToArray();
        return [.. Enumerable.Range(0, measured.Count).Select(i => measured[known.MinBy(k => Math.Abs(k - i))]!)];
    }
}
