namespace Spillway.Store.Ledger;

/// <summary>What happens to requests while the ledger cannot be written.</summary>
public enum LedgerFailure
{
    /// <summary>New requests are answered; what the queue cannot hold is lost, and counted.</summary>
    Serve,

    /// <summary>New requests are refused until it can be written again.</summary>
    Refuse,
}

/// <summary>
/// Durable bills, in server.stateFolder. Off unless the section is there; needs prices. Bounded in memory by
/// <see cref="QueueLengthMax"/> and on disk by <see cref="EntriesMax"/> and <see cref="HoursMax"/>.
/// </summary>
public sealed record LedgerOptions
{
    /// <summary>What happens while it cannot be written.</summary>
    [Option("What happens while the ledger cannot be written, as on a full disk: serve (answer, count what is lost) or "
        + "refuse (new requests get 503 until it can be written again).", Source = "serving matters more to most")]
    public LedgerFailure OnFailure { get; init; } = LedgerFailure.Serve;

    /// <summary>Longest time between an entry and its transaction.</summary>
    [Option("Entries are written together after this time at the latest. It is what an ended process may lose; the "
        + "next start counts it.", Unit = "ms", Min = 10, Max = 60_000,
        Source = "0.1 s of work; ten transactions a second cost next to nothing")]
    public double FlushMs { get; init; } = 100;

    /// <summary>Entries that wait to be written.</summary>
    [Option("Entries that may wait to be written; one more is lost and counted, or refused before.",
        Unit = "entries", Min = 1024, Max = 4_194_304, Source = "three seconds at 20,000 requests a second, 12 MB")]
    public int QueueLengthMax { get; init; } = 65_536;

    /// <summary>Entries kept one by one.</summary>
    [Option("The newest entries that are kept one by one; older ones are kept as sums of their hour.",
        Unit = "entries", Min = 1000, Max = 1_000_000_000, Source = "about 120 MB")]
    public int EntriesMax { get; init; } = 1_000_000;

    /// <summary>Hours whose sums are kept.</summary>
    [Option("The newest hours with costs whose sums are kept.",
        Unit = "hours", Min = 48, Max = 876_000, Source = "13 months, so that a month can be held against last year's")]
    public int HoursMax { get; init; } = 9_600;
}
