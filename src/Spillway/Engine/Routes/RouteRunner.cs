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
/// the time that is left. It decides nothing.
/// </summary>
/// <param name="serving">Where works come from.</param>
internal sealed class RouteRunner(Serving serving)
{
    private readonly RouteSides _sides = new(serving);

    /// <summary>What the cache of the request's route says; before limits and budgets, for a hit costs nothing.</summary>
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

    /// <summary>Ends what the cache expects of a request that did not get further than the gate.</summary>
    public async ValueTask GiveUpAsync(Work work, Fault fault)
    {
        if (work.Trail is not { } trail || work.Door.Plan?.Cache is not { } cache)
            return;
        var lead = trail.Cache.Lead;
        if (trail.Cache.Step is CacheStep.Join)
        {
            var left = new CancellationToken(canceled: true);
            lead = (await AnswerCache.AwaitAsync(trail.Cache, serving.Clock.Now, left).ConfigureAwait(false)).Lead;
        }

        if (lead is { } mine)
            cache.Fail(mine, fault, serving.Clock.Now);
        trail.Cache = trail.Cache with { Lead = null };
    }

    /// <summary>Answers it. Null when its outputs are there, else the fault of the last step.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<Fault?> RunAsync(Work work, bool stopping, CancellationToken aborted)
    {
        var (plan, trail) = (work.Door.Plan!, work.Trail!);
        SetDeadline(work, plan);
        if (trail.Cache.Answer is { } known)
        {
            if (trail.Cache.Lead is not null)
                _ = RevalidateAsync(work, plan, stopping);
            return Answer(work, known);
        }

        if (trail.Cache.Step is CacheStep.Join)
        {
            var outcome = await AnswerCache.AwaitAsync(trail.Cache, DeadlineOf(work), aborted).ConfigureAwait(false);
            work.Timeline.Mark(Stage.Cache, serving.Clock.EndOf(Stage.Cache));
            if (outcome.Fault is { } shared)
                return shared;
            trail.Joined = outcome.Answer is not null;
            if (outcome.Answer is { } answer)
                return Answer(work, answer);
            trail.Cache = trail.Cache with { Lead = outcome.Lead };
        }

        var fault = await ClimbAsync(work, plan, stopping, aborted).ConfigureAwait(false);
        Remember(work, plan, fault);
        return fault;
    }

    /// <summary>
    /// Asks the first step's model beside, for those that come later: an old answer was good enough for this request.
    /// It counts as in flight, so a stop waits for it, and it holds the memory of the request that it was made of.
    /// </summary>
    private async Task RevalidateAsync(Work work, RoutePlan plan, bool stopping)
    {
        var (lead, cache, attempt) = (work.Trail!.Cache.Lead!.Value, plan.Cache!, serving.Rent(serving.Clock.Now));
        Fault? fault = s_degraded;
        try
        {
            if ((work.Trail.Version is null ? plan.First : RouteSides.DoorOf(work, plan)) is not { } door)
                return;
            attempt.Begin(work, door);
            attempt.IsBeside = true;
            await Task.Yield();
            attempt.Request.Timeout = work.Request.Timeout;
            fault = (door.Upstream is { } upstream
                    ? await AskAsync(serving.Clock, attempt, upstream, CancellationToken.None).ConfigureAwait(false)
                    : await serving.Pipeline.RunAsync(attempt, stopping, CancellationToken.None).ConfigureAwait(false))
                ?? plan.Memory.Check(0, door.Signature!, attempt.Outputs);
            if (fault is null)
                cache.Store(lead, attempt.Outputs, serving.Clock.Now);
        }
        finally
        {
            if (fault is not null)
                cache.Fail(lead, fault, serving.Clock.Now);
            serving.Return(attempt);
        }
    }

    /// <summary>One step after the other, in the order of the chain.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<Fault?> ClimbAsync(Work work, RoutePlan plan, bool stopping, CancellationToken aborted)
    {
        var (trail, memory) = (work.Trail!, plan.Memory);
        var move = memory.Start(plan, serving.Clock.Now, trail.Version?.Door, trail.IsChallenger);
        if (move.Reason is ChainReason.PredictedWait)
        {
            trail.Avoided = move.Predicted;
            memory.Counts.Avoided.Add();
        }

        Fault? fault = null;
        while (move.Step >= 0)
        {
            var step = trail.Step = move.Step;
            fault = await StepAsync(work, plan, step, stopping, aborted).ConfigureAwait(false);
            (fault is null ? memory.Counts.AnsweredBy(step) : memory.Counts.LeftBy(step)).Add();
            if (fault is null)
                break;
            trail.Leave(step, fault.Kind);
            var left = DeadlineOf(work) - serving.Clock.Now;
            move = aborted.IsCancellationRequested ? new(-1, ChainReason.NotDeclared)
                : memory[step].Kind is ChainStepKind.Model ? memory.Next(step, fault.Kind, left)
                : memory.Missed(step, left);
        }

        return fault;
    }

