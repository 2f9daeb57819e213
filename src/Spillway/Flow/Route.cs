using Spillway.Policies.Pricing;

namespace Spillway.Flow;

/// <summary>Whether a served name can answer.</summary>
public enum RouteState
{
    /// <summary>Being loaded.</summary>
    Loading,

    /// <summary>Answers.</summary>
    Ready,

    /// <summary>Its load failed; <see cref="Route.Why"/> says how.</summary>
    Failed,

    /// <summary>In the repository, and loaded when somebody asks for it.</summary>
    Absent,

    /// <summary>In the repository, and not loaded.</summary>
    Unloaded,
}

/// <summary>
/// A served name as a request meets it: immutable, so that a request sees one state of it to the end.
/// </summary>
/// <param name="Model">Name and version.</param>
/// <param name="Deployment">The deployment that serves it, for messages and metrics.</param>
/// <param name="State">Whether it can answer.</param>
/// <param name="Why">The reason of a failed load; empty otherwise.</param>
/// <param name="QueueLengthMax">Of the deployment, for messages.</param>
/// <param name="PricePerRun">Price of a run, shared by the requests in it by rows.</param>
/// <param name="PricePerRow">Price of each row.</param>
public sealed record Route(
    ModelRef Model, string Deployment, RouteState State, string Why, int QueueLengthMax,
    Money PricePerRun = default, Money PricePerRow = default)
{
    /// <summary>
    /// Whether it is a chain of steps over models: switching one of those off is that step's matter.
    /// </summary>
    public bool IsChain { get; init; }

    /// <summary>
    /// Whether what it takes and gives is known though none of its models is there: its cache, and what is at hand, may
    /// answer all the same.
    /// </summary>
    public bool IsRemembered { get; init; }

    /// <summary>
    /// Whether limits and budgets that say something of models are asked at each of its steps, and not at its gate.
    /// </summary>
    public bool CountsSteps { get; init; }

    /// <summary>What its work costs; null where nothing has a price.</summary>
    public Tariff? Tariff { get; init; }
}
