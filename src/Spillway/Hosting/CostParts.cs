using Microsoft.Extensions.Logging;
using Spillway.Config;
using Spillway.Engine;
using Spillway.Engine.Billing;
using Spillway.Store;
using Spillway.Store.Ledger;

namespace Spillway.Hosting;

/// <summary>Prices, bills and the ledger of a server, put together.</summary>
internal static class CostParts
{
    /// <summary>
    /// Bills everything that has a price from now on; null where nothing is priced. Throws
    /// <see cref="SpillwayStartException"/> when the ledger does not open.
    /// </summary>
    public static CostWatch? Open(
        Snapshot snapshot, ServerParts parts, ServerState state, Serving serving, Recorder recorder)
    {
        if (snapshot is not { Prices: { } options, PriceList: { } prices })
            return null;
        var (clock, logger) = (serving.Clock, parts.Logs.CreateLogger<CostWatch>());
        var ledger = snapshot.Ledger is { } kept
            ? OpenLedger(state.Folder, kept, prices.Currency, clock.Time, logger) : null;
        var costs = new Costs(prices, clock) { Ledger = ledger, Registry = recorder.Registry };
        (serving.Models.Costs, serving.Models.Stores.Ledger) = (costs, ledger);
        recorder.Sinks = [.. recorder.Sinks, costs];
        var watch = CostWatch.Start(costs, options, recorder.Registry, clock.Time, logger);
        state.Own(watch);
        return watch;
    }

    private static SqliteLedger OpenLedger(
        StateFolder folder, LedgerOptions options, string currency, TimeProvider time, ILogger logger)
    {
        var opened = SqliteLedger.Open(
            folder, currency, options, time, trouble => CostWatch.LedgerChanged(logger, options.OnFailure, trouble));
        return opened.TryGet(out var ledger, out var fault) ? ledger : throw new SpillwayStartException(
            $"{fault.Message} The server does not start without its ledger: mend it, or remove the section ledger.");
    }
}
