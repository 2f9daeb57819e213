using Spillway.Engine.Rollout;
using Spillway.Policies.Caching;
using Spillway.Policies.Rollout;

namespace Spillway.Engine.Routes;

/// <summary>
/// How one request went through a route: what its cache said, which steps it left and why, where it ended.
/// </summary>
internal sealed class RouteTrail
{
    /// <summary>Steps that are told of; a chain has no more.</summary>
    private readonly List<(int Step, FaultKind Why)> _left = [];

    /// <summary>Sentences of a request that waits long for targets that are left alone.</summary>
    private const int NotesMax = 17;

    private int _untold;

    /// <summary>Whether the route has a cache.</summary>
    public bool HasCache { get; init; }

    /// <summary>What it decided; Bypass where there is none.</summary>
    public CacheDecision Cache { get; set; }

    /// <summary>Its side in a rollout of the route; null without one.</summary>
    public RolloutRoute? Rollout { get; set; }

    /// <summary>What stands in the first step's place for it; null for what is declared.</summary>
    public RouteVersion? Version { get; set; }

    /// <summary>Whether it is the challenger's.</summary>
    public bool IsChallenger => Rollout is { Decision.Side: RolloutSide.Challenger };

    /// <summary>It waited for another request that asked the same, and was given its answer.</summary>
    public bool Joined { get; set; }

    /// <summary>The caller gave no deadline: it has the route's.</summary>
    public bool OwnDeadline { get; set; }

    /// <summary>Models that it waited for at the gate did not come: its steps say what follows.</summary>
    public bool IsAway { get; set; }

    /// <summary>The step that it is at; -1 before the first.</summary>
    public int Step { get; set; } = -1;

    /// <summary>The first step was passed over because of its predicted wait, which was that long.</summary>
    public TimeSpan? Avoided { get; set; }

    /// <summary>The wait that its class might have had there.</summary>
    public TimeSpan AvoidedBound { get; set; }

    /// <summary>Steps that failed it, in order, with the kind of fault.</summary>
    public IReadOnlyList<(int Step, FaultKind Why)> Left => _left;

    /// <summary>What its upstreams did, as sentences in order; empty where none was asked.</summary>
    public List<string> Notes { get; } = [];

    /// <summary>An upstream was asked.</summary>
    /// <param name="what">Which, and how it went.</param>
    /// <param name="then">What follows; empty for nothing.</param>
    public void Say(string what, string then)
    {
        if (Notes.Count < NotesMax)
            Notes.Add(then.Length > 0 ? $"{what}; {then}." : $"{what}.");
        else
            Notes[^1] = $"And {++_untold} more.";
    }

    /// <summary>How it went through the route that is its step; null for a step of another kind.</summary>
    public RouteTrail? Inner { get; set; }

    /// <summary>How old the answer is: of its own cache, or of that of a route that is its step.</summary>
    public TimeSpan Age => Cache.Answer is not null ? Cache.Age : InnerAge;

    /// <summary>How old the answer was when its step gave it.</summary>
    public TimeSpan InnerAge => Inner?.Age ?? TimeSpan.Zero;

    /// <summary>Whether the answer was remembered, here or by a route that is its step.</summary>
    public bool IsOld => Cache.Answer is not null || Inner is { IsOld: true };

    /// <summary>What ran for it in vain, at every step; nothing where nothing has a price.</summary>
    public Money Wasted { get; set; }

    /// <summary>The upstream that answered said that its answer is not what it promises first.</summary>
    public bool UpstreamDegraded { get; set; }

    /// <summary>What answered is not what the route promises first.</summary>
    public bool IsDegraded => Step > 0 || UpstreamDegraded
        || Cache is { Step: CacheStep.Stale, Reason: CacheReason.AfterError };

    /// <summary>The step that it ended at, as people read it; with that of a route that is a step behind a slash.
    /// </summary>
    public string NameOf(RoutePlan plan)
    {
        var name = (Version?.Names ?? plan.Names)[Step];
        return Inner is { Step: >= 0 } inner && plan.DoorOf(Step)?.Plan is { } route
            ? $"{name}/{inner.NameOf(route)}" : name;
    }

    /// <summary>A step failed it.</summary>
    public void Leave(int step, FaultKind why) => _left.Add((step, why));
}
