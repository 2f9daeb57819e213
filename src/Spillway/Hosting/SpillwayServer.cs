using System.Reflection;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Spillway.Config;
using Spillway.Config.Repository;
using Spillway.Engine;
using Spillway.Engine.Otlp;
using Spillway.Protocols;
using Spillway.Protocols.Admin;
using Spillway.Telemetry;

namespace Spillway.Hosting;

/// <summary>
/// One server but for its socket: everything served, the recorder, and the front that answers requests. The stand-alone
/// server and one inside an application are put together here alike. Thread-safe.
/// </summary>
public sealed class SpillwayServer : IAsyncDisposable, IDisposable
{
    private readonly OtlpExporter? _exporter;
    private readonly ServerState _state;

    private SpillwayServer(ServerContext context, Front front, OtlpExporter? exporter, ServerState state) =>
        (Context, Front, _exporter, _state) = (context, front, exporter, state);

    /// <summary>Spillway's version.</summary>
    public static string Version { get; } = typeof(SpillwayServer).Assembly
        .GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    /// <summary>Everything served: to start, to drain, to look at.</summary>
    public Serving Serving => Context.Serving;

    /// <summary>Where requests are recorded.</summary>
    public Recorder Recorder => Context.Recorder;

    /// <summary>Answers requests.</summary>
    public Front Front { get; }

    /// <summary>The configuration in force.</summary>
    public Snapshot Snapshot => Context.Snapshot;

    internal ServerContext Context { get; }

    /// <summary>Puts one together; nothing is loaded yet.</summary>
    /// <exception cref="SpillwayStartException">Something on this machine stands in the way.</exception>
    public static SpillwayServer Build(Snapshot snapshot, ServerParts parts)
    {
        // First, for what is on the disk may refuse.
        var state = new ServerState(snapshot.StateFolder);
        var access = Open(state, s => AccessSetup.Build(snapshot, s, parts.Clock.Time, parts.Logs));
        var proof = Open(state, s => Proof.Open(snapshot, s, parts, Version));
        var serving = MakeServing(snapshot, parts);
        var recorder = new Recorder(serving, snapshot, Version);
        proof.Connect(serving, recorder);
        serving.CountIn(recorder);
        access?.Counts.Register(recorder.Registry, access.Keys);
        Open(state, s => GuardSetup.Open(snapshot, serving, s, recorder));
        Open(state, s => RolloutSetup.Open(snapshot, serving, s, recorder));
        var costs = Open(state, s => CostParts.Open(snapshot, parts, s, serving, recorder));
        var drills = DrillSetup.Open(snapshot, parts, state, serving, recorder, proof.Log);
        var exporter = StartTelemetry(snapshot, parts, recorder);
        var context = proof.In(Begin(snapshot, parts, state, recorder, serving) with
        {
            Access = access, Costs = costs, Drills = drills,
        });
        return new(context, new Front(context, parts.Logs.CreateLogger<Front>()), exporter, state);
    }

    /// <summary>
    /// Makes a key, as `spillway keys create` does: for an application with a server inside, which has no command line.
    /// A fault when there are no keys (access.keys: off), or when the order makes no sense.
    /// </summary>
    /// <param name="tenant">Who pays.</param>
    /// <param name="roles">What its holder may do.</param>
    /// <param name="name">What a person calls it.</param>
    /// <returns>The key's text, which nobody can show again.</returns>
    public Outcome<string> CreateKey(string tenant, Roles roles, string name = "")
    {
        if (Context.Access is not { } access)
            return new Fault(FaultKind.Unsupported, "This server has no keys: set access.keys to required.");
        return access.Keys.Create(new() { Tenant = tenant, Roles = roles, Name = name }).TryGet(
            out var issued, out var fault)
            ? issued.Text : fault;
    }

    /// <summary>
    /// Reads the configuration again, as `spillway reload` does, and puts in force what may change while the server
    /// runs. With mistakes nothing changes. Requests under way end with what they began with. Thread-safe.
    /// </summary>
    /// <param name="who">Who asks, for the audit log; <see cref="Caller.Local"/> by default.</param>
    /// <param name="cancellation">Of the wait for another reload; one that began is ended.</param>
    public Task<ReloadAnswer> ReloadAsync(Caller? who = null, CancellationToken cancellation = default) =>
        Context.ReloadAsync(who ?? Caller.Local, cancellation);

    /// <summary>
    /// A handler that answers OpenAI's paths (/v1/…) in this process, without a socket, for every client that takes
    /// one. The same limits, budgets and records hold as for requests from the wire; no key is asked for. Thread-safe.
    /// </summary>
    /// <param name="caller">As whom it asks; <see cref="Caller.Local"/> by default, who may do everything.</param>
    public HttpMessageHandler CreateHandler(Caller? caller = null) =>
        new InProcessHandler(this, caller ?? Caller.Local);

    /// <summary>Sends what is left of traces and metrics, for a few seconds at most. After the last request.</summary>
    public Task StopTelemetryAsync() => _exporter?.StopAsync() ?? Task.CompletedTask;

    /// <summary>Writes what is left to the state folder and lets it go. After the last request.</summary>
    public ValueTask StopStateAsync() => _state.DisposeAsync();

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await StopTelemetryAsync().ConfigureAwait(false);
        await Serving.DisposeAsync().ConfigureAwait(false);
        await StopStateAsync().ConfigureAwait(false);
        if (_exporter is not null)
            await _exporter.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>For a container that is disposed synchronously; blocks until the models are gone.</summary>
    public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();

    private static OtlpExporter? StartTelemetry(Snapshot snapshot, ServerParts parts, Recorder recorder) =>
        OtlpExporter.Start(
            OtlpSettings.From(snapshot.Telemetry, snapshot.Server.Name, parts.TelemetryVariables), recorder,
            parts.Clock.Time, parts.Logs.CreateLogger<OtlpExporter>(), Version);

    private static ServerContext Begin(
        Snapshot snapshot, ServerParts parts, ServerState state, Recorder recorder, Serving serving)
    {
        var reloader = new Reloader(parts);
        state.Own(reloader);
        var seed = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong)));
        return new(serving, snapshot, recorder, new SpanIds(seed), Version)
        {
            Log = parts.Log, TakeState = state.Take, Reread = reloader.ReloadAsync,
        };
    }

    private static Serving MakeServing(Snapshot snapshot, ServerParts parts)
    {
        var keys = Reloader.KeysOf(
            snapshot, parts.Environment, (_, fault) => throw new SpillwayStartException(fault.Message));
        var serving = new Serving(snapshot, parts.Runtimes, parts.Clock, parts.Logs.CreateLogger<Serving>(), keys);
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

        return serving;
    }

    /// <summary>What needs the state folder; the folder is let go when it cannot be had.</summary>
    private static T Open<T>(ServerState state, Func<ServerState, T> open)
    {
        try
        {
            return open(state);
        }
        catch (SpillwayStartException)
        {
            state.DisposeAsync().AsTask().GetAwaiter().GetResult();
            throw;
        }
    }
}
