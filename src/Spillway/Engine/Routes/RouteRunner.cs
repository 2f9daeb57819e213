using System.Runtime.CompilerServices;
using Spillway.Engine.Caching;
using Spillway.Engine.Upstreams;
using Spillway.Policies.Batching;
using Spillway.Policies.Caching;
using Spillway.Policies.Chains;

namespace Spillway.Engine.Routes;

/// <summary>
/// Carries out what a route declares, for a request that passed the gate: its cache, and its steps one after the other
/// until one of them answers. Each step that asks a model is an attempt: a work of its own over the same inputs, with
/// the time that is left. It decides nothing. This file is long because the life of a request behind a route is told in
/// it from the cache to the last step.
/// </summary>
/// <param name="serving">Where works come from.</param>
internal sealed class RouteRunner(Serving serving)
{
    private readonly RouteSides _sides = new(serving);

    /// <summary>
    /// What the cache of the request's route says; before limits and budgets, for a hit costs nothing.
    /// </summary>
    public void LookUp(Work work)
    {
        var (plan, clock) = (work.Door.Plan!, serving.Clock);
        work.Timeline.Mark(Stage.Gate, clock.EndOf(Stage.Gate));
        work.Trail = new() { HasCache = plan.Cache is not null };
        _sides.Choose(work, plan);
        if (plan.Cache is { } cache)
            work.Trail.Cache = cache.LookUp(RequestOf(work, plan), clock.Now);
        work.Timeline.Mark(Stage.Cache, clock.EndOf(Stage.Cache));
    }

    /// <summary>Ends what the cache expects of a request that gets no further: it is refused, or breaks.</summary>
    public async ValueTask GiveUpAsync(Work work, Fault fault)
    {
        if (work.Trail is { Cache.Waiter: not null } trail)
        {
            var outcome = await AnswerCache.AwaitAsync(trail.Cache, serving.Clock.Now, new(canceled: true))
                .ConfigureAwait(false);
            trail.Cache = trail.Cache with { Waiter = null, Lead = outcome.Lead };
        }

        Forgo(work, fault);
    }

    /// <summary>
    /// A limit or a budget refused it at the gate. Where the first step declares that this moves on, a later one
    /// answers: what is at hand (a remembered answer, a message) costs nothing, and after a budget's refusal a step
    /// may be cheap enough. Null when its outputs are there.
    /// </summary>
    public async ValueTask<Fault?> RefusedAsync(Work work, Fault fault, bool stopping, CancellationToken aborted)
    {
        if (fault.Kind is not (FaultKind.RateLimited or FaultKind.BudgetExhausted) || work.Trail is null)
            return fault;
        var plan = work.Door.Plan!;
        SetDeadline(work, plan);
        var left = DeadlineOf(work) - serving.Clock.Now;
        if (!plan.Memory.MovesOn(0, fault.Kind, left))
            return fault;
        // It waits for nobody and gives nobody an answer from here on.
        await GiveUpAsync(work, fault).ConfigureAwait(false);
        work.Trail.Leave(0, fault.Kind);
        for (var step = 1; step < plan.Count; step++)
        {
            if (plan.Memory[step].Kind is ChainStepKind.Model)
            {
                // A rate counts requests, whatever answers them; with money left for this step it goes on from here.
                if (fault.Kind is FaultKind.BudgetExhausted
                    && await serving.Pipeline.AffordsAsync(work, step, aborted).ConfigureAwait(false))
                    return await ClimbAsync(work, plan, new(step, ChainReason.Fault, 0, fault.Kind), fault, stopping,
                        aborted).ConfigureAwait(false);
                continue;
            }

            if (await StepAsync(work, plan, step, stopping, aborted).ConfigureAwait(false) is not null)
                continue;
            work.Trail.Step = step;
            plan.Memory.Counts.AnsweredBy(step).Add();
            return null;
        }

        return fault;
    }

