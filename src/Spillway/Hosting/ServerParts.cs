using Microsoft.Extensions.Logging;
using Spillway.Config;
using Spillway.Engine;
using Spillway.Engine.Canary;
using Spillway.Runtimes;
using Spillway.Telemetry;

namespace Spillway.Hosting;

/// <summary>What a server is put together from, beside its configuration.</summary>
public sealed record ServerParts
{
    /// <summary>By name; the configuration was validated against the same ones.</summary>
    public required IReadOnlyDictionary<string, IRuntime> Runtimes { get; init; }

    /// <summary>Variables for the models of a repository, which are read while the server runs.</summary>
    public required IReadOnlyDictionary<string, string> Environment { get; init; }

    /// <summary>Reads the configuration again, for a reload; null where that cannot be.</summary>
    public Func<ConfigResult>? Reread { get; init; }

    /// <summary>The clock of every stamp and deadline.</summary>
    public required Clock Clock { get; init; }

    /// <summary>Where logs go.</summary>
    public required ILoggerFactory Logs { get; init; }

    /// <summary>Which log events are written; the host's filter asks it.</summary>
    public required LogSwitch Log { get; init; }

    /// <summary>How models are probed; by default there is no program for it, and they are not.</summary>
    public CanarySettings Canary { get; init; } = new();

    /// <summary>Where the standard OTEL_ variables are looked up; nowhere by default.</summary>
    public IReadOnlyDictionary<string, string> TelemetryVariables { get; init; } = new Dictionary<string, string>();
}
