using Spillway.Policies.Caching;

namespace Spillway.Planner.Routes;

/// <summary>How a simulated request ended.</summary>
/// <param name="Id">Its name.</param>
/// <param name="Came">When it came.</param>
/// <param name="Ended">When it was answered or refused.</param>
/// <param name="Deadline">When its answer was due.</param>
internal sealed record RouteAnswer(string Id, Instant Came, Instant Ended, Instant Deadline)
{
    /// <summary>Why it was not answered; null when it was.</summary>
    public Fault? Fault { get; init; }

    /// <summary>The step that it ended at; -1 for none.</summary>
    public int Step { get; init; }

    /// <summary>What the cache said.</summary>
    public CacheStep Cache { get; init; }

    /// <summary>Why.</summary>
    public CacheReason CacheReason { get; init; }

    /// <summary>It got another request's answer.</summary>
    public bool Joined { get; init; }

    /// <summary>The first step was passed over for its predicted wait.</summary>
    public bool Avoided { get; init; }

    /// <summary>What it holds of limits and budgets until it is settled; null without any.</summary>
    public GateVisit? Held { get; init; }

    /// <summary>The question.</summary>
    public required RouteAsk Asks { get; init; }

    /// <summary>The step whose model gave the answer; -1 where none did.</summary>
    public int Answerer { get; init; } = -1;

    /// <summary>Steps that failed it.</summary>
    public IReadOnlyList<(int Step, FaultKind Why)> Left { get; init; } = [];

    /// <summary>Answered in time, with whatever.</summary>
    public bool IsAnswered => Fault is null && Ended <= Deadline;

    /// <summary>Answered with less than the route promises first.</summary>
    public bool IsDegraded => Fault is null
        && (Step > 0 || (Cache is CacheStep.Stale && CacheReason is CacheReason.AfterError));
}