    /// <summary>Answers it. Null when its outputs are there, else the fault of the last step.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<Fault?> RunAsync(Work work, bool stopping, CancellationToken aborted)
    {
        var (plan, trail) = (work.Door.Plan!, work.Trail!);
        SetDeadline(work, plan);
        if (trail.Cache.Answer is { } known)
        {
            if (trail.Cache.Lead is { } lead)
            {
                trail.Cache = trail.Cache with { Lead = null };
                _ = serving.WatchAsync(plan.Name, RevalidateAsync(work, plan, lead, stopping));
            }

            return Answer(work, known);
        }

        Fault? shared = null;
        if (trail.Cache.Waiter is not null)
        {
            var outcome = await AnswerCache.AwaitAsync(trail.Cache, DeadlineOf(work), aborted).ConfigureAwait(false);
            // It was read, and waits for somebody else a moment later.
            trail.Cache = trail.Cache with { Waiter = null, Lead = outcome.Lead };
            work.Timeline.Mark(Stage.Cache, serving.Clock.EndOf(Stage.Cache));
            trail.Joined = outcome.Answer is not null;
            if (outcome.Answer is { } answer)
                return Answer(work, answer);
            shared = outcome.Fault;
        }

        var move = shared is null ? Start(work, plan) : Leave(work, plan, 0, shared, aborted);
        var fault = await ClimbAsync(work, plan, move, shared, stopping, aborted).ConfigureAwait(false);
        if (trail.Cache.Lead is { } mine && fault is null && !trail.IsDegraded)
        {
            // An answer that a step remembered is as old here as it is there.
            plan.Cache!.Store(mine, work.Outputs, serving.Clock.Now - trail.InnerAge, work.Origin);
            trail.Cache = trail.Cache with { Lead = null };
        }

        return fault;
    }

    /// <summary>
    /// Asks the first step's model beside, for those that come later: an old answer was good enough for this request.
    /// It counts as in flight, so a stop waits for it, and it holds the memory of the request that it was made of.
    /// </summary>
    private async Task RevalidateAsync(Work work, RoutePlan plan, CacheLead lead, bool stopping)
    {
        var (cache, attempt) = (plan.Cache!, serving.Rent(serving.Clock.Now));
        Fault? fault = s_degraded;
        try
        {
            // Only the first step's answer is a full one.
            if (RouteSides.DoorOf(work, plan) is not { } door)
                return;
            attempt.Begin(work, door);
            attempt.IsBeside = true;
            // Whoever is in a hurry got its answer; those who come later wait as long as the route lets them.
            attempt.Request.Timeout = serving.Clock.Now - work.Timeline.Started + OwnTime(work, plan);
            await Task.Yield();
            fault = serving.Drills.OfStep(plan.Name, 0)
                ?? await AskAsync(attempt, plan, 0, stopping, CancellationToken.None).ConfigureAwait(false)
                ?? plan.Judge(attempt, 0)
                ?? (attempt.CameDegraded || attempt.Trail is { IsDegraded: true } ? s_degraded : null);
            if (fault is null)
            {
                cache.Store(
                    lead, attempt.Outputs, serving.Clock.Now - (attempt.Trail?.Age ?? TimeSpan.Zero),
                    attempt.Origin ?? attempt.Door.Origin);
            }
        }
        finally
        {
            if (fault is not null)
                cache.Fail(lead, fault, serving.Clock.Now);
            RouteWaste.Settle(serving, attempt, answered: false);
            serving.Return(attempt);
        }
    }

