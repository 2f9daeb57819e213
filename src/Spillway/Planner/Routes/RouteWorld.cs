using Spillway.Config;
using Spillway.Policies.Caching;
using Spillway.Policies.Chains;

namespace Spillway.Planner.Routes;

/// <summary>
/// A simulated route: the virtual interpreter of a chain, with its cache, over deployments and upstreams of one
/// <see cref="Calendar"/>. It asks the same policies as the Engine's RouteRunner, in the same order, and decides
/// nothing itself. Deterministic: the same arrivals and seeds give the same decisions. One thread; no wall clock.
/// </summary>
/// <remarks>
/// What it leaves out: rollouts, checks of answers (a simulated answer always fits), and callers that leave.
/// This file is long because the life of a request behind a route is told in it, as in the Engine's.
/// </remarks>
internal sealed class RouteWorld
{
    private static readonly Fault s_avoided = new(
        FaultKind.PredictedLate, "The request that asked the same first was not sent to the first step.");

    private static readonly Fault s_gone = new(
        FaultKind.RateLimited, "The request that was to ask for the others was refused at the gate.");

    private static readonly Fault s_late = new(
        FaultKind.DeadlineExceeded, "The deadline came while the request waited for another one that asks the same.");

    private readonly RouteOptions _options;
    private readonly ChainPolicy _chain;
    private readonly Calendar _calendar;
    private readonly RouteMemoryWorld? _memory;
    private readonly IStepWorld?[] _steps;
    private readonly List<RouteAnswer> _answers = [];

