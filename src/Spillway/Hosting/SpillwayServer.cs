using System.Reflection;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Spillway.Config;
using Spillway.Config.Repository;
using Spillway.Engine;
using Spillway.Engine.Otlp;
using Spillway.Protocols;
using Spillway.Telemetry;

namespace Spillway.Hosting;

/// <summary>
/// One server but for its socket: everything served, the recorder, and the front that answers requests. The stand-alone
/// server and one inside an application are put together here alike. Thread-safe.
/// </summary>
public sealed class SpillwayServer : IAsyncDisposable, IDisposable
{
    private readonly OtlpExporter? _exporter;

    private SpillwayServer(ServerContext context, Front front, OtlpExporter? exporter) =>
        (Context, Front, _exporter) = (context, front, exporter);

    /// <summary>Spillway's version.</summary>
    public static string Version { get; } = typeof(SpillwayServer).Assembly
        .GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    /// <summary>Everything served: to start, to drain, to look at.</summary>
    public Serving Serving => Context.Serving;

    /// <summary>Where requests are recorded.</summary>
    public Recorder Recorder => Context.Recorder;

    /// <summary>Answers requests.</summary>
    public Front Front { get; }

    /// <summary>The configuration.</summary>
    public Snapshot Snapshot => Context.Snapshot;

    internal ServerContext Context { get; }

    /// <summary>Puts one together; nothing is loaded yet.</summary>
    public static SpillwayServer Build(Snapshot snapshot, ServerParts parts)
    {
        var serving = new Serving(snapshot, parts.Runtimes, parts.Clock, parts.Logs.CreateLogger<Serving>());
        serving.Models.Canary = new(
            new(parts.Canary, serving.Clock.Time), always: snapshot.Server.Canary == "always")
        {
            IsWanted = snapshot.Server.Canary != "off",
        };
        if (serving.Models.Canary.Warning is { } warning)
            Log.CanaryOff(parts.Logs.CreateLogger<SpillwayServer>(), warning);
        if (snapshot.Repository is { } repository)
        {
            var types = parts.Runtimes.ToDictionary(r => r.Key, r => r.Value.OptionsType);
            serving.Repository = new(
                repository, new RepositoryReader(repository, types, parts.Environment, snapshot.Models), serving.Models,
                serving.Clock, parts.Logs.CreateLogger<ModelRepository>());
        }

        var recorder = new Recorder(serving, snapshot, Version);
        serving.CountIn(recorder);
        var telemetry = OtlpSettings.From(snapshot.Telemetry, snapshot.Server.Name, parts.TelemetryVariables);
        var exporter = OtlpExporter.Start(
            telemetry, recorder, serving.Clock.Time, parts.Logs.CreateLogger<OtlpExporter>(), Version);
        var seed = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong)));
        var context = new ServerContext(serving, snapshot, recorder, new SpanIds(seed), Version) { Log = parts.Log };
        return new(context, new Front(context, parts.Logs.CreateLogger<Front>()), exporter);
    }

    /// <summary>Sends what is left of traces and metrics, for a few seconds at most. After the last request.</summary>
    public Task StopTelemetryAsync() => _exporter?.StopAsync() ?? Task.CompletedTask;

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await StopTelemetryAsync().ConfigureAwait(false);
        await Serving.DisposeAsync().ConfigureAwait(false);
        if (_exporter is not null)
            await _exporter.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>For a container that is disposed synchronously; blocks until the models are gone.</summary>
    public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();
}