    /// <summary>
    /// One step after the other, in the order of the chain; from a later one on where another request that asked the
    /// same got no answer of the first step, or a budget allows no dearer one.
    /// </summary>
    /// <param name="work">The request.</param>
    /// <param name="plan">Its route.</param>
    /// <param name="move">The step to begin with.</param>
    /// <param name="fault">Why it is not the first; null when it is.</param>
    /// <param name="stopping">Whether the server takes no new work.</param>
    /// <param name="aborted">The caller is gone.</param>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<Fault?> ClimbAsync(
        Work work, RoutePlan plan, ChainMove move, Fault? fault, bool stopping, CancellationToken aborted)
    {
        var (trail, memory) = (work.Trail!, plan.Memory);
        while (move.Step >= 0)
        {
            var step = trail.Step = move.Step;
            fault = await StepAsync(work, plan, step, stopping, aborted).ConfigureAwait(false);
            if (fault is null)
            {
                memory.Counts.AnsweredBy(step).Add();
                break;
            }

            move = Leave(work, plan, step, fault, aborted);
        }

        // Nothing behind the step that was passed over had an answer: late is better than none.
        if (fault is null || trail.Avoided is null || aborted.IsCancellationRequested)
            return fault;
        trail.Step = 0;
        if (await StepAsync(work, plan, 0, stopping, aborted).ConfigureAwait(false) is { } late)
            return late;
        memory.Counts.AnsweredBy(0).Add();
        return null;
    }

    private ChainMove Start(Work work, RoutePlan plan)
    {
        var trail = work.Trail!;
        var move = plan.Memory.Start(
            plan, work.Criticality, serving.Clock.Now, trail.Version?.Door, trail.IsChallenger);
        if (move.Reason is ChainReason.PredictedWait)
        {
            (trail.Avoided, trail.AvoidedBound) = (move.Predicted, move.Bound);
            plan.Memory.Counts.Avoided.Add();
            Forgo(work, s_avoided);
        }

        return move;
    }

    /// <summary>
    /// A step failed. Where it was the first one, this request has nothing to give any more to those that wait for its
    /// answer: they hear so now, not when a later step has answered this one.
    /// </summary>
    private ChainMove Leave(Work work, RoutePlan plan, int step, Fault fault, CancellationToken aborted)
    {
        var (trail, memory) = (work.Trail!, plan.Memory);
        trail.Step = step;
        trail.Leave(step, fault.Kind);
        memory.Counts.LeftBy(step).Add();
        if (step == 0)
            Forgo(work, fault);
        var left = DeadlineOf(work) - serving.Clock.Now;
        return aborted.IsCancellationRequested ? new(-1, ChainReason.NotDeclared)
            : memory[step].Kind is ChainStepKind.Model ? memory.Next(step, fault.Kind, left)
            : memory.Missed(step, left);
    }

    /// <summary>The cache keeps a full answer; a degraded one is nobody else's.</summary>
    private void Forgo(Work work, Fault fault)
    {
        if (work.Trail is not { Cache.Lead: { } lead } trail)
            return;
        trail.Cache = trail.Cache with { Lead = null };
        work.Door.Plan!.Cache!.Fail(lead, fault, serving.Clock.Now);
    }

    private ValueTask<Fault?> StepAsync(Work work, RoutePlan plan, int step, bool stopping, CancellationToken aborted)
    {
        if (serving.Drills.OfStep(plan.Name, step) is { } broken)
            return new(broken);
        switch (plan.Memory[step].Kind)
        {
            case ChainStepKind.Cached:
                return new(Old(work, plan));
            case ChainStepKind.Message:
                return new(plan.Memory.MessageOf(step)!.Write(plan.First.Signature!, work)
                    ?? AtHand(work, AnswerOrigin.None));
            case ChainStepKind.Model:
                break;
        }

        if (NotLoaded(work, plan, step) is { } away)
            return new(away);
        if ((step == 0 ? RouteSides.DoorOf(work, plan) : plan.DoorOf(step)) is { } door)
            return AttemptAsync(work, plan, step, door, stopping, aborted);
        var unlike = plan.Unlike(step, work.Trail!.Version?.Names);
        if (step == 0)
            _sides.Ended(work, attempt: null, unlike);
        return new(unlike);
    }

    /// <summary>Why a step's model did not come when it was wanted at the gate; null when it was not.</summary>
    private static Fault? NotLoaded(Work work, RoutePlan plan, int step)
    {
        // There it was the declared model that was wanted, or the one that the caller named.
        if (work.NotLoaded is not { } gone || (step == 0 && work.Trail!.Version is not null && plan.Pinned is null))
            return null;
        return gone.Find(g => g.Step == step).Why;
    }

    /// <summary>
    /// Whether something that needs no model answers when none of the route's models comes: a message, or an answer to
    /// this very request that is remembered.
    /// </summary>
    public bool HasAtHand(Work work, RoutePlan plan)
    {
        for (var step = 0; step < plan.Count; step++)
        {
            switch (plan.Memory[step].Kind)
            {
                case ChainStepKind.Message:
                    return true;
                case ChainStepKind.Cached:
                    if (plan.Cache?.Remembers(RequestOf(work, plan), serving.Clock.Now) is true)
                        return true;
                    break;
                case ChainStepKind.Model:
                    if (plan.RouteOf(step) is { } inner && HasAtHand(work, inner))
                        return true;
                    if (!plan.Memory.MovesOn(step, FaultKind.ModelNotReady, TimeSpan.Zero))
                        return false;
                    break;
            }
        }

        return false;
    }

    /// <summary>One step's model.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<Fault?> AttemptAsync(
        Work work, RoutePlan plan, int step, Door door, bool stopping, CancellationToken aborted)
    {
        var (attempt, trail, answered) = (serving.Rent(serving.Clock.Now), work.Trail!, false);
        try
        {
            attempt.Begin(work, door);
            var now = serving.Clock.Now;
            attempt.Request.Timeout = now - work.Timeline.Started + plan.Memory.TimeoutOf(step, DeadlineOf(work) - now);
            var fault = await AskAsync(attempt, plan, step, stopping, aborted).ConfigureAwait(false);
            work.Timeline = attempt.Timeline;
            // The route is known: that the model of its step is not there is a failure of the step.
            fault = fault is { Kind: FaultKind.UnknownModel } ? new(FaultKind.ModelNotReady, fault.Message)
                : fault ?? plan.Judge(attempt, step);
            if (step == 0)
                _sides.Ended(work, attempt, fault);
            answered = fault is null;
            trail.Inner = answered ? attempt.Trail : null;
            if (fault is null)
            {
                work.Adopt(attempt);
                trail.UpstreamDegraded = attempt.CameDegraded || attempt.Trail is { IsDegraded: true };
                if (step == 0)
                    _sides.Copy(work, plan, RouteSides.LatencyOf(attempt));
                return Deliver(work);
            }

            work.AdoptFacts(attempt);
            // What it ran is booked as the model's; what a later step runs is the answer's price.
            work.Share = default;
            door.Deployment?.Instruments?.Dropped(fault.Kind);
            return fault;
        }
        finally
        {
            RouteWaste.Settle(serving, attempt, answered);
            serving.Return(attempt);
        }
    }

    /// <summary>A model here, a route, or a model elsewhere, which is all execution, seen from here.</summary>
    private ValueTask<Fault?> AskAsync(
        Work attempt, RoutePlan plan, int step, bool stopping, CancellationToken aborted)
    {
        if ((attempt.Door.Signature ?? plan.First.Signature) is { } signature)
            plan.Memory.AskForChecked(step, signature, attempt.Request.Outputs);
        if (attempt.Door.Upstream is not { } upstream)
            return serving.Pipeline.RunAsync(attempt, stopping, aborted);
        // With every target left alone a request waits only where no other step may answer it.
        var left = DeadlineOf(attempt) - serving.Clock.Now;
        var hasNext = attempt.Whole!.Trail is not { Avoided: not null, Step: 0 }
            && plan.Memory.MovesOn(step, FaultKind.TargetsOpen, left);
        return AskAsync(serving, attempt, upstream, hasNext, aborted);
    }

    /// <summary>A model elsewhere.</summary>
    internal static async ValueTask<Fault?> AskAsync(
        Serving serving, Work attempt, UpstreamGroup upstream, bool hasNext, CancellationToken aborted)
    {
        attempt.Claim = attempt.Asked.Claim;
        var fault = await serving.Pipeline.EnterStepAsync(attempt, aborted).ConfigureAwait(false)
            ?? await upstream.InferAsync(attempt, DeadlineOf(attempt), hasNext, aborted).ConfigureAwait(false);
        attempt.Timeline.Mark(Stage.Execute, serving.Clock.EndOf(Stage.Execute));
        return fault;
    }

    /// <summary>The least bad answer that is remembered.</summary>
    private Fault? Old(Work work, RoutePlan plan)
    {
        if (plan.Cache is not { } cache)
            return new(FaultKind.ModelNotReady, $"The route {plan.Name} has no cache.");
        var found = cache.LookUpAfterError(RequestOf(work, plan), serving.Clock.Now);
        if (found.Answer is not { } answer)
            return new(FaultKind.ModelNotReady, $"No answer to this request is remembered by {plan.Name}.");
        var before = work.Trail!.Cache;
        work.Trail.Cache = found with { Lead = before.Lead, Waiter = before.Waiter };
        return Answer(work, answer);
    }

    private static Fault? Answer(Work work, CachedAnswer answer)
    {
        work.Outputs.Reset();
        answer.WriteTo(work.Outputs);
        return AtHand(work, answer.Origin);
    }

    /// <summary>What it cost, if anything, was paid by who asked first; what steps before it ran is not its price.
    /// </summary>
    private static Fault? AtHand(Work work, AnswerOrigin origin)
    {
        work.AdoptAtHand(origin);
        return Deliver(work);
    }

    private static Fault? Deliver(Work work)
    {
        work.Answer.TryWrite(new(work.Outputs, work.Used, Last: true));
        work.Answer.Complete(null);
        return null;
    }

    private static readonly Fault s_avoided = new(
        FaultKind.PredictedLate, "The request that asked the same first was not sent to the first step.");

    private static readonly Fault s_degraded = new(
        FaultKind.ModelNotReady, "The request that asked the same first got a degraded answer.");

    /// <summary>
    /// All steps share the time that the first one has by default; a caller who sets no deadline does not pay for the
    /// models' absence with it.
    /// </summary>
    private static void SetDeadline(Work work, RoutePlan plan)
    {
        if (work.Request.Timeout is not null)
            return;
        work.Trail!.OwnDeadline = true;
        work.Request.Timeout = BeganOf(work) - work.Timeline.Started + OwnTime(work, plan);
    }

    /// <summary>From when a route's own time counts.</summary>
    public static Instant BeganOf(Work work) => work.LoadedAt ?? work.Timeline.Started;

    /// <summary>The time that a route gives to a request whose caller sets none.</summary>
    public static TimeSpan OwnTime(Work work, RoutePlan plan)
    {
        var own = plan.Memory.Options.DeadlineMs;
        var learned = plan.First.Deployment?.Predict(work.Claim.Rows, work.Claim.Elements) ?? TimeSpan.Zero;
        return own > 0
            ? TimeSpan.FromMilliseconds(own)
            : DeadlineRule.Decide(plan.First.Deadlines, asked: null, learned).Span;
    }

    private static Instant DeadlineOf(Work work) => work.Timeline.Started + work.Request.Timeout!.Value;

    private static CacheRequest RequestOf(Work work, RoutePlan plan) => new()
    {
        Subject = work.Trail?.Version?.Subject ?? plan.Subject, Tenant = work.Caller.Tenant, Request = work.Request,
        Directive = work.CacheAsked,
    };
}
