namespace Spillway.Planner.Outcomes;

/// <summary>What a rule did to the requests of a simulated route.</summary>
/// <param name="Rule">Its name.</param>
/// <param name="IsBudget">A budget; else a rate limit.</param>
public sealed record GateCount(string Rule, bool IsBudget)
{
    /// <summary>Requests and steps that it turned away, answered by a later step or not.</summary>
    public long Refused { get; internal set; }

    /// <summary>Those that it let wait for their turn.</summary>
    public long Waited { get; internal set; }
}
