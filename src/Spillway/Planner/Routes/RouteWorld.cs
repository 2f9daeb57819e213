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
/// What it leaves out: limits and budgets at the gate, rollouts, checks of answers (a simulated answer always fits),
/// and callers that leave.
/// </remarks>
internal sealed class RouteWorld
{
    private static readonly Fault s_avoided = new(
        FaultKind.PredictedLate, "The request that asked the same first was not sent to the first step.");

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

    /// <summary>Remembered answers; null where none are.</summary>
    public RouteMemoryWorld? Memory => _memory;

    /// <summary>Steps that a drill lets fail: one bit each.</summary>
    public ulong BrokenSteps { get; set; }

    /// <summary>Schedules a request.</summary>
    /// <param name="id">Its name.</param>
    /// <param name="at">When it comes.</param>
    /// <param name="asks">What it asks.</param>
    public void Arrive(string id, Instant at, RouteAsk asks) => _calendar.Schedule(at, () => Begin(id, asks));

    private void Begin(string id, RouteAsk asks)
    {
        var now = _calendar.Now;
        var patience = asks.Timeout ?? TimeSpan.FromMilliseconds(_options.DeadlineMs);
        var request = new Request(id, asks, now, now + patience);
        if (_memory is not null && !asks.PassesCache)
            request.Cache = _memory.LookUp(asks.Question, asks.Tenant, now);
        switch (request.Cache.Step)
        {
            case CacheStep.Hit or CacheStep.Stale:
                if (request.Cache.Lead is { } lead)
                    Revalidate(request, lead);
                End(request, null);
                break;
            case CacheStep.Join:
                Join(request);
                break;
            case CacheStep.Miss or CacheStep.Refresh or CacheStep.Bypass:
                request.Lead = request.Cache.Lead;
                Follow(request, Start(request), null);
                break;
        }
    }

    /// <summary>Waits for the one that leads, at most until its own deadline.</summary>
    private void Join(Request request)
    {
        var waiter = new RouteWaiter((answered, lead, fault) => _calendar.Schedule(
            _calendar.Now, () => Joined(request, answered, lead, fault)));
        CachePolicy.Add(request.Cache.Flight!, waiter);
        _calendar.Schedule(request.Deadline, () =>
        {
            if (CachePolicy.Leave(waiter))
                Joined(request, answered: false, lead: null, s_late);
        });
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

        _steps[0]!.Ask(CallOf(request, 0), fault =>
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
        var move = _chain.Start(waits, now);
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
                _steps[step]!.Ask(CallOf(request, step), failure => Asked(request, step, failure));
                break;
        }
    }

    /// <summary>Nothing behind the step that was passed over had an answer: late is better than none.</summary>
    private void AskLate(Request request)
    {
        (request.IsLate, request.Step) = (true, 0);
        if (Broken(0) is { } broken)
            End(request, broken);
        else
            _steps[0]!.Ask(CallOf(request, 0), failure => End(request, failure));
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
        var found = _memory is null || request.Asks.PassesCache ? default
            : _memory.LookUpAfterError(request.Asks.Question, request.Asks.Tenant, _calendar.Now);
        if (found.Answer is null)
        {
            Failed(request, step, new(FaultKind.ModelNotReady, "No answer to this request is remembered."));
            return;
        }

        request.Cache = found;
        End(request, null);
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
        Forgo(request, fault ?? s_avoided);
        var answer = new RouteAnswer(request.Id, request.Came, _calendar.Now, request.Deadline)
        {
            Fault = fault, Step = request.Step, Cache = request.Cache.Step, CacheReason = request.Cache.Reason,
            Joined = request.Joined, Avoided = request.Avoided, Left = request.Left,
        };
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

        public List<(int Step, FaultKind Why)> Left { get; } = [];
    }
}