    private ValueTask<Fault?> StepAsync(Work work, RoutePlan plan, int step, bool stopping, CancellationToken aborted)
    {
        switch (plan.Memory[step].Kind)
        {
            case ChainStepKind.Cached:
                return new(Old(work, plan));
            case ChainStepKind.Message:
                return new(plan.Memory.MessageOf(step)!.Write(plan.First.Signature!, work) ?? Deliver(work));
            case ChainStepKind.Model:
                break;
        }

        if ((step == 0 ? RouteSides.DoorOf(work, plan) : plan.DoorOf(step)) is { } door)
            return AttemptAsync(work, plan, step, door, stopping, aborted);
        var names = work.Trail!.Version?.Names ?? plan.Names;
        var unfit = new Fault(FaultKind.ModelNotReady, $"Step {names[step]} of {plan.Name} has no model that takes and "
            + "gives what the route does: it is not known yet, or its inputs or outputs differ.");
        if (step == 0)
            _sides.Ended(work, attempt: null, unfit);
        return new(unfit);
    }

    /// <summary>One step's model.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<Fault?> AttemptAsync(
        Work work, RoutePlan plan, int step, Door door, bool stopping, CancellationToken aborted)
    {
        var attempt = serving.Rent(serving.Clock.Now);
        attempt.Begin(work, door);
        if (door.Signature is { } signature)
            plan.Memory.AskForChecked(step, signature, attempt.Request.Outputs);
        var (spent, left) = (serving.Clock.Now - work.Timeline.Started, DeadlineOf(work) - serving.Clock.Now);
        attempt.Request.Timeout = spent + plan.Memory.TimeoutOf(step, left);
        try
        {
            var fault = door.Upstream is { } upstream
                ? await AskAsync(serving.Clock, attempt, upstream, aborted).ConfigureAwait(false)
                : await serving.Pipeline.RunAsync(attempt, stopping, aborted).ConfigureAwait(false);
            work.Timeline = attempt.Timeline;
            fault ??= plan.Memory.Check(step, door.Signature!, attempt.Outputs);
            if (step == 0)
                _sides.Ended(work, attempt, fault);
            if (fault is null)
                work.Adopt(attempt);
            else
                work.AdoptFacts(attempt);
            if (fault is not null)
                door.Deployment?.Instruments?.Dropped(fault.Kind);
            else if (step == 0)
                _sides.Copy(work, plan, RouteSides.LatencyOf(attempt));
            return fault ?? Deliver(work);
        }
        finally
        {
            serving.Return(attempt);
        }
    }

    /// <summary>A model elsewhere: all of it is execution, seen from here.</summary>
    internal static async ValueTask<Fault?> AskAsync(
        Clock clock, Work attempt, UpstreamGroup upstream, CancellationToken aborted)
    {
        var fault = await upstream.InferAsync(attempt, DeadlineOf(attempt), aborted).ConfigureAwait(false);
        attempt.Claim = attempt.Asked.Claim;
        attempt.Timeline.Mark(Stage.Execute, clock.EndOf(Stage.Execute));
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
        work.Trail!.Cache = found with { Lead = work.Trail.Cache.Lead };
        return Answer(work, answer);
    }

    private static Fault? Answer(Work work, CachedAnswer answer)
    {
        work.Outputs.Reset();
        answer.WriteTo(work.Outputs);
        // What it cost was paid by who asked first.
        work.Share = default;
        return Deliver(work);
    }

    private static Fault? Deliver(Work work)
    {
        work.Answer.TryWrite(new(work.Outputs, work.Used, Last: true));
        work.Answer.Complete(null);
        return null;
    }

    /// <summary>The cache keeps a full answer; a degraded one is nobody else's.</summary>
    private void Remember(Work work, RoutePlan plan, Fault? fault)
    {
        if (work.Trail!.Cache.Lead is not { } lead || plan.Cache is not { } cache)
            return;
        if (fault is null && work.Trail.Step == 0)
            cache.Store(lead, work.Outputs, serving.Clock.Now);
        else
            cache.Fail(lead, fault ?? s_degraded, serving.Clock.Now);
    }

    private static readonly Fault s_degraded = new(
        FaultKind.ModelNotReady, "The request that asked the same first got a degraded answer.");

    /// <summary>All steps share the time that the first one has by default.</summary>
    private static void SetDeadline(Work work, RoutePlan plan)
    {
        if (work.Request.Timeout is not null)
            return;
        work.Trail!.OwnDeadline = true;
        var own = plan.Memory.Options.DeadlineMs;
        var learned = plan.First.Deployment?.Predict(work.Claim.Rows, work.Claim.Elements) ?? TimeSpan.Zero;
        work.Request.Timeout = own > 0
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
