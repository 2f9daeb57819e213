namespace Spillway.Store.Ledger;

/// <summary>The durable bills of a server. Thread-safe; nobody who hands over an entry waits.</summary>
internal interface ILedger : IAsyncDisposable
{
    /// <summary>
    /// Why new requests are refused: the store fails or does not keep up, and refusing was declared. Null otherwise.
    /// One volatile read.
    /// </summary>
    Fault? Refusal { get; }

    /// <summary>What an earlier process handed over and never wrote.</summary>
    LedgerLoss LostBefore { get; }

    /// <summary>Copies an entry into the queue; false when there was no room, which is counted. 0 B.</summary>
    bool Offer(in LedgerEntry entry);

    /// <summary>Completes when everything handed over before was written, or failed to be.</summary>
    Task FlushAsync();

    /// <summary>What things cost, from what is written. Takes milliseconds; not for the request path.</summary>
    Outcome<CostReport> Read(in CostQuery query);

    /// <summary>A look at queue and writer.</summary>
    LedgerState Look();

    /// <summary>Writes what waits and ends the writer. After the last request.</summary>
    Task StopAsync();
}

/// <summary>How a ledger fares.</summary>
/// <param name="Waiting">Entries in the queue.</param>
/// <param name="Capacity">Its limit.</param>
/// <param name="Deepest">The most that ever waited.</param>
/// <param name="Written">Entries written since the start.</param>
/// <param name="Lost">Entries that found no room since the start.</param>
/// <param name="Failures">Transactions that failed.</param>
/// <param name="WriteTime">Time spent in transactions.</param>
/// <param name="Trouble">Why writing fails now; null when it does not.</param>
internal readonly record struct LedgerState(
    int Waiting, int Capacity, int Deepest, long Written, long Lost, long Failures, TimeSpan WriteTime, Fault? Trouble);
