using Microsoft.Extensions.Logging;
using Spillway.Config;
using Spillway.Flow;
using Spillway.Flow.Guards;
using Spillway.Policies.Guarding;

namespace Spillway.Engine.Guards;

/// <summary>
/// The shell around rate limits and budgets: finds the states of a caller once, holds their short locks for a decision
/// of <see cref="GuardSet"/>, lets requests wait, and counts. Exists only where limits or budgets are configured. The
/// request path touches only memory. Thread-safe.
/// </summary>
internal sealed class GuardDesk : IAsyncDisposable
{
    private static readonly Fault s_left = new(FaultKind.Cancelled, "The caller went away before it was its turn.");

    [ThreadStatic]
    private static List<GuardEvent>? t_events;

    private readonly GuardStates _states;
    private readonly GuardClock _clock;
    private readonly ILogger _logger;
    private volatile GuardRules _rules;
    private long _borrowed;
    private long _settled;

    /// <summary>Makes one; budgets need the writer before the first request.</summary>
    /// <param name="snapshot">With limits or budgets.</param>
    /// <param name="clock">The clock.</param>
    /// <param name="states">Where the states are kept.</param>
    /// <param name="logger">Where warnings go.</param>
    public GuardDesk(Snapshot snapshot, GuardClock clock, GuardStates states, ILogger logger)
    {
        (_clock, _states, _logger) = (clock, states, logger);
        _rules = new(snapshot.Limits, snapshot.Budgets);
    }

    /// <summary>Whether any of them says something of models, so that steps of routes are asked one by one.</summary>
    public bool CountsModels => _rules.CountsModels;

    /// <summary>Makes slices durable; null where there are no budgets.</summary>
    public SliceWriter? Writer { get; init; }

    /// <summary>Every state, for those who look.</summary>
    public GuardStates States => _states;

    /// <summary>The clock of limits and budgets.</summary>
    public GuardClock Clock => _clock;

    /// <summary>Tickets given.</summary>
    public long Borrowed => Interlocked.Read(ref _borrowed);

    /// <summary>Tickets settled; the same number when nothing is in flight.</summary>
    public long Settled => Interlocked.Read(ref _settled);

    /// <summary>
    /// Steps 4 (rates) and 7 (budgets): a ticket, a refusal, or a wait that is registered on the work. At once for a
    /// work that holds its ticket already.
    /// </summary>
    public GuardAnswer Enter(Work work)
    {
        if (work.Ticket.Set is not null)
            return new(GuardSays.Passed);
        var guards = work.Guards ??= _rules.Of(work.Caller).Get(work, this);
        if (guards.Set.IsEmpty)
            return new(GuardSays.Passed);
        var (ask, before) = (Ask(work, guards), work.Turn);
        GuardAnswer answer;
        ulong draws;
        guards.Enter();
        try
        {
            answer = guards.Set.Enter(ask, work.Ticket);
            work.Turn = GuardLines.Register(guards, ref answer);
            draws = GuardLines.Draws(guards);
        }
        finally
        {
            guards.Exit();
        }

        if (draws != 0)
            Ring(guards, draws);

        // Whoever was called for its turn and cannot take it leaves it to the next in that line.
        if (before is { IsDraw: false } && answer.Says is not GuardSays.Passed && work.Turn?.At != before.At)
            GuardLines.PassOn(before.At);
        Count(answer, guards);
        return answer;
    }

    /// <summary>
    /// Enters, or waits for a turn to do so. Again: it has waited, and what was looked at before is to be looked at
    /// anew; else it holds its ticket where there is no fault.
    /// </summary>
    public async ValueTask<(bool Again, Fault? Fault)> EnterAsync(Work work, CancellationToken aborted)
    {
        var effect = RequestFlow.Guarded(Enter(work));
        if (effect.What is not Do.Wait)
            return (false, effect.What is Do.Refuse ? effect.Fault : null);
        var gone = await WaitAsync(work, aborted).ConfigureAwait(false);
        return (gone is null, gone);
    }

    /// <summary>
    /// Waits for its turn, as <see cref="Enter"/> registered it. Null: ask again. Else the caller is gone.
    /// </summary>
    public async ValueTask<Fault?> WaitAsync(Work work, CancellationToken aborted)
    {
        var (turn, began) = (work.Turn!, _clock.Now);
        try
        {
            await turn.Turn.WaitAsync(turn.Most, _clock.Time, aborted).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // With a ticket it is its turn now; without, it asks once more and is then told what is missing.
            if (work.Ticket.Set is null)
                work.Patient = false;
        }
        catch (OperationCanceledException)
        {
            GuardLines.GiveUp(turn, passOn: true);
            work.Turn = null;
            return s_left;
        }

        GuardLines.GiveUp(turn, passOn: false);
        work.Ticket.Waited += _clock.Now - began;
        if (work.Ticket.Set is not null)
            work.Turn = null;
        return null;
    }

    /// <summary>
    /// The very end of a request. What a bug kept from being settled may have cost what was reserved; and a turn that
    /// it was called for and did not take, because it was switched off meanwhile, goes to the next.
    /// </summary>
    public void Leave(Work work)
    {
        if (work.Ticket.Set is null && work.Turn is { IsDraw: false } turn)
            GuardLines.PassOn(turn.At);
        Settle(work, work.Ticket.Reserved);
        if (work.StepTicket is { } step)
            SettleStep(work, step.Reserved);
    }

    /// <summary>The request is over: settles its ticket, if it has one. Once and never again.</summary>
    public void Settle(Work work, Money cost) => Settle(work.Ticket, work.Guards, cost, work.Tokens.Used);

