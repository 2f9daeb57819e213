namespace Spillway.Config;

/// <summary>One spillway.yaml as a person wrote it, with the model.yaml files it names.</summary>
public sealed record SpillwayOptions
{
    /// <summary>The door.</summary>
    [Option("The door: address, limits, name.")]
    public ServerOptions Server { get; init; } = new();

    /// <summary>Where traces and metrics are sent.</summary>
    [Option("Where traces and metrics are sent by OTLP; the standard OTEL_ variables override it.")]
    public TelemetryOptions Telemetry { get; init; } = new();

    /// <summary>Folders that hold a model.yaml.</summary>
    [Option("Folders that hold a model.yaml each, relative to this file.", Required = true)]
    public IReadOnlyList<string> Models { get; init; } = [];
}
