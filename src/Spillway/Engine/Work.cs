using Spillway.Config;
using Spillway.Engine.Guards;
using Spillway.Engine.Routes;
using Spillway.Engine.Sequences;
using Spillway.Flow;
using Spillway.Flow.Guards;
using Spillway.Policies.Caching;
using Spillway.Policies.Pricing;
using Spillway.Runtimes;
using Spillway.Telemetry;

namespace Spillway.Engine;

/// <summary>
/// One request inside the Engine: what was asked, how far it is, what came out. Pooled. Two hold it: the reader (the
/// pipeline that awaits <see cref="Answer"/>) and, from admission on, the deployment; it is recycled when both have let
/// go, so a run that goes on after its caller left still reads valid memory.
/// This file is long because all that is known of a request while it is under way stands together.
/// </summary>
public sealed class Work : WorkItem
{
    private readonly Action<Work> _recycle;
    private readonly TensorSet _decoded = new();
    private Timeline _timeline;
    private RequestFlow _flow;
    private int _holders;
    private SequenceSeat _seat = SequenceSeat.None;

    internal Work(Action<Work> recycle) => _recycle = recycle;

    /// <summary>What the caller asks.</summary>
    public InferenceRequest Request { get; } = new();

    /// <summary>The outputs as the served name's signature has them.</summary>
    public TensorSet Outputs { get; private set; } = new();

    /// <summary>Where the answer arrives.</summary>
    public Answer Answer { get; } = new(capacity: 1);

    /// <summary>Its stages.</summary>
    public ref Timeline Timeline => ref _timeline;

    /// <summary>Its decisions.</summary>
    public ref RequestFlow Flow => ref _flow;

    /// <summary>The served name it came through.</summary>
    public Door Door { get; internal set; } = null!;

    /// <summary>The request of which this is one attempt; null for a request of a caller's.</summary>
    internal Work? Whole { get; set; }

    /// <summary>The request of a caller's: itself, or the one of which it is an attempt.</summary>
    internal Work Asked => Whole is { } whole ? whole.Asked : this;

    /// <summary>The configuration that it began with.</summary>
    internal ConfigMark Config { get; set; } = ConfigMark.None;

    /// <summary>Its place in a trace, for those that it asks in turn; null where none is known.</summary>
    internal TraceContext? Trace { get; set; }

    /// <summary>What its caller asks of a cache.</summary>
    internal CacheDirective CacheAsked { get; set; }

    /// <summary>Whose side in a rollout is kept, when its caller says so; empty for the caller itself.</summary>
    internal string Session { get; set; } = "";

    /// <summary>An attempt that nobody waits for: its request may be over, so nothing is told of it there.</summary>
    internal bool IsBeside { get; set; }

    /// <summary>The upstream that answered said that its answer is degraded.</summary>
    internal bool CameDegraded { get; set; }

    /// <summary>How it went through a route's chain and cache; null for a plain model's request.</summary>
    internal RouteTrail? Trail { get; set; }

    /// <summary>What it holds of limits and budgets.</summary>
    internal GuardTicket Ticket { get; private set; } = new();

    /// <summary>
    /// What the step that gives its answer holds of those that name models: settled with the request, for what is not
    /// delivered costs nothing. Null until it had one.
    /// </summary>
    internal GuardTicket? StepTicket { get; private set; }

    /// <summary>The limits and budgets that gave it.</summary>
    internal ResolvedGuards? StepGuards { get; private set; }

    /// <summary>The limits and budgets that count it; null until it asked for them.</summary>
    internal ResolvedGuards? Guards { get; set; }

    /// <summary>What it waits for at the gate; null when it does not.</summary>
    internal GuardWait? Turn { get; set; }

    /// <summary>Whether it would still wait for its turn.</summary>
    internal bool Patient { get; set; } = true;

    /// <summary>Who asks.</summary>
    public Caller Caller { get; set; } = Caller.Local;

    /// <summary>The most that it can cost, where somebody limits that; else zero.</summary>
    public Money CostAtMost { get; internal set; }

    /// <summary>
    /// How much it matters that it is answered: what it says, at most what its caller may; a copy that nobody waits for
    /// is given up first.
    /// </summary>
    internal Criticality Criticality => IsBeside ? Criticality.Sheddable
        : Request.Criticality < Caller.Criticality ? Request.Criticality : Caller.Criticality;

