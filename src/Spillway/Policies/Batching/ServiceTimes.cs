namespace Spillway.Policies.Batching;

/// <summary>
/// How long a run takes, by its bucket of lengths, rows and elements: the calibrated curves give the form, observations
/// the scale. Pure state, one owner. Within a bucket time scales with the elements of the run, so that without buckets
/// a line twice as wide counts twice.
/// </summary>
/// <remarks>
/// Each size of each bucket keeps an exponentially weighted mean of observed / calibrated time; a size that was seen
/// fewer than <see cref="TrustedSamples"/> times borrows the mean over its bucket, and a bucket that was seen as seldom
/// the mean over all, so that a machine that became slower is slower for every size at once. One observation moves a
/// mean by at most <see cref="StepMax"/> times itself: a pause of the process does not poison the estimate, a real
/// change is learned in a few runs.
/// </remarks>
public sealed class ServiceTimes
{
    /// <summary>Weight of the newest observation. 0.15: half the weight lies in the last four runs.</summary>
    public const double Weight = 0.15;

    /// <summary>Observations before a size stands on its own.</summary>
    public const int TrustedSamples = 3;

    /// <summary>
    /// An observation counts as at most this many times the present estimate, and at least its inverse.
    /// </summary>
    public const double StepMax = 4;

    private readonly double[] _ticksPerElement;
    private readonly Mean[] _sizes;
    private readonly Mean[] _buckets;
    private Mean _all;

    /// <summary>Knows sizes 1 to <paramref name="rowsMax"/>; a run of more rows is extended from the largest.</summary>
    /// <param name="rowsMax">The largest batch in rows, at least 1.</param>
    /// <param name="curve">At least one point; rows ascending.</param>
    /// <param name="elementsPerRow">Input elements of one row of the curve's shape, at least 1.</param>
    public ServiceTimes(int rowsMax, IReadOnlyList<BatchPoint> curve, long elementsPerRow)
        : this(rowsMax, [new(curve, elementsPerRow)])
    {
    }

    /// <summary>Knows sizes 1 to <paramref name="rowsMax"/> of each bucket.</summary>
    /// <param name="rowsMax">The largest batch in rows, at least 1.</param>
    /// <param name="curves">One a bucket, at least one.</param>
    public ServiceTimes(int rowsMax, IReadOnlyList<BucketCurve> curves)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rowsMax, 1);
        ArgumentOutOfRangeException.ThrowIfZero(curves.Count);
        RowsMax = rowsMax;
        (_ticksPerElement, _sizes) = (new double[curves.Count * (rowsMax + 1)], new Mean[curves.Count * (rowsMax + 1)]);
        _buckets = new Mean[curves.Count];
        SetCurves(curves);
    }

    /// <summary>The largest size it knows.</summary>
    public int RowsMax { get; }

    /// <summary>
    /// Replaces the curves by better measured ones; what was observed under the old ones is forgotten.
    /// </summary>
    /// <param name="curves">As many as before.</param>
    public void SetCurves(IReadOnlyList<BucketCurve> curves)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(curves.Count, _buckets.Length);
        for (var bucket = 0; bucket < curves.Count; bucket++)
        {
            var (points, elementsPerRow) = curves[bucket];
            ArgumentOutOfRangeException.ThrowIfZero(points.Count);
            ArgumentOutOfRangeException.ThrowIfLessThan(elementsPerRow, 1);
            for (var rows = 1; rows <= RowsMax; rows++)
            {
                _ticksPerElement[Cell(bucket, rows)] =
                    Math.Max(BatchPoint.TicksAt(points, rows), 0.01) / (rows * (double)elementsPerRow);
            }
        }

        Array.Clear(_sizes);
        Array.Clear(_buckets);
        _all = default;
    }

    /// <summary>The expected time of a run.</summary>
    /// <param name="rows">Rows in the run, from 1.</param>
    /// <param name="elements">Input elements in the run, padding included.</param>
    /// <param name="bucket">Of which bucket, from 0.</param>
    public TimeSpan Predict(int rows, long elements, int bucket = 0)
    {
        var cell = Cell(bucket, rows);
        var mean = _sizes[cell].IsTrusted ? _sizes[cell] : _buckets[bucket].IsTrusted ? _buckets[bucket] : _all;
        return new((long)Math.Ceiling(_ticksPerElement[cell] * mean.Scale * elements));
    }

    /// <summary>Learns from a run that ended by itself.</summary>
    /// <param name="rows">Rows in the run.</param>
    /// <param name="elements">Input elements in the run, padding included.</param>
    /// <param name="took">Its time.</param>
    /// <param name="bucket">Of which bucket, from 0.</param>
    public void Observe(int rows, long elements, TimeSpan took, int bucket = 0)
    {
        if (elements <= 0 || took <= TimeSpan.Zero)
            return;
        var cell = Cell(bucket, rows);
        var ratio = took.Ticks / (_ticksPerElement[cell] * elements);
        _all.Learn(ratio);
        _buckets[bucket].Learn(ratio);
        _sizes[cell].Learn(ratio);
    }

    private int Cell(int bucket, int rows) => (bucket * (RowsMax + 1)) + Math.Clamp(rows, 1, RowsMax);

    /// <summary>A mean of observed / calibrated time; 1 until something was observed.</summary>
    private struct Mean
    {
        private double _scale;
        private int _samples;

        public readonly bool IsTrusted => _samples >= TrustedSamples;

        public readonly double Scale => _samples == 0 ? 1 : _scale;

        /// <summary>The first observation weighs more, and is bounded like every other.</summary>
        public void Learn(double ratio)
        {
            _scale = _samples == 0 ? Math.Clamp(ratio, 1 / StepMax, StepMax) : Blend(_scale, ratio);
            _samples = Math.Min(_samples + 1, TrustedSamples);
        }
    }

    private static double Blend(double mean, double seen) =>
        mean + (Weight * (Math.Clamp(seen, mean / StepMax, mean * StepMax) - mean));
}
