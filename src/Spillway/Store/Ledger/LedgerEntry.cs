namespace Spillway.Store.Ledger;

/// <summary>What an entry stands for. Numbers are what the file holds: never change one.</summary>
internal enum EntryKind : byte
{
    /// <summary>An answer that was delivered: a bill.</summary>
    Bill = 1,

    /// <summary>Work that ran for a request that got no answer: cancelled, expired, failed.</summary>
    Waste = 2,

    /// <summary>Hardware that stood by.</summary>
    Idle = 3,
}

/// <summary>One line of the ledger. A plain value: the request path copies it into the queue and goes on.</summary>
internal struct LedgerEntry
{
    public LedgerEntry()
    {
    }

    /// <summary>Its number, given by the queue.</summary>
    public long Sequence { get; set; }

    /// <summary>Wall-clock time, in milliseconds since 1970-01-01 UTC.</summary>
    public long UnixMs { get; set; }

    /// <summary>What it stands for.</summary>
    public EntryKind Kind { get; set; } = EntryKind.Bill;

    /// <summary>Who pays; empty for idle time.</summary>
    public string Tenant { get; set; } = "";

    /// <summary>The key's public part; empty without keys.</summary>
    public string Key { get; set; } = "";

    /// <summary>The served name that was asked for; empty for idle time.</summary>
    public string Route { get; set; } = "";

    /// <summary>The deployment that ran it, with its version.</summary>
    public string Model { get; set; } = "";

    /// <summary>The model's version.</summary>
    public string Version { get; set; } = "";

    /// <summary>Who answers for the route or the model; empty where nobody is declared.</summary>
    public string Owner { get; set; } = "";

    /// <summary>The hardware that was used or stood by; empty when none was.</summary>
    public string Hardware { get; set; } = "";

    /// <summary>What explain looks up; empty for idle time.</summary>
    public string RequestId { get; set; } = "";

    /// <summary>Rows that were answered, or ran in vain.</summary>
    public long Rows { get; set; }

    /// <summary>Its part of the run's time, in ticks of 100 ns.</summary>
    public long BusyTicks { get; set; }

    /// <summary>For the time of hardware.</summary>
    public Money Time { get; set; }

    /// <summary>For the run.</summary>
    public Money Run { get; set; }

    /// <summary>For its rows.</summary>
    public Money PerRow { get; set; }

    /// <summary>For the request itself.</summary>
    public Money Request { get; set; }

    /// <summary>For tokens.</summary>
    public Money Tokens { get; set; }

    /// <summary>Tokens that a language model used.</summary>
    public TokenUsage Used { get; set; }

    /// <summary>The lines added up.</summary>
    public readonly Money Total => Time + Run + PerRow + Request + Tokens;
}
