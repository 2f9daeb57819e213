using Spillway.Telemetry.Otlp;

namespace Spillway.Telemetry;

/// <summary>Something that can write its present value as the samples of one series.</summary>
internal abstract class Instrument
{
    /// <summary>Writes the samples; called by the scraper, concurrently with recording.</summary>
    public abstract void Write(PrometheusText text, InstrumentSpec spec, byte[] labels);

    /// <summary>Writes the present value as one point; called by the exporter, concurrently with recording.</summary>
    public abstract void Write(OtlpPoints points);
}
