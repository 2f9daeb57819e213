using Spillway.Config;
using Spillway.Engine;
using Spillway.Protocols.Access;
using Spillway.Engine.Billing;
using Spillway.Engine.Drills;
using Spillway.Store;
using Spillway.Store.Audit;
using Spillway.Telemetry;

namespace Spillway.Protocols;

/// <summary>What every endpoint works with. One a server.</summary>
/// <param name="Serving">Everything served.</param>
/// <param name="Snapshot">The configuration that it begins with.</param>
/// <param name="Recorder">Where requests are recorded.</param>
/// <param name="Spans">Source of identifiers.</param>
/// <param name="Version">Spillway's version.</param>
public sealed record ServerContext(Serving Serving, Snapshot Snapshot, Recorder Recorder, SpanIds Spans, string Version)
{
    private volatile Snapshot _snapshot = Snapshot;
    private long _bytesHeld;

    /// <summary>The configuration in force; a reload puts another one here.</summary>
    public Snapshot Snapshot
    {
        get => _snapshot;
        internal set => _snapshot = value;
    }

    /// <summary>Reads the configuration again and puts it in force, or says why not.</summary>
    internal Func<ServerContext, CancellationToken, Task<ReloadAnswer>> Reread { get; init; } =
        static (_, _) => Task.FromResult(new ReloadAnswer
        {
            Fault = new(FaultKind.Unsupported, "This server was not started from a configuration file."),
        });

    /// <summary>Which log events are written; the host's filter asks it.</summary>
    public LogSwitch Log { get; init; } = new();

    /// <summary>Who callers are; null where none shows it.</summary>
    internal AccessGate? Access { get; init; }

    /// <summary>What is billed; null where nothing is priced.</summary>
    internal CostWatch? Costs { get; init; }

    /// <summary>What is broken on purpose.</summary>
    internal DrillDesk? Drills { get; init; }

    /// <summary>Takes the state folder for this process; its path, or why not.</summary>
    internal Func<Outcome<StateFolder>> TakeState { get; init; } =
        static () => new Fault(FaultKind.StoreFailed, "There is no state folder.");

    /// <summary>Where administration is written down; by default nowhere.</summary>
    public IAuditLog Audit { get; init; } = IAuditLog.None;

    /// <summary>The audit log to read; null without one.</summary>
    public AuditLog? AuditLog { get; init; }

    /// <summary>Request bytes in memory now.</summary>
    public long BytesHeld => Interlocked.Read(ref _bytesHeld);

    /// <summary>Takes room for request bytes; false when the server holds as many as it may.</summary>
    internal bool TryHold(long bytes)
    {
        if (Interlocked.Add(ref _bytesHeld, bytes) <= Snapshot.Server.BodyBytesInFlightMax)
            return true;
        Interlocked.Add(ref _bytesHeld, -bytes);
        return false;
    }

    /// <summary>Why <see cref="TryHold"/> said no.</summary>
    internal Fault Full() => new(
        FaultKind.ServerFull,
        $"The server holds {BytesHeld:N0} request bytes of {Snapshot.Server.BodyBytesInFlightMax:N0}. "
        + "Retry in a moment, send smaller requests, or raise server.bodyBytesInFlightMax.",
        TimeSpan.FromMilliseconds(100));

    /// <summary>
    /// The end of a request: records it, and gives back what it held, also when a bug in the record shows up here.
    /// </summary>
    internal void Close(Work work, long held, in Delivery delivery)
    {
        try
        {
            Recorder.Record(work, delivery);
        }
        finally
        {
            LetGo(held);
            Serving.Return(work);
        }
    }

    /// <summary>Gives room back.</summary>
    internal void LetGo(long bytes) => Interlocked.Add(ref _bytesHeld, -bytes);
}
