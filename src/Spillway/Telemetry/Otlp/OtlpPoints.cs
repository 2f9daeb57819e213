namespace Spillway.Telemetry.Otlp;

/// <summary>
/// Writes the points of one metric family: what an <see cref="Instrument"/> is given to say its value. Field numbers:
/// metrics/v1.
/// </summary>
/// <param name="proto">Inside the family's Gauge, Sum or Histogram.</param>
/// <param name="labels">Label names of the family.</param>
/// <param name="now">Nanoseconds since 1970 of this collection.</param>
internal sealed class OtlpPoints(ProtoWriter proto, IReadOnlyList<string> labels, ulong now)
{
    private const int DataPoints = 1;
    private const int StartField = 2;
    private const int TimeField = 3;

    private IReadOnlyList<string> _values = [];
    private ulong _start;

    /// <summary>The next point is that series', which counts from then.</summary>
    public void Of(IReadOnlyList<string> values, ulong start) => (_values, _start) = (values, start);

    /// <summary>A whole number.</summary>
    public void Whole(long value)
    {
        var point = Open(attributes: 7);
        proto.Fixed64(6, (ulong)value);
        proto.End(point);
    }

    /// <summary>A number; one that is not known (NaN) makes no point.</summary>
    public void Number(double value)
    {
        if (double.IsNaN(value))
            return;
        var point = Open(attributes: 7);
        proto.Double(4, value);
        proto.End(point);
    }

    /// <summary>Observations by bucket.</summary>
    /// <param name="bounds">Upper bounds, inclusive.</param>
    /// <param name="buckets">Counts, one more than bounds; not cumulative.</param>
    /// <param name="sum">Of the observations.</param>
    public void Histogram(IReadOnlyList<double> bounds, ReadOnlySpan<long> buckets, double sum)
    {
        var point = Open(attributes: 9);
        var count = 0L;
        foreach (var bucket in buckets)
            count += bucket;
        proto.Fixed64(4, (ulong)count);
        proto.Double(5, sum);
        var packed = proto.Begin(6);
        foreach (var bucket in buckets)
            proto.Raw64((ulong)bucket);
        proto.End(packed);
        packed = proto.Begin(7);
        foreach (var bound in bounds)
            proto.Raw64(BitConverter.DoubleToUInt64Bits(bound));
        proto.End(packed);
        proto.End(point);
    }

    private int Open(int attributes)
    {
        var point = proto.Begin(DataPoints);
        for (var i = 0; i < labels.Count; i++)
            OtlpFields.Attribute(proto, attributes, labels[i], _values[i]);
        proto.Fixed64(StartField, _start);
        proto.Fixed64(TimeField, now);
        return point;
    }
}
