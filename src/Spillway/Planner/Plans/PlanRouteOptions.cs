using Spillway.Config;
using Spillway.Policies.Breaking;
using Spillway.Policies.Budgets;
using Spillway.Policies.Caching;
using Spillway.Policies.Chains;
using Spillway.Policies.Concurrency;
using Spillway.Policies.Rates;
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

    /// <summary>Rate limits.</summary>
    [Option("Rate limits at the gate of each site that has the route: the very options of limits.rates of the server. "
        + "A site counts by itself, as a server does.")]
    public PlanLimitsOptions Limits { get; init; } = new();

    /// <summary>Budgets.</summary>
    [Option("Budgets of money for what is paid to upstreams, at each site that has the route: the very options of "
        + "budgets of the server. Windows by the calendar begin with the simulated time, which is the first of a month "
        + "that begins with a Monday, plus startDay and startHour.")]
    public IReadOnlyDictionary<string, BudgetOptions> Budgets { get; init; } = new Dictionary<string, BudgetOptions>();

    /// <summary>The deadline of the whole chain.</summary>
    [Option("The time that all steps have together until an answer begins, where the workload's deadlineMs is not "
        + "shorter.", Unit = "ms", Min = 1, Max = 3_600_000, Source = "the longest that a person waits without a sign")]
    public double DeadlineMs { get; init; } = 10_000;
}

/// <summary>Rate limits of a plan's route.</summary>
public sealed record PlanLimitsOptions
{
    /// <summary>Rate limits by name.</summary>
    [Option("Rate limits by name; a request must pass every one that counts it.")]
    public IReadOnlyDictionary<string, RateOptions> Rates { get; init; } = new Dictionary<string, RateOptions>();

    /// <summary>Weight of each tenant.</summary>
    [Option("Weights of tenants where a limit has fairShares, relative to each other.", Min = 0.01, Max = 1000,
        Source = "1 for each tenant not named")]
    public IReadOnlyDictionary<string, double> Weights { get; init; } = new Dictionary<string, double>();
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

    /// <summary>Second copies.</summary>
    [Option("Second copies of slow requests at another of the servers. What a copy was sent that nobody takes costs "
        + "its tokens read.")]
    public HedgeOptions Hedge { get; init; } = new();

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
        Concurrency = Concurrency, Queue = Queue, Balancing = Balancing, Hedge = Hedge,
    };
}