    /// <summary>An idle one.</summary>
    /// <param name="name">The served name.</param>
    /// <param name="options">Validated, with a deadline.</param>
    /// <param name="models">What answers, by the name in the chain.</param>
    /// <param name="calendar">The models' too.</param>
    /// <param name="seed">Of the cache's hash.</param>
    public RouteWorld(
        string name, RouteOptions options, IReadOnlyDictionary<string, IStepWorld> models, Calendar calendar, int seed)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(options.DeadlineMs, 0);
        (_options, _chain, _calendar) = (options, new(options.Chain), calendar);
        _memory = options.Cache.Enabled ? new(name, options.Cache, seed) : null;
        _steps = [.. options.Chain.Steps.Select(s => s.Kind is ChainStepKind.Model ? models[s.Model] : null)];
    }

    /// <summary>How each request ended, in the order of the ends; none where they are told.</summary>
    public IReadOnlyList<RouteAnswer> Answers => _answers;

    /// <summary>Is told of each end in place of <see cref="Answers"/>; null keeps them.</summary>
    public Action<RouteAnswer>? Ended { get; init; }

    /// <summary>Limits and budgets; null for none.</summary>
    public RouteGate? Gate { get; init; }

    /// <summary>
    /// Whoever is told of an end settles it (<see cref="Settle"/>) when the last of the answer is there; else an answer
    /// is over when it begins.
    /// </summary>
    public bool EndsLater { get; init; }

    /// <summary>Remembered answers; null where none are.</summary>
    public RouteMemoryWorld? Memory => _memory;

    /// <summary>Steps that a drill lets fail: one bit each.</summary>
    public ulong BrokenSteps { get; set; }

    /// <summary>Schedules a request.</summary>
    /// <param name="id">Its name.</param>
    /// <param name="at">When it comes.</param>
    /// <param name="asks">What it asks.</param>
    public void Arrive(string id, Instant at, RouteAsk asks) => _calendar.Schedule(at, () => Begin(id, asks));

    /// <summary>A request whose answer is there to the end: its ticket ends.</summary>
    public void Settle(RouteAnswer answer)
    {
        if (answer.Held is not { } held)
            return;
        var answered = answer.Fault is null && answer.Answerer >= 0;
        Gate!.Settle(held, answered ? Gate.CostOf(answer.Asks, answer.Answerer) : Money.Zero,
            answered ? answer.Asks.TokensRead + answer.Asks.TokensWritten : 0);
    }

    private void Begin(string id, RouteAsk asks)
    {
        var now = _calendar.Now;
        var patience = asks.Timeout ?? TimeSpan.FromMilliseconds(_options.DeadlineMs);
        var request = new Request(id, asks, now, now + patience);
        if (_memory is not null && !asks.PassesCache)
            request.Cache = _memory.LookUp(asks.Question, asks.Tenant, now);
        request.Lead = request.Cache.Lead;
        if (request.Cache.Step is CacheStep.Join)
            Stand(request);
        if (Gate is null)
        {
            Go(request);
            return;
        }

        // What is remembered costs nothing, and counts for rates all the same.
        var isKnown = request.Cache.Step is CacheStep.Hit or CacheStep.Stale;
        request.Held = new(asks, now, step: -1) { CostAtMost = isKnown ? Money.Zero : Gate.CostAtMost(asks, from: 0) };
        Gate.Enter(request.Held, refused =>
        {
            if (refused is null)
                Go(request);
            else
                Refuse(request, refused);
        });
    }

    private void Go(Request request)
    {
        switch (request.Cache.Step)
        {
            case CacheStep.Hit or CacheStep.Stale:
                if (request.Lead is { } lead)
                {
                    request.Lead = null;
                    Revalidate(request, lead);
                }

                End(request, null);
                break;
            case CacheStep.Join:
                Join(request);
                break;
            case CacheStep.Miss or CacheStep.Refresh or CacheStep.Bypass:
                Follow(request, Start(request), null);
                break;
        }
    }

    /// <summary>
    /// A limit or a budget turned it away. Where the first step declares that this moves on, a later one answers: what
    /// is at hand costs nothing, and after a budget's refusal a step may be cheap enough.
    /// </summary>
    private void Refuse(Request request, Fault fault)
    {
        var left = request.Deadline - _calendar.Now;
        if (_chain.Next(0, fault.Kind, left).Step < 0)
        {
            End(request, fault);
            return;
        }

        // It waits for nobody and gives nobody an answer from here on.
        GiveUp(request, fault);
        request.Left.Add((0, fault.Kind));
        Degrade(request, fault, step: 1);
    }

    private void Degrade(Request request, Fault fault, int step)
    {
        if (step == _steps.Length)
        {
            End(request, fault);
            return;
        }

        if (_chain[step].Kind is ChainStepKind.Model)
        {
            // A rate counts requests, whatever answers them; with money left for this step it goes on from here.
            if (fault.Kind is not FaultKind.BudgetExhausted)
            {
                Degrade(request, fault, step + 1);
                return;
            }

            request.Held!.CostAtMost = Gate!.CostAtMost(request.Asks, step);
            Gate.Enter(request.Held, dear =>
            {
                if (dear is null)
                    Follow(request, new(step, ChainReason.Fault, 0, fault.Kind), fault);
                else
                    Degrade(request, fault, step + 1);
            });
            return;
        }

        request.Step = step;
        if (Broken(step) is null && (_chain[step].Kind is ChainStepKind.Message || Remembers(request)))
            End(request, null);
        else
            Degrade(request, fault, step + 1);
    }

    /// <summary>Stands with those that wait for the one that leads, until it is told or leaves.</summary>
    private void Stand(Request request)
    {
        request.Waiter = new RouteWaiter((answered, lead, fault) => _calendar.Schedule(_calendar.Now, () =>
        {
            request.Told = (answered, lead, fault);
            if (request.Joins)
                Joined(request, answered, lead, fault);
            else if (request.IsGone && lead is { } mine)
                _memory!.Fail(mine, s_gone, _calendar.Now);
        }));
        CachePolicy.Add(request.Cache.Flight!, request.Waiter);
    }

    /// <summary>Waits for the one that leads, at most until its own deadline.</summary>
    private void Join(Request request)
    {
        request.Joins = true;
        if (request.Told is var (answered, lead, fault))
        {
            Joined(request, answered, lead, fault);
            return;
        }

        var waiter = request.Waiter!;
        _calendar.Schedule(request.Deadline, () =>
        {
            if (CachePolicy.Leave(waiter))
                Joined(request, answered: false, lead: null, s_late);
        });
    }

    /// <summary>It goes no further with the cache: it waits no longer, and what it leads somebody else leads.</summary>
    private void GiveUp(Request request, Fault fault)
    {
        if (request is { Waiter: { } waiter, Joins: false, IsGone: false })
        {
            request.IsGone = true;
            if (!CachePolicy.Leave(waiter) && request.Told is { Lead: { } told })
                _memory!.Fail(told, fault, _calendar.Now);
        }

        Forgo(request, fault);
    }

    private void Joined(Request request, bool answered, CacheLead? lead, Fault? fault)
    {
        (request.Joined, request.Lead) = (answered, lead);
        if (answered)
            End(request, null);
        else
            Follow(request, fault is null ? Start(request) : Leave(request, 0, fault), fault);
    }

    private void Revalidate(Request request, CacheLead lead)
    {
        if (Broken(0) is { } broken)
        {
            _memory!.Fail(lead, broken, _calendar.Now);
            return;
        }

        _steps[0]!.Ask(CallOf(request, 0) with { IsBeside = true }, fault =>
        {
            if (fault is null)
                _memory!.Store(lead, _calendar.Now);
            else
                _memory!.Fail(lead, fault, _calendar.Now);
        });
    }

    private ChainMove Start(Request request)
    {
        var now = _calendar.Now;
        Span<TimeSpan> waits = stackalloc TimeSpan[_steps.Length];
        for (var i = 0; i < waits.Length; i++)
            waits[i] = _steps[i]?.PredictWait(now) ?? TimeSpan.Zero;
        var move = _chain.Start(waits, request.Asks.Criticality, now);
        if (move.Reason is ChainReason.PredictedWait)
        {
            request.Avoided = true;
            Forgo(request, s_avoided);
        }

        return move;
    }

    private void Follow(Request request, ChainMove move, Fault? fault)
    {
        if (move.Step < 0)
        {
            if (fault is null || !request.Avoided || request.IsLate)
                End(request, fault);
            else
                AskLate(request);
            return;
        }

        var step = request.Step = move.Step;
        if (Broken(step) is { } broken)
        {
            Failed(request, step, broken);
            return;
        }

        switch (_chain[step].Kind)
        {
            case ChainStepKind.Message:
                End(request, null);
                break;
            case ChainStepKind.Cached:
                Old(request, step);
                break;
            case ChainStepKind.Model:
                AskModel(request, step, failure => Asked(request, step, failure));
                break;
        }
    }

    /// <summary>One step's model, within the limits and budgets that count its requests.</summary>
    private void AskModel(Request request, int step, Action<Fault?> ended)
    {
        var call = CallOf(request, step);
        if (Gate is not { } gate)
        {
            _steps[step]!.Ask(call, ended);
            return;
        }

        var visit = new GateVisit(request.Asks, request.Came, step)
        {
            Until = call.Deadline, CostAtMost = gate.CostAtMost(request.Asks, step, step + 1),
        };
        gate.Enter(visit, refused =>
        {
            if (refused is not null)
                ended(refused);
            else
                _steps[step]!.Ask(call, fault =>
                {
                    var used = request.Asks.TokensRead + request.Asks.TokensWritten;
                    gate.Settle(visit, fault is null ? gate.CostOf(request.Asks, step) : Money.Zero,
                        fault is null ? used : 0);
                    ended(fault);
                });
        });
    }

    /// <summary>Nothing behind the step that was passed over had an answer: late is better than none.</summary>
    private void AskLate(Request request)
    {
        (request.IsLate, request.Step) = (true, 0);
        if (Broken(0) is { } broken)
            End(request, broken);
        else
            AskModel(request, 0, failure => End(request, failure));
    }

    private void Asked(Request request, int step, Fault? fault)
    {
        if (fault is not null)
        {
            Failed(request, step, fault);
            return;
        }

        if (step == 0 && request.Lead is { } lead)
        {
            request.Lead = null;
            _memory!.Store(lead, _calendar.Now);
        }

        End(request, null);
    }

    private void Old(Request request, int step)
    {
        if (Remembers(request))
            End(request, null);
        else
            Failed(request, step, new(FaultKind.ModelNotReady, "No answer to this request is remembered."));
    }

    /// <summary>Whether there is an old answer; the request has it then.</summary>
    private bool Remembers(Request request)
    {
        var found = _memory is null || request.Asks.PassesCache ? default
            : _memory.LookUpAfterError(request.Asks.Question, request.Asks.Tenant, _calendar.Now);
        if (found.Answer is null)
            return false;
        request.Cache = found;
        return true;
    }

    private void Failed(Request request, int step, Fault fault) => Follow(request, Leave(request, step, fault), fault);

    private ChainMove Leave(Request request, int step, Fault fault)
    {
        request.Step = step;
        request.Left.Add((step, fault.Kind));
        if (step == 0)
            Forgo(request, fault);
        var left = request.Deadline - _calendar.Now;
        return _chain[step].Kind is ChainStepKind.Model ? _chain.Next(step, fault.Kind, left)
            : _chain.Missed(step, left);
    }

    private void Forgo(Request request, Fault fault)
    {
        if (request.Lead is not { } lead)
            return;
        request.Lead = null;
        _memory!.Fail(lead, fault, _calendar.Now);
    }

    private void End(Request request, Fault? fault)
    {
        GiveUp(request, fault ?? s_avoided);
        // An answer of a step that is a model; what is remembered or fixed is nobody's.
        var isModels = fault is null && !request.Joined && request.Step >= 0
            && _chain[request.Step].Kind is ChainStepKind.Model;
        var answer = new RouteAnswer(request.Id, request.Came, _calendar.Now, request.Deadline)
        {
            Fault = fault, Step = request.Step, Cache = request.Cache.Step, CacheReason = request.Cache.Reason,
            Joined = request.Joined, Avoided = request.Avoided, Left = request.Left, Asks = request.Asks,
            Held = request.Held, Answerer = isModels ? request.Step : -1,
        };
        if (!EndsLater)
            Settle(answer);
        if (Ended is null)
            _answers.Add(answer);
        else
            Ended(answer);
    }

    private Fault? Broken(int step) => (BrokenSteps >> step & 1) == 0 ? null
        : new(FaultKind.RuntimeFailed, "A drill lets this step fail.");

    private StepCall CallOf(Request request, int step)
    {
        var now = _calendar.Now;
        var due = now + _chain.TimeoutOf(step, request.Deadline - now);
        var hasNext = _chain.Next(step, FaultKind.TargetsOpen, request.Deadline - now).Step >= 0;
        return new(
            request.Id, request.Came, due, request.Asks.Rows, request.Asks.Elements, request.Asks.Criticality, hasNext);
    }

    private sealed class Request(string id, RouteAsk asks, Instant came, Instant deadline)
    {
        public string Id => id;

        public RouteAsk Asks => asks;

        public Instant Came => came;

        public Instant Deadline => deadline;

        public CacheDecision Cache { get; set; }

        public CacheLead? Lead { get; set; }

        public int Step { get; set; } = -1;

        public bool Joined { get; set; }

        public bool Avoided { get; set; }

        public bool IsLate { get; set; }

        /// <summary>What it holds of limits and budgets; null without a gate.</summary>
        public GateVisit? Held { get; set; }

        /// <summary>Its place among those that wait for the one that leads; null where it does not.</summary>
        public RouteWaiter? Waiter { get; set; }

        /// <summary>It has passed the gate, and goes on with what it is told.</summary>
        public bool Joins { get; set; }

        /// <summary>It wants nothing more of the one that leads.</summary>
        public bool IsGone { get; set; }

        /// <summary>What it was told by the one that led; null before that.</summary>
        public (bool Answered, CacheLead? Lead, Fault? Fault)? Told { get; set; }

        public List<(int Step, FaultKind Why)> Left { get; } = [];
    }
}
