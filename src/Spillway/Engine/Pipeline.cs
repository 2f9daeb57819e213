using System.Runtime.CompilerServices;
using Spillway.Engine.Audit;
using Spillway.Engine.Guards;
using Spillway.Engine.Routes;
using Spillway.Flow;
using Spillway.Policies.Batching;

namespace Spillway.Engine;

/// <summary>
/// The live interpreter of <see cref="RequestFlow"/>: the numbered steps of a request, with the awaits between them.
/// It decides nothing. This file is long because a request is read here from its gate to its answer.
/// </summary>
/// <param name="clock">The clock of every stamp.</param>
/// <param name="models">Where doors are looked up again, and absent models are loaded.</param>
/// <param name="guards">Kill switches, limits and budgets.</param>
public sealed class Pipeline(Clock clock, Residents models, Guarding guards)
{
    /// <summary>How long a request without a deadline of its own waits for its model.</summary>
    private static readonly TimeSpan s_loadPatience = TimeSpan.FromSeconds(60);

    private static readonly Fault s_broken = new(FaultKind.Internal, "An internal error; the server's log has the details.");
    private static readonly Fault s_left = new(FaultKind.Cancelled, "The caller went away before the answer was there.");

    /// <summary>Carries out routes. Set before serving.</summary>
    internal RouteRunner Routes { get; init; } = null!;

    /// <summary>Says when nothing may be answered because it could not be written down. Set before serving.</summary>
    internal AuditSink? Audit { get; set; }

    /// <summary>
    /// Runs a translated request to its end. Null when <see cref="Work.Answer"/> holds the answer; else the fault.
    /// The timeline's receive and parse stages are the caller's; on return everything up to the answer is marked.
    /// </summary>
    /// <param name="work">With its door and its inputs.</param>
    /// <param name="stopping">Whether the server takes no new work.</param>
    /// <param name="aborted">The caller is gone.</param>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<Fault?> RunAsync(Work work, bool stopping, CancellationToken aborted)
    {
        Effect effect;
        try
        {
            effect = Admit(work, stopping);
            while (effect.What is Do.Load or Do.Wait)
                effect = await WaitAsync(work, effect.What, stopping, aborted).ConfigureAwait(false);
        }
        catch when (work.Trail is not null)
        {
            // Others may wait for its answer.
            await Routes.GiveUpAsync(work, s_broken).ConfigureAwait(false);
            throw;
        }

        work.Timeline.Mark(Stage.Gate, clock.EndOf(Stage.Gate));
        work.Timeline.Mark(Stage.Cache, work.Timeline.Last);
        if (work.Door.Plan is not null)
            return await FollowAsync(work, effect, stopping, aborted).ConfigureAwait(false);
        if (effect.What is Do.Refuse)
            return effect.Fault;

        // From here on the deployment holds the work, and a run may outlive the caller.
        var deployment = work.Deployment!;
        var broken = Decode(work);
        if (work.Door.Decodes)
        {
            var admitted = work.Timeline.Last;
            work.Timeline.Mark(Stage.Parse, clock.EndOf(Stage.Parse));
            work.DecodeTime = work.Timeline.Last - admitted;
        }

        if (broken is null)
            deployment.Arrive(work);
        else
            deployment.Cancel(work, broken);

        var answer = work.Answer.WaitAsync();
        if (answer.IsCompleted)
            return RequestFlow.Ended(await answer ? null : work.Answer.Fault).Fault;
        // Only who must wait can leave. The registration ends before the work does, so it never meets another request.
        var leaving = aborted.UnsafeRegister(Leave, work);
        var answered = await answer.ConfigureAwait(false);
        await leaving.DisposeAsync().ConfigureAwait(false);
        return RequestFlow.Ended(answered ? null : work.Answer.Fault).Fault;
    }

