namespace Spillway.Telemetry;

/// <summary>What a ledger is asked at each scrape.</summary>
internal sealed class LedgerGauges
{
    /// <summary>Entries that wait.</summary>
    public Func<double> Waiting { get; init; } = () => 0;

    /// <summary>Entries that may wait.</summary>
    public Func<double> Capacity { get; init; } = () => 0;

    /// <summary>Entries written.</summary>
    public Func<double> Written { get; init; } = () => 0;

    /// <summary>Entries that found no room.</summary>
    public Func<double> Lost { get; init; } = () => 0;

    /// <summary>Entries that the process before did not write.</summary>
    public Func<double> LostBefore { get; init; } = () => 0;

    /// <summary>Transactions that failed.</summary>
    public Func<double> Failures { get; init; } = () => 0;

    /// <summary>Time in transactions.</summary>
    public Func<double> WriteSeconds { get; init; } = () => 0;
}

/// <summary>The series of a ledger and of its thresholds. Registered only where there is one.</summary>
internal static class LedgerInstruments
{
    /// <summary>Of the ledger.</summary>
    public static IEnumerable<Series> Of(LedgerGauges ledger) =>
    [
        new(Instruments.LedgerQueue, new Gauge(ledger.Waiting), []),
        new(Instruments.LedgerQueueMax, new Gauge(ledger.Capacity), []),
        new(Instruments.LedgerWritten, new Gauge(ledger.Written), []),
        new(Instruments.LedgerLost, new Gauge(ledger.Lost), ["queue_full"]),
        new(Instruments.LedgerLost, new Gauge(ledger.LostBefore), ["ended"]),
        new(Instruments.LedgerFailures, new Gauge(ledger.Failures), []),
        new(Instruments.LedgerWriteTime, new Gauge(ledger.WriteSeconds), []),
    ];

    /// <summary>Of one threshold.</summary>
    /// <param name="alert">Its name.</param>
    /// <param name="window">"hour" or "day".</param>
    /// <param name="spent">Currency units of the present hour or day.</param>
    /// <param name="limit">The threshold in currency units.</param>
    public static IEnumerable<Series> Threshold(string alert, string window, Func<double> spent, Func<double> limit) =>
    [
        new(Instruments.CostSpent, new Gauge(spent), [alert, window]),
        new(Instruments.CostThreshold, new Gauge(limit), [alert, window]),
    ];
}