    /// <summary>What it takes of limits of tokens; nothing for tensors.</summary>
    internal TokenClaim Tokens { get; set; }

    /// <summary>What is told of an answer of a language model; null for tensors.</summary>
    internal ChatFacts? Chat { get; set; }

    /// <summary>What holds it, from admission on; null before.</summary>
    internal Deployment? Deployment { get; set; }

    /// <summary>When the model that it waited for was there; null when it was there already.</summary>
    internal Instant? LoadedAt { get; set; }

    /// <summary>What admission said.</summary>
    public Placement Placement { get; internal set; }

    /// <summary>What it asked room for.</summary>
    public Claim Claim { get; internal set; }

    /// <summary>How it got going.</summary>
    public Launch Launch { get; internal set; }

    /// <summary>The run it was in; default when it was in none.</summary>
    public RunFacts Run { get; internal set; }

    /// <summary>What it has of that run's price; default while it runs, and where nothing has a price.</summary>
    internal RunShare Share { get; set; }

    /// <summary>Whose answer a route gave, when it asked a model for it; else null.</summary>
    internal Door? AnsweredBy { get; private set; }

    /// <summary>
    /// Which model a route's answer is of, or which failed last; null before its first step, and for a plain model.
    /// </summary>
    internal AnswerOrigin? Origin { get; private set; }

    /// <summary>
    /// Steps of its route whose models were wanted at the gate and did not come, with the reason; null for none.
    /// </summary>
    internal List<(int Step, Fault Why)>? NotLoaded { get; set; }

    /// <summary>
    /// What calls to an upstream cost that brought it no answer; nothing where that has no price. Of a request to a
    /// language model: at the step that is asked.
    /// </summary>
    internal Money Lost { get; set; }

    /// <summary>Why it ended without an answer, set by whoever completed it.</summary>
    public FaultKind? Ended { get; internal set; }

    /// <summary>Time that its pictures took, part of the parse stage; only set where the door decodes.</summary>
    internal TimeSpan DecodeTime { get; set; }

    /// <summary>What an answer to it has used.</summary>
    internal Usage Used => new(Claim.Rows, Claim.Elements);

    /// <inheritdoc/>
    public override TensorSet Inputs => Door.Decodes ? _decoded : Request.Inputs;

    /// <inheritdoc/>
    public override int Rows => Claim.Rows;

    /// <summary>The slot it holds, or -1. Guarded by the deployment's lock.</summary>
    internal int Slot { get; set; } = -1;

    /// <summary>Decoded. Guarded by the deployment's lock.</summary>
    internal bool IsReady { get; set; }

    /// <summary>Runs under way when it became ready, for the record.</summary>
    internal int ActiveWhenReady { get; set; }

    /// <summary>Its leaving stopped the run, for the record.</summary>
    internal bool StoppedRun { get; set; }

    /// <summary>Nobody waits for it any more, though it runs. Guarded by the deployment's lock.</summary>
    internal bool Gone { get; set; }

    /// <summary>A fault of this item alone, found while its outputs were made. Written by the runner.</summary>
    internal Fault? OutputFault { get; set; }

    /// <inheritdoc/>
    public override void Output(int port, in Shape shape, ReadOnlySpan<byte> data) => Door.TakeOutput(this, port, shape, data);

    /// <summary>Where it stands in its sequence.</summary>
    internal ref SequenceSeat Seat => ref _seat;

    /// <summary>Begins a life with one holder, the reader.</summary>
    internal void Begin(Instant now)
    {
        _timeline.Begin(now);
        // A request that is refused before its flow begins is settled too.
        _flow = default;
        _holders = 1;
    }

    /// <summary>Begins as an attempt of another one, whose stages go on here and whose memory it reads.</summary>
    internal void Begin(Work whole, Door door)
    {
        whole.Hold();
        (Whole, Door, Caller, _holders) = (whole, door, whole.Caller, 1);
        (_timeline, _flow) = (whole._timeline, default);
        var (from, to) = (whole.Request, Request);
        (to.Id, to.Priority, to.Timeout, to.Criticality) = (from.Id, from.Priority, from.Timeout, from.Criticality);
        (IsBeside, CacheAsked, Session) = (whole.IsBeside, whole.CacheAsked, whole.Session);
        foreach (var output in from.Outputs)
            to.Outputs.Add(output);
        foreach (ref readonly var tensor in from.Inputs.Span)
            to.Inputs.Add() = tensor;
    }

