using System.Numerics;
using Spillway.Telemetry.Otlp;

namespace Spillway.Telemetry;

/// <summary>
/// Observations counted in fixed buckets. Thread-safe; a recording is 0 B: a few comparisons and two atomic additions.
/// The number of observations is not kept apart: it is the sum of the buckets, so that a scrape taken while others
/// record is consistent in itself (the +Inf bucket equals the count). The sum may run a recording ahead or behind.
/// </summary>
internal sealed class Histogram : Instrument
{
    /// <summary>
    /// Upper bounds for times, in seconds: 10 µs to 60 s in steps of 1, 2.5, 5. The fine end shows the stages around
    /// the model (tens of microseconds), the coarse end the longest deadlines that people set; an estimate from
    /// neighbouring bounds is off by at most a factor of 2.5.
    /// </summary>
    public static IReadOnlyList<double> TimeBounds { get; } =
    [
        0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5,
        1, 2.5, 5, 10, 30, 60,
    ];

    /// <summary>
    /// Upper bounds for rows of a batch: powers of two, as batch sizes are chosen, to the largest allowed.
    /// </summary>
    public static IReadOnlyList<double> RowBounds { get; } = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024];

    private readonly IReadOnlyList<double> _values;
    private readonly byte[][] _bounds;
    private readonly long[] _limits;
    private readonly byte[] _firstOfBit;
    private readonly long[] _buckets;
    private readonly long _scale;
    private long _sum;

    /// <param name="bounds">Upper bounds, inclusive, rising, in the exposed unit.</param>
    /// <param name="scale">Recorded units in one exposed unit.</param>
    public Histogram(IReadOnlyList<double> bounds, long scale)
    {
        (_scale, _values) = (scale, bounds);
        _limits = [.. bounds.Select(bound => (long)Math.Round(bound * scale))];
        _bounds = [.. bounds.Select(PrometheusText.Number)];
        _buckets = new long[bounds.Count + 1];
        _firstOfBit = FirstOfBits(_limits);
        for (var i = 1; i < _limits.Length; i++)
            ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(_limits[i], _limits[i - 1], nameof(bounds));
    }

    /// <summary>For times: recorded in ticks, exposed in seconds.</summary>
    public static Histogram OfTimes() => new(TimeBounds, TimeSpan.TicksPerSecond);

    /// <summary>For batch sizes, in rows.</summary>
    public static Histogram OfRows() => new(RowBounds, 1);

    /// <summary>Observations so far.</summary>
    public long Count
    {
        get
        {
            var count = 0L;
            for (var i = 0; i < _buckets.Length; i++)
                count += Interlocked.Read(ref _buckets[i]);
            return count;
        }
    }

    /// <summary>Their sum, in recorded units.</summary>
    public long Sum => Interlocked.Read(ref _sum);

    /// <summary>One observation, in recorded units; a negative one counts as 0.</summary>
    public void Record(long value)
    {
        Interlocked.Increment(ref _buckets[Find(value)]);
        if (value > 0)
            Interlocked.Add(ref _sum, value);
    }

    /// <summary>One time, for a histogram of ticks.</summary>
    public void Record(TimeSpan time) => Record(time.Ticks);

    /// <inheritdoc/>
    public override void Write(PrometheusText text, InstrumentSpec spec, byte[] labels)
    {
        var cumulative = 0L;
        for (var i = 0; i < _limits.Length; i++)
        {
            cumulative += Interlocked.Read(ref _buckets[i]);
            text.Bucket(spec.Name, labels, _bounds[i], cumulative);
        }

        cumulative += Interlocked.Read(ref _buckets[^1]);
        text.Bucket(spec.Name, labels, "+Inf"u8, cumulative);
        text.Sample(spec.Name, "_sum", labels, Sum / (double)_scale);
        text.Sample(spec.Name, "_count", labels, cumulative);
    }

    /// <inheritdoc/>
    public override void Write(OtlpPoints points)
    {
        var buckets = new long[_buckets.Length];
        for (var i = 0; i < buckets.Length; i++)
            buckets[i] = Interlocked.Read(ref _buckets[i]);
        points.Histogram(_values, buckets, Sum / (double)_scale);
    }

    /// <summary>
    /// The first bucket whose bound is not below the value; the last has none. The value's highest bit names where to
    /// begin, so that one to three comparisons remain.
    /// </summary>
    private int Find(long value)
    {
        var limits = _limits;
        int bucket = value <= 0 ? 0 : _firstOfBit[BitOperations.Log2((ulong)value)];
        while (bucket < limits.Length && value > limits[bucket])
            bucket++;
        return bucket;
    }

    /// <summary>For each highest bit, the first bucket that the smallest such value may fall in.</summary>
    private static byte[] FirstOfBits(long[] limits)
    {
        var first = new byte[64];
        for (var bit = 0; bit < 63; bit++)
            first[bit] = (byte)limits.Count(limit => limit < 1L << bit);
        return first;
    }
}