    /// <summary>Waits for its model, or for its turn; then it begins again.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<Effect> WaitAsync(Work work, Do what, bool stopping, CancellationToken aborted)
    {
        var loads = what is Do.Load;
        var wait = loads ? LoadAsync(work, aborted) : guards.Desk!.WaitAsync(work, aborted);
        var gone = await wait.ConfigureAwait(false);
        // What stands behind models that did not come may answer.
        return gone is null || (loads && work.Trail is { IsAway: true })
            ? Admit(work, stopping) : new(Do.Refuse, gone);
    }

    /// <summary>A route's request, past the gate.</summary>
    private async ValueTask<Fault?> FollowAsync(Work work, Effect effect, bool stopping, CancellationToken aborted)
    {
        var fault = s_broken;
        try
        {
            return effect.What is Do.Refuse
                ? fault = await Routes.RefusedAsync(work, effect.Fault!, stopping, aborted).ConfigureAwait(false)
                : fault = await Routes.RunAsync(work, stopping, aborted).ConfigureAwait(false);
        }
        finally
        {
            await Routes.GiveUpAsync(work, fault ?? s_broken).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Waits until the model of the work's door is there, as long as its caller would; then the work has the door that
    /// leads to it. Null, or why it is not there. At once when somebody loaded it meanwhile. Of a route's models it
    /// waits for the first that comes; with something at hand behind them no longer than the route's own time.
    /// </summary>
    public async ValueTask<Fault?> LoadAsync(Work work, CancellationToken aborted)
    {
        if (RequestFlow.Gate(work.Door.Route, work.Caller, guards.Switches.Now, isAttempt: work.Whole is not null)
            is { } shut)
            return shut;
        var (most, isOwn) = PatienceOf(work);
        Fault? fault = null;
        // One that was loaded and went again before this request came to it leaves less.
        if (clock.Now >= work.Timeline.Started + most)
            fault = Refusals.LoadingTooLong(work.Door.Route, most);
        else if (Current(work.Door) is { Route.State: RouteState.Absent } absent)
        {
            fault = absent.Plan is { } plan
                ? await BringAsync(work, plan, most, aborted).ConfigureAwait(false)
                : await BringAsync(absent, work, most, aborted).ConfigureAwait(false);
        }

        // What is left of a route's own time is for the steps behind those whose models did not come.
        if (fault is null || !isOwn)
            work.LoadedAt = clock.Now;
        work.Timeline.Mark(Stage.Gate, clock.Now);
        if (fault is { Kind: FaultKind.ModelNotReady } && work.Trail is { } trail)
            trail.IsAway = true;
        return fault ?? Enter(work);
    }

    /// <summary>How long a request waits for a model; and whether that is its route's own time.</summary>
    private (TimeSpan Most, bool IsOwn) PatienceOf(Work work)
    {
        if (work.Request.Timeout is { } timeout)
            return (timeout < s_loadPatience ? timeout : s_loadPatience, false);
        // An attempt has its timeout, so this is a caller's request, measured where it has a trail.
        return work is { Trail: not null, Door.Plan: { } plan } && Routes.HasAtHand(work, plan)
            && RouteRunner.OwnTime(work, plan) is var own && own < s_loadPatience
                ? (own, true) : (s_loadPatience, false);
    }

    /// <summary>The models of a route, in the order of its steps, until one is there.</summary>
    private async ValueTask<Fault?> BringAsync(Work work, RoutePlan plan, TimeSpan most, CancellationToken aborted)
    {
        var fault = Refusals.Loading(work.Door.Route);
        work.NotLoaded?.Clear();
        foreach (var (step, model) in plan.Away())
        {
            if (await BringAsync(model, work, most, aborted).ConfigureAwait(false) is not { } gone)
                return null;
            fault = gone;
            // Of a route that is a step another model may come.
            if (plan.RouteOf(step) is null)
                (work.NotLoaded ??= []).Add((step, gone));
            if (!plan.Memory.MovesOn(step, gone.Kind, work.Timeline.Started + most - clock.Now))
                break;
        }

        return fault;
    }

    /// <summary>One model; null when it is there.</summary>
    private async ValueTask<Fault?> BringAsync(Door model, Work work, TimeSpan most, CancellationToken aborted)
    {
        var left = work.Timeline.Started + most - clock.Now;
        if (left <= TimeSpan.Zero)
            return Refusals.LoadingTooLong(model.Route, most);
        try
        {
            var fault = await models.WantAsync(model, left, aborted).ConfigureAwait(false);
            return fault is { Kind: FaultKind.LoadFailed }
                ? Refusals.Failed(model.Route with { Why = fault.Message }) : fault;
        }
        catch (TimeoutException)
        {
            return Refusals.LoadingTooLong(model.Route, most);
        }
        catch (OperationCanceledException)
        {
            return s_left;
        }
    }

    /// <summary>What its name leads to now; the side of a rollout that it asked for stays.</summary>
    private Door? Current(Door door)
    {
        var now = models.Catalogue.Find(door.Route.Model.Name, door.Route.Model.Version);
        return door.Plan?.Pinned is { } side ? now?.Plan?.PinnedTo(side) : now;
    }

    /// <summary>The door that its name has now, when the request fits it too.</summary>
    private Fault? Enter(Work work)
    {
        var before = work.Door;
        if (Current(before) is not { } door)
            return Refusals.Unloaded(before.Route);
        work.Door = door;
        if (before.Signature is null || door.Signature is null || ReferenceEquals(before.Signature, door.Signature))
            return null;
        return before.Signature.IsLike(door.Signature) && before.Decodes == door.Decodes
            ? null
            : Refusals.Replaced(before.Route);
    }

    private Effect Admit(Work work, bool stopping)
    {
        if ((models.Stores.Refusal ?? Audit?.Refusal) is { } untraced)
            return new(Do.Refuse, untraced);
        while (true)
        {
            var effect = work.Flow.Begin(
                work.Door.Route, stopping, work.Caller, guards.Switches.Now, isAttempt: work.Whole is not null);
            if (!GoesOn(effect, work.Door))
                return effect;
            if (!work.Door.Measure(work).TryGet(out var claim, out var fault))
                return new(Do.Refuse, fault);
            work.Claim = claim;
            if (work.Door.Plan is not null)
                return AdmitToRoute(work, effect);
            if (Guard(work) is { } held)
                return held;
            var placement = work.Door.Deployment!.Place(work);
            if (!placement.Closed)
                return work.Flow.Placed(placement);
            // Its door leads elsewhere since a moment ago; or nowhere, when the server ends.
            var closed = work.Door.Deployment;
            if (Enter(work) is { } gone)
                return new(Do.Refuse, gone);
            if (ReferenceEquals(work.Door.Deployment, closed))
                return new(Do.Refuse, Refusals.Closed(work.Door.Route));
        }
    }

    /// <summary>A route whose models are away may have something at hand.</summary>
    private static bool GoesOn(in Effect effect, Door door) =>
        effect.What is Do.Place || (effect.What is Do.Load && door.Route.IsRemembered);

    /// <summary>Steps 6 and 7 of a route's request; room is each attempt's own matter.</summary>
    private Effect AdmitToRoute(Work work, Effect effect)
    {
        if (work.Trail is null)
            Routes.LookUp(work);
        // What is remembered needs no model, and neither does what stands behind those that did not come.
        if (effect.What is Do.Load && work.Trail is { Cache.Answer: null, IsAway: false })
            return effect;
        return Guard(work) ?? new(Do.Place);
    }

    /// <summary>
    /// The kill switch, limits and budgets of one step whose model is elsewhere. Null when it may be asked.
    /// </summary>
    internal async ValueTask<Fault?> EnterStepAsync(Work attempt, CancellationToken aborted)
    {
        while (true)
        {
            var (route, off) = (attempt.Door.Route, guards.Switches.Now);
            if (RequestFlow.Gate(route, attempt.Caller, off, isAttempt: true) is { } shut)
                return shut;
            if (GuardStep(attempt) is not { } held)
                return null;
            if (held.What is Do.Refuse)
                return held.Fault;
            if (await guards.Desk!.WaitAsync(attempt, aborted).ConfigureAwait(false) is { } gone)
                return gone;
        }
    }

    /// <summary>
    /// A request that was refused for what its dearest step may cost: whether the steps from one on are within its
    /// budgets, which then hold its reservation.
    /// </summary>
    internal async ValueTask<bool> AffordsAsync(Work work, int from, CancellationToken aborted)
    {
        work.CostAtMost = work.Door.Plan!.CostAtMost(
            from, work.Claim.Rows, RunMax(work), clock.Time.GetUtcNow());
        if (RequestFlow.TooDear(work.CostAtMost, work.Request.CostMax) is not null)
            return false;
        while (guards.Desk is { } desk)
        {
            var (again, fault) = await desk.EnterAsync(work, aborted).ConfigureAwait(false);
            if (!again)
                return fault is null;
        }

        return true;
    }

    /// <summary>Steps 4 and 7 of what is limited; null when it may be placed.</summary>
    private Effect? Guard(Work work)
    {
        if (guards.FairShares)
        {
            var tenant = work.Caller.Tenant;
            work.Claim = work.Claim with { Tenant = tenant, Weight = guards.WeightOf(tenant) };
        }

        // An attempt is covered by what its request holds, but for what is said of its model.
        if (work.Whole is not null)
            return GuardStep(work);
        if (Bound(work) is { } dear)
            return new(Do.Refuse, dear);
        return guards.Desk is { } desk && RequestFlow.Guarded(desk.Enter(work)) is { What: not Do.Place } held
            ? held : null;
    }

    /// <summary>What limits and budgets say of one step's model; null when it may be asked.</summary>
    private Effect? GuardStep(Work attempt)
    {
        // A route's steps are asked one by one, and what nobody waits for is on nobody's account.
        if (guards.Desk is not { } desk || attempt.Door.Plan is not null || attempt.IsBeside)
            return null;
        attempt.CostAtMost = RoutePlan.CostOf(
            attempt.Door, attempt.Claim.Rows, RunMax(attempt), clock.Time.GetUtcNow());
        return RequestFlow.Guarded(desk.Enter(attempt)) is { What: not Do.Place } held ? held : null;
    }

    /// <summary>The time to its deadline, which bounds its run; a route's is that of all its steps.</summary>
    private static TimeSpan RunMax(Work work)
    {
        if (work.Door.Plan is { } plan)
            return work.Request.Timeout ?? RouteRunner.OwnTime(work, plan);
        if (work.Door.Upstream is not null && work.Request.Timeout is { } asked)
            return asked;
        var learned = work.Door.Deployment?.Predict(work.Claim.Rows, work.Claim.Elements) ?? TimeSpan.Zero;
        return DeadlineRule.Decide(work.Door.Deadlines, work.Request.Timeout, learned).Span;
    }

    /// <summary>The most that it can cost, where somebody limits that; a fault when its caller allows less.</summary>
    private Fault? Bound(Work work)
    {
        work.CostAtMost = default;
        if (work.Door.Route.Tariff is null || (guards.Desk is null && work.Request.CostMax is null)
            || work.Trail?.Cache.Answer is not null)
            return null;
        var (deadline, now) = (RunMax(work), clock.Time.GetUtcNow());
        work.CostAtMost = work.Door.Plan is { } plan
            ? plan.CostAtMost(work.Claim.Rows, deadline, now, work.Trail?.Version?.Door)
            : work.Flow.CostAtMost(work.Claim.Rows, deadline, now);
        return RequestFlow.TooDear(work.CostAtMost, work.Request.CostMax);
    }

    /// <summary>A surprise in it must not keep the room that was given.</summary>
    private static Fault? Decode(Work work)
    {
        try
        {
            return work.Door.Decode(work);
        }
#pragma warning disable CA1031 // Told to the log by the front, after the room is given back.
        catch (Exception)
#pragma warning restore CA1031
        {
            work.Deployment!.Cancel(work, s_broken);
            throw;
        }
    }

    private static void Leave(object? work)
    {
        var left = (Work)work!;
        left.Deployment!.Cancel(left, s_left);
    }
}
