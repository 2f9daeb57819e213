using Spillway.Telemetry.Otlp;

namespace Spillway.Telemetry;

/// <summary>
/// A value that is asked for when somebody looks. Also carries counters that somebody else keeps (processor time,
/// collections); the family's kind says which it is.
/// </summary>
/// <param name="read">Called by the scraper on its thread: cheap, thread-safe, does not throw.</param>
internal sealed class Gauge(Func<double> read) : Instrument
{
    /// <summary>The value now, in the family's unit.</summary>
    public double Value => read();

    /// <inheritdoc/>
    public override void Write(PrometheusText text, InstrumentSpec spec, byte[] labels) =>
        text.Sample(spec.Name, "", labels, Value);

    /// <inheritdoc/>
    public override void Write(OtlpPoints points) => points.Number(Value);
}
