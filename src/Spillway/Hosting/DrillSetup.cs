using Microsoft.Extensions.Logging;
using Spillway.Config;
using Spillway.Engine;
using Spillway.Engine.Drills;
using Spillway.Store.Audit;
using Spillway.Store.Ledger;

namespace Spillway.Hosting;

/// <summary>Connects what drills may break. Nothing is broken until somebody begins one.</summary>
internal static class DrillSetup
{
    /// <summary>Once, before the first request, and after whatever writes to the disk.</summary>
    public static DrillDesk Open(
        Snapshot snapshot, ServerParts parts, ServerState state, Serving serving, Recorder recorder, AuditLog? audit)
    {
        var ledger = serving.Models.Stores.Ledger as SqliteLedger;
        if (ledger is not null)
            ledger.DiskIsFull = () => serving.Drills.DiskIsFull;
        if (audit is not null)
            audit.DiskIsFull = () => serving.Drills.DiskIsFull;
        if (serving.Guards.Desk?.Writer is { } budgets)
            budgets.DiskIsFull = () => serving.Drills.DiskIsFull;
        string?[] disks =
        [
            ledger is null ? null : "the ledger", audit is null ? null : "the audit log",
            serving.Guards.Desk?.Writer is null ? null : "the budgets",
        ];
        var (allowed, logger) = (snapshot.Server.Drillable, parts.Logs.CreateLogger<DrillDesk>());
        var desk = new DrillDesk(serving, allowed, [.. disks.OfType<string>()], logger)
        {
            Expired = run => audit?.Administration(Caller.Local, "drill.expired", run.Order.Served, null, run.Id),
        };
        if (snapshot.Server.Drillable)
            recorder.Registry.Add(desk, desk.Counts.Of(() => desk.Running is not null));
        state.Own(desk);
        return desk;
    }
}
