using System.Runtime.CompilerServices;

namespace Spillway.Telemetry.Otlp;

/// <summary>
/// Everything of /metrics, under the same names, as an OTLP ExportMetricsServiceRequest: cumulative sums and
/// histograms with their buckets, and gauges. One owner. Field numbers: metrics/v1.
/// </summary>
/// <param name="resource">Who sends.</param>
/// <param name="version">Spillway's version, as that of the scope.</param>
/// <param name="started">When counting began.</param>
internal sealed class MetricsPayload(
    IReadOnlyList<KeyValuePair<string, string>> resource, string version, DateTimeOffset started)
{
    private const int Cumulative = 2;

    // A series that comes with a model counts from the collection before it was first seen, and one that comes again
    // under the same labels is another instrument: so a reader sees that it began anew. Entries leave with them.
    private readonly ConditionalWeakTable<Instrument, StrongBox<ulong>> _starts = [];
    private ulong _before = OtlpFields.UnixNanos(started);

    /// <summary>Writes one request of the export protocol; the number of families in it.</summary>
    public int Write(ProtoWriter proto, InstrumentRegistry registry, DateTimeOffset time)
    {
        var now = OtlpFields.UnixNanos(time);
        proto.Reset();
        var resourceMetrics = proto.Begin(1);
        OtlpFields.Resource(proto, 1, resource);
        var scopeMetrics = proto.Begin(2);
        OtlpFields.ScopeOf(proto, 1, version);
        var families = 0;
        foreach (var (spec, series) in registry.Families())
        {
            Family(proto, spec, series, now);
            families++;
        }

        proto.End(scopeMetrics);
        proto.End(resourceMetrics);
        _before = now;
        return families;
    }

    private void Family(ProtoWriter proto, InstrumentSpec spec, IEnumerable<Series> series, ulong now)
    {
        var metric = proto.Begin(2);
        proto.Text(1, spec.OtlpName.Length > 0 ? spec.OtlpName : spec.Name);
        proto.Text(2, spec.Help);
        proto.Text(3, Unit(spec.Unit));
        var data = proto.Begin(DataField(spec.Kind));
        var points = new OtlpPoints(proto, spec.OtlpLabels, now);
        foreach (var (_, instrument, values) in series)
        {
            points.Of(values, _starts.GetValue(instrument, _ => new(_before)).Value);
            instrument.Write(points);
        }

        if (spec.Kind is not InstrumentKind.Gauge)
            proto.Varint(2, Cumulative);
        if (spec.Kind is InstrumentKind.Counter)
            proto.Varint(3, 1); // is_monotonic
        proto.End(data);
        proto.End(metric);
    }

    private static int DataField(InstrumentKind kind) => kind switch
    {
        InstrumentKind.Gauge => 5,
        InstrumentKind.Counter => 7,
        InstrumentKind.Histogram => 9,
    };

    /// <summary>In UCUM, which OpenTelemetry uses; what is counted stands in braces.</summary>
    private static string Unit(string unit) => unit switch
    {
        "seconds" => "s",
        "bytes" => "By",
        "1" => "1",
        _ => $"{{{unit}}}",
    };
}
