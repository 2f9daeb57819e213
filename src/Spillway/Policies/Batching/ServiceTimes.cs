namespace Spillway.Policies.Batching;

/// <summary>
/// How long a run takes, by its rows and elements: the calibrated curve gives the form, observations the scale.
/// Pure state, one owner. Time scales with the elements of the run, so that a line twice as wide counts twice.
/// </summary>
/// <remarks>
/// Each size keeps an exponentially weighted mean of observed / calibrated time; a size that was seen fewer than
/// <see cref="TrustedSamples"/> times borrows the mean over all sizes, so that a machine that became slower is slower
/// for every size at once. One observation moves a mean by at most <see cref="StepMax"/> times itself: a pause of the
/// process does not poison the estimate, a real change is learned in a few runs.
/// </remarks>
public sealed class ServiceTimes
{
    /// <summary>Weight of the newest observation. 0.15: half the weight lies in the last four runs.</summary>
    public const double Weight = 0.15;

    /// <summary>Observations before a size stands on its own.</summary>
    public const int TrustedSamples = 3;

    /// <summary>An observation counts as at most this many times the present estimate, and at least its inverse.</summary>
    public const double StepMax = 4;

    private readonly double[] _ticksPerElement;
    private readonly double[] _scale;
    private readonly int[] _samples;
    private double _scaleAll = 1;
    private bool _anySample;

    /// <summary>Knows sizes 1 to <paramref name="rowsMax"/>; a run of more rows is extended from the largest.</summary>
    /// <param name="rowsMax">The largest batch in rows, at least 1.</param>
    /// <param name="curve">At least one point; rows ascending.</param>
    /// <param name="elementsPerRow">Input elements of one row of the curve's shape, at least 1.</param>
    public ServiceTimes(int rowsMax, IReadOnlyList<BatchPoint> curve, long elementsPerRow)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rowsMax, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(elementsPerRow, 1);
        (_ticksPerElement, _scale, _samples) = (new double[rowsMax + 1], new double[rowsMax + 1], new int[rowsMax + 1]);
        SetCurve(curve, elementsPerRow);
    }

    /// <summary>The largest size it knows.</summary>
    public int RowsMax => _samples.Length - 1;

    /// <summary>Replaces the curve by a better measured one; what was observed under the old one is forgotten.</summary>
    public void SetCurve(IReadOnlyList<BatchPoint> curve, long elementsPerRow)
    {
        ArgumentOutOfRangeException.ThrowIfZero(curve.Count);
        for (var rows = 1; rows < _samples.Length; rows++)
        {
            _ticksPerElement[rows] = Math.Max(BatchPoint.TicksAt(curve, rows), 0.01) / (rows * (double)elementsPerRow);
            (_scale[rows], _samples[rows]) = (1, 0);
        }

        (_scaleAll, _anySample) = (1, false);
    }

    /// <summary>The expected time of a run.</summary>
    /// <param name="rows">Rows in the run, from 1.</param>
    /// <param name="elements">Input elements in the run, padding included.</param>
    public TimeSpan Predict(int rows, long elements)
    {
        var size = Math.Clamp(rows, 1, RowsMax);
        var scale = _samples[size] >= TrustedSamples ? _scale[size] : _scaleAll;
        return new((long)Math.Ceiling(_ticksPerElement[size] * scale * elements));
    }

    /// <summary>Learns from a run that ended by itself.</summary>
    public void Observe(int rows, long elements, TimeSpan took)
    {
        if (elements <= 0 || took <= TimeSpan.Zero)
            return;
        var size = Math.Clamp(rows, 1, RowsMax);
        var ratio = took.Ticks / (_ticksPerElement[size] * elements);
        // The first observation weighs more, and is bounded like every other.
        var first = Math.Clamp(ratio, 1 / StepMax, StepMax);
        _scaleAll = _anySample ? Blend(_scaleAll, ratio) : first;
        _scale[size] = _samples[size] == 0 ? first : Blend(_scale[size], ratio);
        _samples[size] = Math.Min(_samples[size] + 1, TrustedSamples);
        _anySample = true;
    }

    private static double Blend(double mean, double seen) =>
        mean + (Weight * (Math.Clamp(seen, mean / StepMax, mean * StepMax) - mean));
}
