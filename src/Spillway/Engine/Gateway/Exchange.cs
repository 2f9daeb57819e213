using Spillway.Engine.Routes;
using Spillway.Flow;
using Spillway.Policies.Switching;
using Spillway.Telemetry;

namespace Spillway.Engine.Gateway;

/// <summary>
/// One request to a route over language models, from the gate to the last byte. Read it downwards: gate, reservation,
/// step after step of the chain, attempt after attempt of a step, and the price of what was delivered. The decisions
/// are those of the policies: chain, retries, breakers, limits. Nothing of it outlives <see cref="RunAsync"/>.
/// This file is long because that whole life stands in it.
/// </summary>
/// <param name="serving">The server.</param>
/// <param name="route">Where it goes.</param>
/// <param name="asked">What is asked.</param>
/// <param name="work">Its stages, its ticket, its record.</param>
/// <param name="sink">Where the answer goes.</param>
internal sealed partial class Exchange(Serving serving, ChatRoute route, AskedBody asked, Work work, IAnswerSink sink)
    : IDisposable
{
    private static readonly Fault s_left = new(
        FaultKind.Cancelled, "The caller went away before the answer was there.");

    /// <summary>All waits for another attempt at one step, where nothing else bounds them: as long as the shortest
    /// limits of upstreams reach.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(1);

    /// <summary>A longer wait for another attempt than this is not worth it where another step may be asked.</summary>
    private static readonly TimeSpan s_waitMost = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _stop = new();
    private readonly ExchangeState _state = new(work, asked, sink, serving.Clock);
    private readonly Clock _clock = serving.Clock;
    private Fault? _stopped;
    private GatewayUpstream? _answering;
    private DateTimeOffset _began;

    /// <summary>The refusal of an upstream that is about the request: its own words. Null for none.</summary>
    public (int Status, byte[] Body)? Refusal { get; private set; }

    /// <summary>Ends it from outside, with that fault.</summary>
    public void Stop(Fault fault)
    {
        Interlocked.CompareExchange(ref _stopped, fault, null);
        try
        {
            _stop.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // It has just ended by itself.
        }
    }

    /// <summary>Whether a switch is about it.</summary>
    public bool Concerns(SwitchTarget target) =>
        target.Concerns(work.Caller.Tenant, _answering?.Name ?? "", route.Name);

    /// <inheritdoc/>
    public void Dispose() => _stop.Dispose();

    /// <summary>Whether the server, the switches and the caller's rights let a request to the route in now.</summary>
    public static Fault? Gate(Serving serving, ChatRoute route, Work work)
    {
        if (serving.Untraced is { } untraced)
            return untraced;
        return work.Flow.Begin(route.Door.Route, serving.Stopping, work.Caller, serving.Guards.Switches.Now)
            is { What: Do.Refuse, Fault: { } shut } ? shut : null;
    }

    /// <summary>Runs it. Null when the caller has its answer.</summary>
    public async ValueTask<Fault?> RunAsync(CancellationToken aborted)
    {
        _began = _clock.Time.GetUtcNow();
        var fault = s_left;
        serving.Gateway.Enter(this);
        var leaving = aborted.UnsafeRegister(static self => ((Exchange)self!).Stop(s_left), this);
        try
        {
            fault = JudgeLength();
            fault ??= await EnterAsync().ConfigureAwait(false);
            fault ??= await JudgeAsync().ConfigureAwait(false);
            _state.Mark(Stage.Gate);
            fault ??= await ClimbAsync().ConfigureAwait(false);
            return fault;
        }
        finally
        {
            await leaving.DisposeAsync().ConfigureAwait(false);
            serving.Gateway.Leave(this);
            Close(fault);
        }
    }

    /// <summary>Step 8, the chain: one step after the other while nothing of an answer was sent.</summary>
    private async ValueTask<Fault?> ClimbAsync()
    {
        var trail = work.Trail = new();
        var deadline = Deadline();
        if (_from > 0)
            Leave(trail, step: 0, FaultKind.BudgetExhausted);
        for (var step = _from; ;)
        {
            trail.Step = step;
            var fault = await StepAsync(step, deadline).ConfigureAwait(false);
            if (fault is null)
            {
                route.Memory.Counts.AnsweredBy(step).Add();
                return null;
            }

            Leave(trail, step, fault.Kind);
            if (sink.HasBegun || _stop.IsCancellationRequested)
                return _stopped ?? fault;
            var move = route.Memory.Next(step, fault.Kind, deadline - _clock.Now);
            if (move.Step < 0)
                return fault;
            SettleStep();
            step = move.Step;
        }
    }

    private void Leave(RouteTrail trail, int step, FaultKind why)
    {
        trail.Leave(step, why);
        route.Memory.Counts.LeftBy(step).Add();
    }

    /// <summary>Its caller's time, or else the route's; that of a stream is over with its first content.</summary>
    private Instant Deadline()
    {
        var own = route.Memory.Options.DeadlineMs;
        work.Trail!.OwnDeadline = work.Request.Timeout is null && own > 0;
        if (work.Trail.OwnDeadline)
            work.Request.Timeout = TimeSpan.FromMilliseconds(own);
        return work.Request.Timeout is { } time ? work.Timeline.Started + time : Instant.Never;
    }

    /// <summary>One step: attempts at an upstream within its retry budget.</summary>
    private async ValueTask<Fault?> StepAsync(int step, Instant deadline)
    {
        var upstream = _answering = route.Steps[step];
        (_state.Facts.Upstream, _state.Facts.IsSimulated) = (upstream.Name, upstream.IsSimulated);
        (_state.Facts.ToldNot, _state.Facts.IsSpent, _state.Facts.IsContentRefused) = (false, false, false);
        _state.Price = route.PriceOf(step)?.At(_began);
        var own = route.Memory.TimeoutOf(step, deadline == Instant.Never ? TimeSpan.MaxValue : deadline - _clock.Now);
        var due = own == TimeSpan.MaxValue ? Instant.Never : _clock.Now + own;
        if (await EnterStepAsync(step, due).ConfigureAwait(false) is { } held)
            return held;
        var body = asked.For(upstream.Model, route.Options, upstream.Options.TokensField);
        _state.Facts.CapInjected =
            asked.TokensMax is null && WireCalls.Writes(asked.Call) ? route.Options.MaxTokens : 0;
        var attempt = new Attempt(upstream, asked.Call, body, _state, work.Trace?.ToString());
        return await AttemptsAsync(step, attempt, due, deadline).ConfigureAwait(false);
    }

    private async ValueTask<Fault?> AttemptsAsync(int step, Attempt attempt, Instant due, Instant deadline)
    {
        // Choosing the step and putting its body together is our own work, and no wait for a target.
        _state.Mark(Stage.Gate);
        var upstream = route.Steps[step];
        var (attempts, tried, paid) = (0, 0UL, false);
        var patience = Patience(upstream);
        try
        {
            while (true)
            {
                var turn = await upstream.Choice
                    .AcquireAsync(work.Criticality, tried, Sooner(due, patience), _stop.Token).ConfigureAwait(false);
                _state.Mark(Stage.Queue);
                var fault = turn.Fault;
                if (turn.Target >= 0)
                {
                    attempts++;
                    tried |= 1UL << turn.Target;
                    fault = await attempt.RunAsync(turn, due, _stop.Token).ConfigureAwait(false);
                    (Refusal, _state.Facts.ToldNot, _state.Facts.IsSpent) =
                        (attempt.Refusal, attempt.ToldNot, attempt.IsSpent);
                    if (fault is not null)
                        Lose(upstream);
                }

                if (fault is null)
                {
                    upstream.Choice.Succeeded(ref paid);
                    Say(upstream, turn.Target, null, "");
                    return null;
                }

                var decision = upstream.Choice.Decide(
                    new(fault.Kind, Math.Max(attempts, 1), sink.HasBegun, Sooner(due, patience), fault.RetryAfter,
                        ToldNot: attempt.ToldNot),
                    ref paid, out var why);
                var again = decision.Again && !IsLeft(step, fault, decision.Wait, deadline, ref why);
                Say(upstream, turn.Target, fault, why);
                if (!again || _stop.IsCancellationRequested)
                    return _stopped ?? fault;
                patience -= decision.Wait;
                if (!await PauseAsync(decision.Wait).ConfigureAwait(false))
                    return _stopped ?? s_left;
            }
        }
        finally
        {
            upstream.Choice.Repay(ref paid);
        }
    }

    /// <summary>Whether the next step is asked in place of a long wait.</summary>
    private bool IsLeft(int step, Fault fault, TimeSpan wait, Instant deadline, ref string why)
    {
        if (wait <= s_waitMost || route.Memory.Next(step, fault.Kind, deadline - _clock.Now).Step < 0)
            return false;
        why = FormattableString.Invariant(
            $"no other attempt: it would begin in {wait.TotalSeconds:0.#} s, and there is a next step");
        return true;
    }

    private static TimeSpan Patience(GatewayUpstream upstream)
    {
        var total = TimeSpan.FromMilliseconds(upstream.Options.TotalMs);
        return total < s_patience ? total : s_patience;
    }

    private Instant Sooner(Instant due, TimeSpan patience)
    {
        var end = _clock.Now + patience;
        return due < end ? due : end;
    }

    private void Say(GatewayUpstream upstream, int target, Fault? fault, string why) => work.Trail!.Say(
        target < 0 ? $"{upstream.Name}: {FaultLabels.Of(fault!.Kind)}"
        : $"{upstream[target].Name}: {(fault is null ? "answered" : FaultLabels.Of(fault.Kind))}", why);

    private async ValueTask<bool> PauseAsync(TimeSpan wait)
    {
        try
        {
            await Task.Delay(wait, _clock.Time, _stop.Token).ConfigureAwait(false);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
        finally
        {
            _state.Mark(Stage.Queue);
        }
    }

    /// <summary>Step 11: what was delivered has its price, on whatever path this ended.</summary>
    private void Close(Fault? fault)
    {
        _state.Close(fault);
        TokenizerTrust.Check(serving, route, _state);
        var used = _state.Facts.Used;
        work.Tokens = work.Tokens with { Used = used.Total };
        if (_state.Price is { } price && (fault is null || _state.Facts.IsPartial))
            _state.Facts.Bill = price.Price(used);
    }
}
