namespace Spillway.Config;

/// <summary>
/// Where traces and metrics are sent by OTLP. Nothing is sent by default. The standard OTEL_ variables are read too,
/// and win where both are set, as every variable does (<see cref="OtlpSettings"/>).
/// </summary>
public sealed record TelemetryOptions
{
    /// <summary>Base address of an OTLP/HTTP receiver; empty for none.</summary>
    [Option("Base address of an OTLP/HTTP receiver, as http://127.0.0.1:4318, to which /v1/traces and /v1/metrics are "
        + "added. Empty sends nothing.")]
    public string OtlpEndpoint { get; init; } = "";

    /// <summary>Share of requests whose spans are sent, where the caller did not decide.</summary>
    [Option("Share of requests whose spans are sent, where no caller decided. Failures of the server are always sent.",
        Min = 0, Max = 1, Source = "OpenTelemetry's parentbased_always_on")]
    public double TraceSampleRatio { get; init; } = 1;

    /// <summary>Requests that took this long are sent whatever the ratio.</summary>
    [Option("Requests that took at least this long are sent whatever the ratio; 0 for no such rule.",
        Unit = "ms", Min = 0, Max = 3_600_000)]
    public double TraceSlowMs { get; init; }

    /// <summary>Time between two exports of metrics.</summary>
    [Option("Time between two exports of metrics.",
        Unit = "ms", Min = 100, Max = 3_600_000, Source = "OpenTelemetry's OTEL_METRIC_EXPORT_INTERVAL")]
    public double MetricsIntervalMs { get; init; } = 60_000;
}
