using Spillway.Flow;
using Spillway.Store.Ledger;

namespace Spillway.Engine.Gateway;

/// <content>
/// Steps 4 and 7, for the request and for each of its steps: switches, rights, rates, budgets.
/// </content>
internal sealed partial class Exchange
{
    /// <summary>The step that the chain begins with: those before it are dearer than what is left.</summary>
    private int _from;

    /// <summary>The most tokens of the prompt and of all answers.</summary>
    private (long Input, long Output) _most;

    /// <summary>
    /// Null when it may go on. Where a budget refuses it for what its dearest step may cost, and the first step
    /// declares that this moves on, it begins with the first step from which the money suffices.
    /// </summary>
    private async ValueTask<Fault?> EnterAsync()
    {
        // Counting takes time, which is only for those who may ask.
        if (route.Tokenizer is not null && Gate() is { } shut)
            return shut;
        _from = 0;
        Measure();
        var refused = await ReserveAsync(from: 0).ConfigureAwait(false);
        if (refused is not { Kind: FaultKind.BudgetExhausted })
            return refused;
        // A rate of the route counts requests, whatever answers them; money may be left for another step.
        var next = route.Memory.Next(0, refused.Kind, TimeLeft()).Step;
        for (var from = next; from > 0 && from < route.Steps.Count; from++)
        {
            refused = await ReserveAsync(from).ConfigureAwait(false);
            if (refused is { Kind: FaultKind.BudgetExhausted })
                continue;
            _from = from;
            return refused;
        }

        return refused;
    }

    /// <summary>Holds what the steps from one on may cost at most; null when it does.</summary>
    private async ValueTask<Fault?> ReserveAsync(int from)
    {
        while (true)
        {
            if ((Gate() ?? asked.Check(route.Name, route.Options)) is { } shut)
                return shut;
            var (input, output) = _most;
            work.CostAtMost = route.CostAtMost(from, input, output, _began) ?? default;
            if (RequestFlow.TooDear(work.CostAtMost, work.Request.CostMax) is { } dear)
                return dear;
            if (serving.Guards.Desk is not { } desk)
                return null;
            var (again, fault) = await desk.EnterAsync(work, _stop.Token).ConfigureAwait(false);
            if (!again)
                return fault is { Kind: FaultKind.Cancelled } ? _stopped ?? fault : fault;
        }
    }

    /// <summary>The most tokens of prompt and answers, and what that says of its room.</summary>
    private void Measure()
    {
        var (prompt, output) = (route.Count(asked), asked.AnswerTokensAtMost(route.Options));
        _most = (prompt.AtMost, output);
        work.Tokens = new(prompt.AtMost + output, prompt.AtMost + output, asked.Bytes.Length);
        _state.Reserve(prompt, output, route.Tokenizer);
        work.Claim = new Claim
        {
            Rows = 1, Elements = 1, Started = work.Timeline.Started, Timeout = work.Request.Timeout,
        };
    }

    /// <summary>Its caller's time, or else the route's, of which nothing is written down yet.</summary>
    private TimeSpan TimeLeft()
    {
        var own = route.Memory.Options.DeadlineMs;
        return (work.Request.Timeout ?? (own > 0 ? TimeSpan.FromMilliseconds(own) : null)) is { } time
            ? work.Timeline.Started + time - _clock.Now : TimeSpan.MaxValue;
    }

    /// <summary>The route's rules over content, where there are such: over lengths before anything else.</summary>
    private Fault? JudgeLength()
    {
        if (route.Prompts is null && route.Answers is null)
            return null;
        if (Gate() is { } shut)
            return shut;
        (_state.Rules, _state.Log) = (route.Answers, new(route.Name, _state.Facts));
        return route.Prompts is { } rules ? PromptGuard.JudgeLength(asked, rules, _state.Log) : null;
    }

