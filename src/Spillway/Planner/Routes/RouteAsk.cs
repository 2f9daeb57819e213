namespace Spillway.Planner.Routes;

/// <summary>What a simulated request asks.</summary>
/// <param name="Question">Equal numbers are equal questions, byte for byte.</param>
internal sealed record RouteAsk(long Question)
{
    /// <summary>Its own patience; null for the route's.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>Rows that it brings.</summary>
    public int Rows { get; init; } = 1;

    /// <summary>Input elements of all rows.</summary>
    public long Elements { get; init; } = 1;

    /// <summary>Whose it is.</summary>
    public string Tenant { get; init; } = "";

    /// <summary>With which key it comes; for limits by key.</summary>
    public string Key { get; init; } = "";

    /// <summary>Rows as limits count them.</summary>
    public long Items { get; init; } = 1;

    /// <summary>Bytes of its inputs.</summary>
    public long Bytes { get; init; }

    /// <summary>Tokens that it brings.</summary>
    public long TokensRead { get; init; }

    /// <summary>Tokens that its answer has.</summary>
    public long TokensWritten { get; init; }

    /// <summary>Tokens that its answer could have: what limits take and budgets reserve at the gate.</summary>
    public long TokensWrittenMax { get; init; }

    /// <summary>How much it matters.</summary>
    public Criticality Criticality { get; init; } = Criticality.Critical;

    /// <summary>Whether it asks neither to read nor to write the cache.</summary>
    public bool PassesCache { get; init; }
}
