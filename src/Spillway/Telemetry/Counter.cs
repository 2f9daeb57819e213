using Spillway.Telemetry.Otlp;

namespace Spillway.Telemetry;

/// <summary>A number that only rises. Thread-safe, 0 B and one atomic addition a recording.</summary>
/// <param name="scale">
/// Counted units in one exposed unit: 1 for plain counts, <see cref="TimeSpan.TicksPerSecond"/> for times counted in
/// ticks and exposed in seconds.
/// </param>
internal sealed class Counter(long scale = 1) : Instrument
{
    private long _value;

    /// <summary>The count so far, in counted units.</summary>
    public long Value => Interlocked.Read(ref _value);

    /// <summary>One more.</summary>
    public void Add() => Interlocked.Increment(ref _value);

    /// <summary>So many more; a negative amount is ignored, because a counter that falls reads as a restart.</summary>
    public void Add(long amount)
    {
        if (amount > 0)
            Interlocked.Add(ref _value, amount);
    }

    /// <summary>So much time more, for a counter of ticks.</summary>
    public void Add(TimeSpan time) => Add(time.Ticks);

    /// <inheritdoc/>
    public override void Write(PrometheusText text, InstrumentSpec spec, byte[] labels)
    {
        if (scale == 1)
            text.Sample(spec.Name, "", labels, Value);
        else
            text.Sample(spec.Name, "", labels, Value / (double)scale);
    }

    /// <inheritdoc/>
    public override void Write(OtlpPoints points)
    {
        if (scale == 1)
            points.Whole(Value);
        else
            points.Number(Value / (double)scale);
    }
}