    /// <summary>
    /// The step that its answer was asked of is over, with the request or before it: settles what was taken for that.
    /// </summary>
    /// <param name="work">The request.</param>
    /// <param name="cost">What the step cost.</param>
    /// <param name="answered">Whether its answer is the request's, so that the tokens are its own.</param>
    public void SettleStep(Work work, Money cost, bool answered = true)
    {
        if (work.StepTicket is { } step)
            Settle(step, work.StepGuards, cost, answered ? work.Tokens.Used : 0);
    }

    private void Settle(GuardTicket ticket, ResolvedGuards? resolved, Money cost, long tokens)
    {
        if (ticket.Set is not { } set || resolved is not { } guards)
            return;
        // Almost never anything happens; one list a thread will do.
        var events = guards.Budgets.Length > 0 ? t_events ??= [] : null;
        GuardWait? first = null;
        guards.Enter();
        try
        {
            set.Settle(ticket, cost, events, tokens, _clock.Now);
            Interlocked.Increment(ref _settled);
            GuardLines.Wake(guards, ref first);
        }
        finally
        {
            guards.Exit();
        }

        first?.Wake();
        if (events is { Count: > 0 })
            Tell(events);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        Writer?.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>Looks at every budget in force, for status and metrics.</summary>
    public IEnumerable<BudgetView> Budgets()
    {
        var known = _rules.Budgets;
        foreach (var budget in _states.Budgets)
        {
            if (GuardStates.IsOf(budget, known, out _))
                yield return Look(budget);
        }
    }

    /// <summary>
    /// Other rules hold for the next request on. Who is inside leaves, and settles with, what it came in by.
    /// </summary>
    public void Apply(Snapshot snapshot)
    {
        _states.Apply(snapshot.Limits, snapshot.Budgets);
        _rules = new(snapshot.Limits, snapshot.Budgets);
    }

    private BudgetView Look(HeldBudget budget)
    {
        lock (budget.Lock)
            return new(budget.Account, budget.Account.State.Look(_clock.At(_clock.Now)), budget.Trouble);
    }

    private GuardAsk Ask(Work work, ResolvedGuards guards)
    {
        var (now, bytes) = (_clock.Now, work.Tokens.Bytes);
        foreach (ref readonly var tensor in work.Request.Inputs.Span)
            bytes += tensor.Data.Length;
        var patience = !work.Patient ? TimeSpan.Zero
            : work.Request.Timeout is { } timeout ? timeout - (now - work.Timeline.Started)
            : TimeSpan.MaxValue;
        return new(
            new(work.Caller.Tenant, guards.Weight, work.Claim.Rows, bytes, work.Tokens.AtMost), work.CostAtMost, now,
            guards.Budgets.Length > 0 ? _clock.At(now) : default, patience);
    }

    /// <summary>Rings for the writer, once for each budget until it has looked.</summary>
    private void Ring(ResolvedGuards guards, ulong draws)
    {
        for (var i = 0; i < guards.Budgets.Length; i++)
        {
            if ((draws & (1UL << (i & 63))) != 0 && guards.Budgets[i].Ask())
                Writer!.Look(guards.Budgets[i]);
        }
    }

    /// <summary>
    /// Which limits and budgets count a caller's requests to a served name. Of a route that are those that say nothing
    /// of models, once for the request; those that do count each step that is asked, by its own model.
    /// </summary>
    /// <param name="caller">Who asks.</param>
    /// <param name="route">The served name, or that of a step.</param>
    /// <param name="asked">What the caller asked for.</param>
    /// <param name="isStep">Whether it is a step of that.</param>
    internal ResolvedGuards Make(Caller caller, Route route, string asked, bool isStep)
    {
        var (model, rules) = (route.Deployment, _rules);
        var rates = rules.Limits.Rates.Where(r => Counts(r.Value))
            .Select(r => _states.Rate(r.Key, r.Value, Scope(r.Value))).ToList();
        var budgets = rules.Budgets.Where(b => Counts(b.Value))
            .Select(b => _states.Budget(b.Key, b.Value, Scope(b.Value))).ToList();
        var set = new GuardSet([.. rates.Select(r => r.State)], [.. budgets.Select(b => b.Account)]);
        return new(route, asked, set, [.. rates], [.. budgets], rules.Limits.WeightOf(caller.Tenant));

        bool Counts(ScopedOptions options) => options.Counts(caller.Tenant, model, asked)
            && (isStep ? options.ConcernsModels : !route.CountsSteps || !options.ConcernsModels);
        string Scope(ScopedOptions options) => options.ScopeOf(caller.Key, caller.Tenant, model, asked);
    }

    private void Count(in GuardAnswer answer, ResolvedGuards guards)
    {
        if (answer.Says is GuardSays.Passed)
            Interlocked.Increment(ref _borrowed);
        else if (answer.Says is GuardSays.Refused)
            (answer.Rate >= 0 ? guards.Rates[answer.Rate].Counts : guards.Budgets[answer.Budget].Counts).Refused
                .Add();
    }

    private void Tell(List<GuardEvent> events)
    {
        foreach (var happened in events)
        {
            var counts = _states.BudgetCounts[happened.Budget.Name];
            var options = happened.Budget.State.Options;
            if (happened.Over > Money.Zero)
            {
                counts.Overruns.Add();
                GuardLog.Overrun(
                    _logger, happened.Budget.Name, happened.Budget.Scope, GuardRefusals.Text(happened.Over));
            }

            if (happened.Threshold > 0)
            {
                counts.Warnings.Add();
                GuardLog.Threshold(_logger, happened.Budget.Name, happened.Budget.Scope, happened.Threshold * 100,
                    GuardRefusals.Text(options.LimitMoney), options.Window);
            }
        }

        events.Clear();
    }
}
