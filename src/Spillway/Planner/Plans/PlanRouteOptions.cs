using Spillway.Config;
using Spillway.Policies.Breaking;
using Spillway.Policies.Caching;
using Spillway.Policies.Chains;
using Spillway.Policies.Concurrency;
using Spillway.Policies.Retry;
using Spillway.Policies.Routing;

namespace Spillway.Planner.Plans;

/// <summary>A route of this server before somebody else's, as a plan has it.</summary>
public sealed record PlanRouteOptions
{
    /// <summary>What answers.</summary>
    [Option("What answers: steps in order. A model is a variant of this plan with upstream; without steps it is the "
        + "variant itself.")]
    public ChainOptions Chain { get; init; } = new();

    /// <summary>Remembered answers.</summary>
    [Option("Remembered answers, with their lifetime, and with one request that asks for all that ask the same. Only "
        + "requests with keys repeat.")]
    public CacheOptions Cache { get; init; } = new();

    /// <summary>The deadline of the whole chain.</summary>
    [Option("The time that all steps have together until an answer begins, where the workload's deadlineMs is not "
        + "shorter.", Unit = "ms", Min = 1, Max = 3_600_000, Source = "the longest that a person waits without a sign")]
    public double DeadlineMs { get; init; } = 10_000;
}

/// <summary>How this server deals with somebody else's: the very options of an upstream.</summary>
public sealed record UpstreamPolicyOptions
{
    /// <summary>Time to the first byte of an answer.</summary>
    [Option("How long the beginning of an answer may take.", Unit = "ms", Min = 1, Max = 3_600_000,
        Source = "as upstreams.….firstDeltaMs of the server")]
    public double FirstDeltaMs { get; init; } = 10_000;

    /// <summary>Second attempts.</summary>
    [Option("How often, how soon and how much is tried again.")]
    public RetryOptions Retry { get; init; } = new();

    /// <summary>When a target is left alone.</summary>
    [Option("When a target is left alone, and for how long.")]
    public BreakerOptions Breaker { get; init; } = new();

    /// <summary>Requests at once at a target.</summary>
    [Option("How many requests each target has at once.")]
    public AdaptiveLimitOptions Concurrency { get; init; } = new();

    /// <summary>Waiting for a target with room.</summary>
    [Option("How requests wait when every target has as many as it may have.")]
    public UpstreamLineOptions Queue { get; init; } = new();

    /// <summary>Which target.</summary>
    [Option("How requests are spread over the targets.")]
    public BalancerOptions Balancing { get; init; } = new();

    /// <summary>As the server has them.</summary>
    internal UpstreamOptions Whole => new()
    {
        FirstDeltaMs = FirstDeltaMs, TotalMs = Math.Max(FirstDeltaMs, 60_000), Retry = Retry, Breaker = Breaker,
        Concurrency = Concurrency, Queue = Queue, Balancing = Balancing,
    };
}
