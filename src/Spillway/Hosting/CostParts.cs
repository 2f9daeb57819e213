using Microsoft.Extensions.Logging;
using Spillway.Config;
using Spillway.Engine;
using Spillway.Engine.Billing;
using Spillway.Store.Ledger;

namespace Spillway.Hosting;

/// <summary>Prices, bills and the ledger of a server, put together.</summary>
internal static class CostParts
{
    /// <summary>
    /// Bills everything that has a price from now on; null where nothing is priced. Throws
    /// <see cref="SpillwayConfigurationException"/> when the ledger does not open.
    /// </summary>
    public static CostWatch? Open(Snapshot snapshot, ServerParts parts, Serving serving, Recorder recorder)
    {
        if (snapshot is not { Prices: { } options, PriceList: { } prices })
            return null;
        var (clock, logger) = (serving.Clock, parts.Logs.CreateLogger<CostWatch>());
        var ledger = snapshot.Ledger is { } kept
            ? OpenLedger(snapshot, kept, prices.Currency, parts, clock.Time, logger) : null;
        var costs = new Costs(prices, clock) { Ledger = ledger, Registry = recorder.Registry };
        (serving.Models.Costs, serving.Models.Stores.Ledger) = (costs, ledger);
        recorder.Sinks = [.. recorder.Sinks, costs];
        return CostWatch.Start(costs, options, recorder.Registry, clock.Time, logger);
    }

    private static SqliteLedger OpenLedger(
        Snapshot snapshot, LedgerOptions options, string currency, ServerParts parts, TimeProvider time, ILogger logger)
    {
        var folder = parts.State.Open(snapshot, "ledger");
        var opened = SqliteLedger.Open(
            folder, currency, options, time, trouble => CostWatch.LedgerChanged(logger, options.OnFailure, trouble));
        return opened.TryGet(out var ledger, out var fault) ? ledger : throw ServerState.Refused(snapshot, "ledger", fault);
    }
}
