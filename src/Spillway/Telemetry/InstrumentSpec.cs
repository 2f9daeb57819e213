namespace Spillway.Telemetry;

/// <summary>What an instrument counts, in Prometheus' words.</summary>
internal enum InstrumentKind
{
    /// <summary>Only rises; starts at 0 with the process.</summary>
    Counter,

    /// <summary>A value of the moment of the scrape.</summary>
    Gauge,

    /// <summary>Observations counted in fixed buckets, with their sum.</summary>
    Histogram,
}

/// <summary>
/// One metric family: its name, unit, labels and meaning. The table of all is <see cref="Instruments"/>.
/// </summary>
/// <param name="Name">As exposed; base units, counters end in _total.</param>
/// <param name="Kind">Counter, gauge or histogram.</param>
/// <param name="Unit">"seconds", "bytes", "requests" …; "1" for a flag or information.</param>
/// <param name="Help">One sentence: what it says and when it changes.</param>
/// <param name="Labels">Label names in the order of their values; empty for a process-wide family.</param>
internal sealed record InstrumentSpec(
    string Name, InstrumentKind Kind, string Unit, string Help, params string[] Labels)
{
    /// <summary>The name in OpenTelemetry's conventions, where it has one; empty for <see cref="Name"/>.</summary>
    public string OtlpName { get; init; } = "";

    /// <summary>The labels' names there: of its conventions with dots, gen_ai.token.type.</summary>
    public string[] OtlpLabels { get; } =
        [.. Labels.Select(l =>
            l.StartsWith(GenAi, StringComparison.Ordinal) ? "gen_ai." + l[GenAi.Length..].Replace('_', '.') : l)];

    private const string GenAi = "gen_ai_";
}