    /// <summary>The deployment holds it too.</summary>
    internal void Hold() => Interlocked.Increment(ref _holders);

    /// <summary>One holder lets go; the last recycles it.</summary>
    internal void Release()
    {
        if (Interlocked.Decrement(ref _holders) == 0)
            _recycle(this);
    }

    /// <summary>An attempt ended: what became of it is what became of the request. Only once nothing runs it.</summary>
    internal void Adopt(Work attempt)
    {
        AnsweredBy = attempt.AnsweredBy ?? attempt.Door;
        (Outputs, attempt.Outputs) = (attempt.Outputs, Outputs);
        AdoptFacts(attempt);
        // What an upstream did is paid, whether its answer is delivered or not: its ticket is the attempt's own.
        if (attempt.Door.Upstream is null)
            AdoptTicket(attempt);
    }

    /// <summary>What an attempt holds, or a step of it, is settled with the request from here on.</summary>
    internal void AdoptTicket(Work attempt)
    {
        if (attempt.StepTicket is { Set: not null } inner)
            (StepTicket, attempt.StepTicket, StepGuards) = (inner, StepTicket, attempt.StepGuards);
        else if (attempt.Ticket.Set is not null)
            (StepTicket, attempt.Ticket, StepGuards) = (attempt.Ticket, StepTicket ?? new(), attempt.Guards);
    }

    /// <summary>An attempt failed, and a run may still use what is its own: only what is told of it.</summary>
    internal void AdoptFacts(Work attempt)
    {
        (Placement, Launch, Run) = (attempt.Placement, attempt.Launch, attempt.Run);
        // One that was refused before it was measured asked room for nothing.
        if (attempt.Claim.Rows > 0)
            Claim = attempt.Claim;
        (Share, Ended, Deployment) = (attempt.Share, attempt.Ended, attempt.Deployment);
        Origin = attempt.Origin ?? attempt.Door.Origin;
        (DecodeTime, IsReady, ActiveWhenReady) = (attempt.DecodeTime, attempt.IsReady, attempt.ActiveWhenReady);
        StoppedRun = attempt.StoppedRun;
        Ticket.Hear(attempt.Ticket);
    }

    /// <summary>
    /// It is answered with what is at hand: nothing ran for that, and what ran before is told with its steps.
    /// </summary>
    /// <param name="origin">Which model gave it once; <see cref="AnswerOrigin.None"/> for none.</param>
    internal void AdoptAtHand(AnswerOrigin origin)
    {
        (Placement, Launch, Run, Share) = (default, Launch.Queue, default, default);
        (Ended, Deployment, AnsweredBy, Origin) = (null, null, null, origin);
        (IsReady, ActiveWhenReady, StoppedRun) = (false, 0, false);
    }

    /// <summary>As new.</summary>
    internal void Reset()
    {
        Request.Reset();
        Outputs.Reset();
        _decoded.Reset();
        Answer.Reset();
        (Slot, IsReady, Gone, OutputFault, Ended) = (-1, false, false, null, null);
        (Run, Launch, ActiveWhenReady, StoppedRun) = (default, Launch.Queue, 0, false);
        (Placement, Claim, Deployment, LoadedAt) = (default, default, null, null);
        Ticket.Reset();
        StepTicket?.Reset();
        StepGuards = null;
        // What an attempt runs on lies in the memory of the request that it belongs to.
        var whole = Whole;
        (Whole, Trail, Trace, CacheAsked) = (null, null, null, CacheDirective.Use);
        (Session, IsBeside, CameDegraded) = ("", false, false);
        whole?.Release();
        (Guards, Turn, Patient, CostAtMost) = (null, null, true, default);
        (Tokens, Chat) = (default, null);
        (DecodeTime, _seat, Caller, Share) = (default, SequenceSeat.None, Caller.Local, default);
        (Lost, AnsweredBy, Origin, NotLoaded) = (default, null, null, null);
    }
}

/// <summary>What a request to a language model takes of limits of tokens and bytes.</summary>
/// <param name="AtMost">The most tokens that it can use.</param>
/// <param name="Used">Those that it used, known at its end.</param>
/// <param name="Bytes">Bytes of its body.</param>
internal readonly record struct TokenClaim(long AtMost, long Used, long Bytes);
