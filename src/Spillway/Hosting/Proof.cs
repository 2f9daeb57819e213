using Microsoft.Extensions.Logging;
using Spillway.Config;
using Spillway.Engine;
using Spillway.Engine.Audit;
using Spillway.Protocols;
using Spillway.Store.Audit;
using Spillway.Store.Provenance;

namespace Spillway.Hosting;

/// <summary>
/// The audit log and the trust in models of one server, where its configuration asks for them; without it nothing here
/// does anything.
/// </summary>
internal sealed class Proof : IAsyncDisposable
{
    private static readonly TimeSpan s_retainEvery = TimeSpan.FromHours(1);

    private readonly AuditLog? _log;
    private readonly ModelTrust? _trust;
    private ITimer? _retention;

    private Proof(AuditLog? log, ModelTrust? trust) => (_log, _trust) = (log, trust);

    /// <summary>Opens what is asked for; throws <see cref="SpillwayStartException"/> when it cannot be.</summary>
    public static Proof Open(Snapshot snapshot, ServerState state, ServerParts parts, string version)
    {
        // A model's digest belongs into its records, also where nobody's signature counts.
        var trust = snapshot.Signing is { } signing ? ServerState.Get(ModelTrust.Load(signing))
            : snapshot.Audit is not null ? ModelTrust.Nobody : null;
        var about = $"version {version}, configuration {snapshot.Digest}, process {Environment.ProcessId}";
        var proof = new Proof(
            snapshot.Audit is not { } audit ? null : ServerState.Get(AuditLog.Open(
                state.Folder, audit, parts.Environment, about, parts.Clock.Time, parts.Logs.CreateLogger<AuditLog>())),
            trust);
        state.Own(proof);
        return proof;
    }

    /// <summary>
    /// Judges models before they are loaded, sends finished requests to the log, and asks it before any is let in.
    /// </summary>
    public void Connect(Serving serving, Recorder recorder)
    {
        serving.Models.Trust = _trust;
        if (_log is null)
            return;
        var sink = new AuditSink(_log);
        recorder.Sinks = [.. recorder.Sinks, sink];
        (recorder.Audit, serving.Pipeline.Audit) = (sink, sink);
        AuditInstruments.Register(recorder.Registry, _log);
        _retention = serving.Clock.Time.CreateTimer(_ => _log.Retain(), null, TimeSpan.Zero, s_retainEvery);
    }

    /// <summary>The audit log; null without one.</summary>
    public AuditLog? Log => _log;

    /// <summary>The same context, with the log.</summary>
    public ServerContext In(ServerContext context) => context with { Audit = _log ?? IAuditLog.None, AuditLog = _log };

    /// <summary>Writes what is left. After the last request.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_retention is not null)
            await _retention.DisposeAsync().ConfigureAwait(false);
        if (_log is not null)
            await _log.DisposeAsync().ConfigureAwait(false);
    }
}