    /// <summary>
    /// What is asked, held to the route's rules: only now, for whoever is over a limit is not worth a look at every
    /// word. Masks may be longer than what they stand for: then the room that they need is asked for anew.
    /// </summary>
    private ValueTask<Fault?> JudgeAsync()
    {
        if (route.Prompts is not { } rules)
            return default;
        if (!PromptGuard.Judge(asked, rules, _state.Log!).TryGet(out var judged, out var refused))
            return new(refused);
        if (ReferenceEquals(judged, asked))
            return default;
        _state.Asked = asked = judged;
        if (route.Count(judged).AtMost <= _most.Input)
            return default;
        work.Tokens = work.Tokens with { Used = 0 };
        serving.Guards.Settle(work, default);
        return EnterAsync();
    }

    private Fault? Gate() => Gate(serving, route, work);

    /// <summary>
    /// The switch of a step's upstream, and the limits and budgets that say something of models. Null when it may be
    /// asked; then the request holds what they gave until the step is over.
    /// </summary>
    private async ValueTask<Fault?> EnterStepAsync(int step, Instant due)
    {
        if (Switched(step) is { } off)
            return off;
        if (serving.Guards.Desk is not { CountsModels: true } desk)
            return null;
        var attempt = serving.Rent(_clock.Now);
        Fault? fault = s_left;
        try
        {
            attempt.Begin(work, route.Doors[step]);
            (attempt.Claim, attempt.Tokens) = (work.Claim, work.Tokens);
            var (input, output) = _most;
            attempt.CostAtMost = route.PriceOf(step)?.At(_began).AtMost(input, output) ?? default;
            attempt.Request.Timeout = due == Instant.Never ? null : due - work.Timeline.Started;
            return fault = await EnterStepAsync(step, attempt, desk).ConfigureAwait(false);
        }
        finally
        {
            work.Ticket.Hear(attempt.Ticket);
            if (fault is null)
                work.AdoptTicket(attempt);
            else
                desk.Settle(attempt, Money.Zero);
            serving.Return(attempt);
        }
    }

    private async ValueTask<Fault?> EnterStepAsync(int step, Work attempt, Guards.GuardDesk desk)
    {
        while (true)
        {
            var (again, fault) = await desk.EnterAsync(attempt, _stop.Token).ConfigureAwait(false);
            if (!again)
                return fault is { Kind: FaultKind.Cancelled } ? _stopped ?? fault : fault;
            if (Switched(step) is { } shut)
                return shut;
        }
    }

    /// <summary>
    /// An attempt failed of whose answer something came: that is paid, and on nobody's bill.
    /// </summary>
    private void Lose(GatewayUpstream upstream)
    {
        if (sink.HasBegun || _state.Spent is not { } used || _state.Price is not { } price)
            return;
        var bill = price.Price(used);
        work.Lost += bill.Total;
        work.Trail!.Wasted += bill.Total;
        serving.Models.Costs.Wasted(new()
        {
            UnixMs = _clock.Time.GetUtcNow().ToUnixTimeMilliseconds(), Kind = EntryKind.Waste,
            Tenant = work.Caller.Tenant, Key = work.Caller.Key, Route = route.Name, Model = upstream.Name,
            Version = route.Door.Route.Model.Version, Owner = route.Door.Owner, Tokens = bill.Tokens,
            Request = bill.Request, Used = used,
        });
    }

    /// <summary>
    /// A step is left for another one: its own limits and budgets have what it spent in vain, for that is paid; the
    /// last step's are settled with the request.
    /// </summary>
    private void SettleStep()
    {
        serving.Guards.Desk?.SettleStep(work, work.Lost, answered: false);
        work.Lost = default;
    }

    /// <summary>A switch of the upstream alone: the route's was asked at the gate.</summary>
    private Fault? Switched(int step) => RequestFlow.Gate(
        route.Door.Route with { IsChain = false, Deployment = route.Steps[step].Name }, work.Caller,
        serving.Guards.Switches.Now, isAttempt: true);
}
