using Spillway.Policies.Caching;
using Spillway.Policies.Chains;
using Spillway.Policies.Rollout;

namespace Spillway.Config;

/// <summary>One served name with what stands before and behind its model.</summary>
public sealed record RouteOptions
{
    /// <summary>Who answers for it; empty for the owner of the first step's model.</summary>
    [Option("Who answers for the route: a team or an address. Empty: the owner of the first step's model.")]
    public string Owner { get; init; } = "";

    /// <summary>What answers.</summary>
    [Option("What answers: steps in order. The first is the full answer; the next is taken when it fails as declared.")]
    public ChainOptions Chain { get; init; } = new();

    /// <summary>Remembered answers.</summary>
    [Option("Remembered answers, given again to requests whose every input byte is the same.")]
    public CacheOptions Cache { get; init; } = new();

    /// <summary>How another model takes over; null where none does.</summary>
    [Option("How another model takes the place of the first step's: in steps, watched, and stopped when it is worse. "
        + "Its presence allows it; `spillway rollout start` begins.")]
    public RolloutOptions? Rollout { get; init; }

    /// <summary>Tokens and promises, where its steps are language models.</summary>
    [Option("With steps that speak OpenAI's protocol: how long answers may be, and how fast they are promised.")]
    public ChatOptions Chat { get; init; } = new();

    /// <summary>The default deadline of the whole chain.</summary>
    [Option("The time that all steps have together when the caller does not say. 0: what the first step's model gives.",
        Unit = "ms", Min = 0, Max = 3_600_000)]
    public double DeadlineMs { get; init; }
}
