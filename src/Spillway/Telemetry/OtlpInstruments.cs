namespace Spillway.Telemetry;

/// <summary>What became of an export of OTLP.</summary>
internal enum OtlpResult
{
    /// <summary>The receiver took it.</summary>
    Sent,

    /// <summary>The receiver said no, and no other attempt would help.</summary>
    Refused,

    /// <summary>Nobody answered in time, or only "later".</summary>
    Unreachable,
}

/// <summary>What the exporter of OTLP counts of itself. Registered only where one runs.</summary>
internal sealed class OtlpInstruments
{
    private static readonly OtlpResult[] s_results = Enum.GetValues<OtlpResult>();

    private readonly Counter[] _requests = [.. s_results.Select(_ => new Counter())];
    private readonly Counter[] _traceExports = [.. s_results.Select(_ => new Counter())];
    private readonly Counter[] _metricExports = [.. s_results.Select(_ => new Counter())];

    /// <summary>Registers the series.</summary>
    /// <param name="registry">Where the exposition finds them.</param>
    /// <param name="dropped">Requests whose spans found no room.</param>
    public OtlpInstruments(InstrumentRegistry registry, Counter dropped) => registry.Add(this, Own(dropped));

    /// <summary>The label of a result.</summary>
    public static string Label(OtlpResult result) => result switch
    {
        OtlpResult.Sent => "sent",
        OtlpResult.Refused => "refused",
        OtlpResult.Unreachable => "unreachable",
    };

    /// <summary>An export of the spans of so many requests ended.</summary>
    public void Traces(OtlpResult result, int requests)
    {
        _traceExports[(int)result].Add();
        Lost(result, requests);
    }

    /// <summary>The spans of so many requests ended without an export of their own.</summary>
    public void Lost(OtlpResult result, int requests) => _requests[(int)result].Add(requests);

    /// <summary>An export of metrics ended.</summary>
    public void Metrics(OtlpResult result) => _metricExports[(int)result].Add();

    private IEnumerable<Series> Own(Counter dropped)
    {
        yield return new(Instruments.OtlpTraces, dropped, ["queue_full"]);
        foreach (var result in s_results)
        {
            var label = Label(result);
            yield return new(Instruments.OtlpTraces, _requests[(int)result], [label]);
            yield return new(Instruments.OtlpExports, _traceExports[(int)result], ["traces", label]);
            yield return new(Instruments.OtlpExports, _metricExports[(int)result], ["metrics", label]);
        }
    }
}
