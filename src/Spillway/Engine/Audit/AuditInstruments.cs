using Spillway.Store.Audit;
using Spillway.Telemetry;

namespace Spillway.Engine.Audit;

/// <summary>What is exposed of the audit log. Registered only where there is one.</summary>
internal static class AuditInstruments
{
    /// <summary>Registers the series.</summary>
    public static void Register(InstrumentRegistry registry, AuditLog log) => registry.Add(log,
    [
        new(Instruments.AuditRecords, new Gauge(() => log.Written), []),
        new(Instruments.AuditLost, new Gauge(() => log.Lost), []),
        new(Instruments.AuditWaiting, new Gauge(() => log.Waiting), []),
        new(Instruments.AuditSigned, new Gauge(() => log.Last?.Size ?? 0), []),
        new(Instruments.AuditFailing, new Gauge(() => log.Failure is null ? 0 : 1), []),
        new(Instruments.AuditUnpublished, new Gauge(() => log.PublishFailures), []),
    ]);
}
