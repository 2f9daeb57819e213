using Microsoft.Extensions.Logging.Abstractions;
using Spillway.Config;
using Spillway.Store;
using Spillway.Store.Audit;

namespace Spillway.Hosting;

/// <summary>
/// The audit log of a server that is stopped. Each call takes the state folder for its time, so none meets a running
/// server, and writes down what it did.
/// </summary>
public static class OfflineAudit
{
    /// <summary>
    /// Deletes the encrypted inputs that are older than audit.payloadDays, as a running server does each hour; the log
    /// says that somebody had it done, and what is gone. A fault when a server runs, when there is no log, or when it
    /// cannot be continued.
    /// </summary>
    /// <param name="snapshot">The configuration of the stopped server.</param>
    /// <param name="variables">Environment variables, for keys.</param>
    /// <param name="time">The clock that says how old inputs are.</param>
    /// <returns>The names of the files that were deleted.</returns>
    public static async Task<Outcome<string[]>> RetainAsync(
        Snapshot snapshot, IReadOnlyDictionary<string, string> variables, TimeProvider time)
    {
        if (snapshot.Audit is not { } options)
            return new Fault(FaultKind.Unsupported, "This configuration keeps no audit log: it has no section audit.");
        var place = AuditFolder.At(snapshot.StateFolder);
        if (!place.Exists)
        {
            return new Fault(FaultKind.StoreFailed,
                $"{snapshot.StateFolder} holds no audit log yet: nothing is kept, and nothing was deleted.");
        }

        if (!StateFolder.Open(snapshot.StateFolder).TryGet(out var folder, out var fault))
            return fault;
        using (folder)
        {
            if (!AuditLog.Open(folder, options, variables, "beside a stopped server", time, NullLogger.Instance,
                "retention.started").TryGet(out var log, out fault))
                return fault;
            await using (log.ConfigureAwait(false))
            {
                log.Administration(Caller.Local, "audit.retain", "payloads");
                log.Retain();
            }

            return log.Failure is { } failed ? failed : log.Deleted.ToArray();
        }
    }
}
