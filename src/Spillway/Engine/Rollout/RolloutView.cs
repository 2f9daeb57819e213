using Spillway.Policies.Rollout;

namespace Spillway.Engine.Rollout;

/// <summary>Where one request goes.</summary>
/// <param name="Seat">Its rollout, to be told how it ended.</param>
/// <param name="Version">The version that answers it.</param>
/// <param name="Decision">Which side that is, and why.</param>
/// <param name="CopyTo">The version that gets a copy of it; null for none.</param>
internal readonly record struct RolloutRoute(
    RolloutSeat Seat, string Version, RolloutDecision Decision, string? CopyTo);

/// <summary>What happened to a served name's rollouts once.</summary>
/// <param name="At">When.</param>
/// <param name="Who">Who did it.</param>
/// <param name="What">What.</param>
/// <param name="Why">Why.</param>
/// <param name="State">The state afterwards.</param>
internal sealed record RolloutEntry(
    DateTimeOffset At, string Who, RolloutEvent What, string Why, RolloutState State);

/// <summary>A rollout as a person looks at it.</summary>
/// <param name="State">Where it is.</param>
/// <param name="Percent">The challenger's share.</param>
internal sealed record RolloutView(RolloutState State, double Percent)
{
    /// <summary>Requests that the challenger ended in this step.</summary>
    public long StepRequests { get; init; }

    /// <summary>And those that it needs.</summary>
    public int StepRequestsMin { get; init; }

    /// <summary>Requests that the champion ended beside it, since the process began.</summary>
    public long ChampionRequests { get; init; }

    /// <summary>And failed.</summary>
    public long ChampionFailures { get; init; }

    /// <summary>Requests that the challenger ended, since the process began.</summary>
    public long ChallengerRequests { get; init; }

    /// <summary>And failed.</summary>
    public long ChallengerFailures { get; init; }

    /// <summary>How much slower the challenger is: 0.2 for 20 %.</summary>
    public double Slower { get; init; }

    /// <summary>Copies that were compared.</summary>
    public long CopiesCompared { get; init; }

    /// <summary>Copies that agreed.</summary>
    public long CopiesAgreed { get; init; }

    /// <summary>What each guard has seen.</summary>
    public IReadOnlyList<RolloutEvidence> Evidence { get; init; } = [];

    /// <summary>What happened to the name, the oldest first.</summary>
    public IReadOnlyList<RolloutEntry> History { get; init; } = [];
}

/// <summary>What a command came to.</summary>
/// <param name="Change">What it changed.</param>
/// <param name="NotKept">Why it would not survive a restart; null when it does.</param>
internal readonly record struct RolloutDone(RolloutChange Change, Fault? NotKept);
