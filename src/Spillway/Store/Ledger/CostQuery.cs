namespace Spillway.Store.Ledger;

/// <summary>By what costs are added up.</summary>
internal enum CostGroup
{
    /// <summary>Who pays.</summary>
    Tenant,

    /// <summary>The deployment that ran.</summary>
    Model,

    /// <summary>Who answers for it.</summary>
    Owner,

    /// <summary>The served name that was asked for.</summary>
    Route,

    /// <summary>The key's public part.</summary>
    Key,

    /// <summary>The day, UTC.</summary>
    Day,
}

/// <summary>What is asked of the ledger: whole hours.</summary>
/// <param name="By">Groups.</param>
/// <param name="From">The first hour, rounded down.</param>
/// <param name="To">The hour at which it ends, rounded up.</param>
internal readonly record struct CostQuery(CostGroup By, DateTimeOffset From, DateTimeOffset To)
{
    /// <summary>Only this tenant; empty for all.</summary>
    public string Tenant { get; init; } = "";

    /// <summary>Only this model; empty for all.</summary>
    public string Model { get; init; } = "";

    /// <summary>Only this owner; empty for all.</summary>
    public string Owner { get; init; } = "";
}

/// <summary>Sums of one group.</summary>
/// <param name="Name">Of the group; empty for what belongs to none.</param>
internal sealed record CostSums(string Name)
{
    /// <summary>Answers that were delivered.</summary>
    public long Answers { get; set; }

    /// <summary>Their rows.</summary>
    public long Rows { get; set; }

    /// <summary>Tokens of their prompts, where language models answered.</summary>
    public long InputTokens { get; set; }

    /// <summary>Tokens of their answers.</summary>
    public long OutputTokens { get; set; }

    /// <summary>Requests whose work ran in vain.</summary>
    public long Wasted { get; set; }

    /// <summary>Run time of both, in ticks of 100 ns.</summary>
    public long BusyTicks { get; set; }

    /// <summary>Sum of the bills.</summary>
    public Money Billed { get; set; }

    /// <summary>Of which for the time of hardware.</summary>
    public Money BilledTime { get; set; }

    /// <summary>What ran in vain.</summary>
    public Money Waste { get; set; }

    /// <summary>Of which for the time of hardware.</summary>
    public Money WasteTime { get; set; }

    /// <summary>Hardware that stood by.</summary>
    public Money Idle { get; set; }

    /// <summary>Everything.</summary>
    public Money Total => Billed + Waste + Idle;
}

/// <summary>One hardware: all of its models together, and each.</summary>
/// <param name="Name">The device, or "model:…" for hardware of one model.</param>
/// <param name="All">Everything on it.</param>
/// <param name="Models">Each model on it.</param>
/// <param name="PeakBusyShare">Busy share of its busiest hour, 0 to 1.</param>
internal sealed record HardwareCosts(
    string Name, CostSums All, IReadOnlyList<CostSums> Models, double PeakBusyShare);

/// <summary>What things cost.</summary>
internal sealed record CostReport
{
    /// <summary>The groups, dearest first; days in order.</summary>
    public required IReadOnlyList<CostSums> Groups { get; init; }

    /// <summary>Groups beyond the limit, which are added up in "(others)".</summary>
    public int GroupsOmitted { get; init; }

    /// <summary>Everything added up.</summary>
    public required CostSums Total { get; init; }

    /// <summary>Hardware, busy and idle.</summary>
    public required IReadOnlyList<HardwareCosts> Hardware { get; init; }

    /// <summary>What is missing in these sums, over all time: handed over and never written.</summary>
    public LedgerLoss Missing { get; init; }
}
