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
    private readonly SharedState _state;
    private readonly Proof _proof;

    private SpillwayServer(
        ServerContext context, Front front, OtlpExporter? exporter, SharedState state, Proof proof) =>
        (Context, Front, _exporter, _state, _proof) = (context, front, exporter, state, proof);

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

    /// <summary>
    /// Puts one together; nothing is loaded yet. Throws <see cref="SpillwayStartException"/> when what must survive a
    /// restart cannot be opened.
    /// </summary>
    public static SpillwayServer Build(Snapshot snapshot, ServerParts parts)
    {
        var state = new SharedState(snapshot);
        try
        {
            return Build(snapshot, parts, state);
        }
        catch (SpillwayStartException)
        {
            state.Dispose();
            throw;
        }
    }

    private static SpillwayServer Build(Snapshot snapshot, ServerParts parts, SharedState state)
    {
        var proof = Proof.Open(snapshot, state, parts, Version);
        var serving = new Serving(snapshot, parts.Runtimes, parts.Clock, parts.Logs.CreateLogger<Serving>());
        serving.Models.Canary = new(
            new(parts.Canary, serving.Clock.Time), always: snapshot.Server.Canary == "always");
        if (!serving.Models.Canary.IsOn && snapshot.Server.Canary != "off")
            Log.CanaryOff(parts.Logs.CreateLogger<SpillwayServer>());
        serving.Repository = Repository(snapshot, parts, serving);
        var recorder = new Recorder(serving, snapshot, Version);
        proof.Connect(serving, recorder);
        serving.CountIn(recorder);
        var telemetry = OtlpSettings.From(snapshot.Telemetry, snapshot.Server.Name, parts.TelemetryVariables);
        var exporter = OtlpExporter.Start(
            telemetry, recorder, serving.Clock.Time, parts.Logs.CreateLogger<OtlpExporter>(), Version);
        var seed = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong)));
        var context = proof.In(new(serving, snapshot, recorder, new SpanIds(seed), Version) { Log = parts.Log });
        return new(context, new Front(context, parts.Logs.CreateLogger<Front>()), exporter, state, proof);
    }

    private static ModelRepository? Repository(Snapshot snapshot, ServerParts parts, Serving serving)
    {
        if (snapshot.Repository is not { } repository)
            return null;
        var types = parts.Runtimes.ToDictionary(r => r.Key, r => r.Value.OptionsType);
        return new(
            repository, new RepositoryReader(repository, types, parts.Environment, snapshot.Models), serving.Models,
            serving.Clock, parts.Logs.CreateLogger<ModelRepository>());
    }

    /// <summary>Sends what is left of traces and metrics, for a few seconds at most. After the last request.</summary>
    public Task StopTelemetryAsync() => _exporter?.StopAsync() ?? Task.CompletedTask;

    /// <summary>
    /// Writes down what is left, and lets go of what survives a restart. After the last request; for those that keep
    /// nothing it does nothing.
    /// </summary>
    public async Task CloseStoresAsync()
    {
        await _proof.DisposeAsync().ConfigureAwait(false);
        _state.Dispose();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await StopTelemetryAsync().ConfigureAwait(false);
        await Serving.DisposeAsync().ConfigureAwait(false);
        await CloseStoresAsync().ConfigureAwait(false);
        if (_exporter is not null)
            await _exporter.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>For a container that is disposed synchronously; blocks until the models are gone.</summary>
    public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();
}
