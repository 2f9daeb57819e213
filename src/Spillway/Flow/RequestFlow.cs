using Spillway.Flow.Guards;
using Spillway.Policies.Switching;
using Spillway.Policies.Pricing;

namespace Spillway.Flow;

/// <summary>
/// The life of one request, pure: read it from top to bottom. The interpreters (Engine/Pipeline.cs live,
/// Planner/World.cs on virtual time) call the methods in order and carry out the effects; the awaits lie between the
/// calls. A field of the pooled request, one owner, no allocation but for faults.
/// <code>
/// Protocols    1 Translate   wire -> InferenceRequest
/// Protocols    2 Identify    key, token or certificate -> Caller; without keys who is on this machine
/// Engine       3 Snapshot    the Route is this request's world to the end
/// Flow         4 Gate        stopping? kill switch? rights? is the model there?   Gate, Begin; rates: GuardSet.Enter
/// Flow         5 Route       served name -> deployment                            Begin
/// Engine       6 Look up     a route's cache: hit, join, or miss                  RouteRunner.LookUp
/// Flow         7 Reserve     money -> ticket                                      GuardSet.Enter -> Guarded
///                            room, deadline, predicted wait                       DeploymentFlow.Place -> Placed
/// Flow         8 Attempt     one at a model; a route makes one a step             Placed; ChainPolicy
/// Engine       9 Run         decode -> batch -> replica -> deltas                 DeploymentFlow.Ready, Take, Observe
/// Protocols   10 Answer      deltas -> wire, or Fault -> status                   Ended
/// Flow        11 Settle      price what was delivered, settle the ticket          Settle, GuardSet.Settle
/// Telemetry   12 Record      stages, decisions, bill -> metrics, ring, ledger
/// </code>
/// </summary>
public struct RequestFlow
{
    private Route _route;
    private bool _settled;

    /// <summary>The first part of step 4, before a model is loaded for it: kill switch and rights.</summary>
    /// <param name="route">The served name's state.</param>
    /// <param name="caller">Who asks.</param>
    /// <param name="switches">What is off now.</param>
    /// <param name="isAttempt">For a step of a route: whether the caller may use the route was asked before.</param>
    public static Fault? Gate(Route route, Caller caller, Switches switches, bool isAttempt = false)
    {
        if (switches.Stops(caller.Tenant, route.IsChain ? "" : route.Deployment, route.Model.Name) is { } off)
            return GuardRefusals.Off(off);
        return isAttempt || caller.MayUse(route.Model.Name) ? null : GuardRefusals.NotYours(route.Model.Name);
    }

    /// <summary>Step 4, with the gate, to step 7.</summary>
    /// <param name="route">The served name's state, fixed for this request.</param>
    /// <param name="stopping">Whether the server takes no new work.</param>
    /// <param name="caller">Who asks.</param>
    /// <param name="switches">What is off now.</param>
    /// <param name="isAttempt">For a step of a route.</param>
    public Effect Begin(Route route, bool stopping, Caller caller, Switches switches, bool isAttempt = false)
    {
        var effect = Begin(route, stopping);
        return !stopping && Gate(route, caller, switches, isAttempt) is { } shut ? new(Do.Refuse, shut) : effect;
    }

    /// <summary>Steps 4 to 7: may it come in, and where does it go?</summary>
    /// <param name="route">The served name's state, fixed for this request.</param>
    /// <param name="stopping">Whether the server takes no new work.</param>
    public Effect Begin(Route route, bool stopping)
    {
        (_route, _settled) = (route, false);
        if (stopping)
            return new(Do.Refuse, Refusals.Stopping());
        // Which of its steps can answer is for them to say; a model that comes when it is asked for is waited for.
        if (route.IsRemembered && route.State is not RouteState.Absent)
            return new(Do.Place);
        return route.State switch
        {
            RouteState.Ready => new(Do.Place),
            RouteState.Loading => new(Do.Refuse, Refusals.Loading(route)),
            RouteState.Failed => new(Do.Refuse, Refusals.Failed(route)),
            RouteState.Absent => new(Do.Load),
            RouteState.Unloaded => new(Do.Refuse, Refusals.Unloaded(route)),
        };
    }

    /// <summary>
    /// Step 7: the most that it can cost, which is what is reserved; what cannot be counted is the most there is.
    /// </summary>
    /// <param name="rows">Rows that it brings.</param>
    /// <param name="runMax">The longest that its run may take: the time to its deadline.</param>
    /// <param name="now">For the day's price.</param>
    public readonly Money CostAtMost(long rows, TimeSpan runMax, DateTimeOffset now) =>
        _route.Tariff?.AtMost(rows, runMax, now) ?? Money.Zero;

    /// <summary>Step 7: whether the most that it can cost is within the caller's own limit; null when it is.</summary>
    public static Fault? TooDear(Money cost, Money? most) =>
        most is { } limit && cost.Nano > limit.Nano ? GuardRefusals.TooDear(cost, limit) : null;

    /// <summary>Limits and budgets have answered.</summary>
    public static Effect Guarded(in GuardAnswer answer) => answer.Says switch
    {
        GuardSays.Passed => answer.Wait > TimeSpan.Zero ? new(Do.Wait) : new(Do.Place),
        GuardSays.Refused => new(Do.Refuse, answer.Fault),
        GuardSays.Wait or GuardSays.Draw => new(Do.Wait),
    };

    /// <summary>Step 7 came back: a room in the queue, or a reason why not.</summary>
    public readonly Effect Placed(in Placement placement) =>
        placement.Refused is { } kind ? new(Do.Refuse, Refusals.Explain(_route, kind, placement)) : new(Do.Run);

    /// <summary>
    /// The attempt ended, well or badly. A fault that another attempt may mend would go back to step 8; none does yet.
    /// </summary>
    public static Effect Ended(Fault? fault) => new(Do.Answer, fault);

    /// <summary>A request dropped from the queue or out of patience in a run.</summary>
    public readonly Fault Dropped(FaultKind reason, in Placement placement) =>
        Refusals.Explain(_route, reason, placement);

    /// <summary>
    /// What an answer costs, as often as somebody asks: for its header before it is written, and for
    /// <see cref="Settle"/>.
    /// </summary>
    /// <param name="used">What ran for it.</param>
    /// <param name="share">Its share of the run that it was in.</param>
    public static Bill Price(Usage used, in RunShare share) => share.Price?.Price(used, share) ?? default;

    /// <summary>
    /// Step 11, exactly once on every path: what the delivered answer costs. A refused or failed request costs nothing;
    /// its share of a run is waste, which is on nobody's bill.
    /// </summary>
    /// <param name="used">What ran for it; nothing for a request without an answer.</param>
    /// <param name="share">Its share of the run that it was in.</param>
    public Bill Settle(Usage used, in RunShare share)
    {
        if (_settled)
            throw new InvalidOperationException("A request is settled once.");
        _settled = true;
        return Price(used, share);
    }
}
