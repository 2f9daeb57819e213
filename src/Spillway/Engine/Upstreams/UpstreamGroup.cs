using Spillway.Config;
using Spillway.Engine.Drills;
using Spillway.Policies.Breaking;
using Spillway.Policies.Pricing;
using Spillway.Policies.Retry;
using Spillway.Policies.Routing;
using Spillway.Telemetry;

namespace Spillway.Engine.Upstreams;

/// <summary>
/// The targets of an upstream, live: interprets balancer, breakers, limits, line and retries for any number of requests
/// under one short lock, and calls. Thread-safe. This file is long because everything over the lock stands in it.
/// </summary>
internal sealed partial class UpstreamGroup : IDisposable
{
    private readonly Lock _lock = new();
    private readonly UpstreamOptions _options;
    private readonly Clock _clock;
    private readonly TargetClient[] _clients;
    private readonly Balancer _balancer;
    private readonly RetryPolicy _retry;
    private readonly HedgePolicy _hedge;
    private readonly UpstreamQueue _queue;
    private readonly Random _random;

    /// <summary>Makes one; nothing is asked yet.</summary>
    /// <param name="name">The upstream's.</param>
    /// <param name="options">Validated.</param>
    /// <param name="key">The targets' key; empty for none.</param>
    /// <param name="clock">The clock.</param>
    /// <param name="random">The jitter and the draws; its own.</param>
    /// <param name="drills">What a drill breaks; null for nothing ever.</param>
    public UpstreamGroup(
        string name, UpstreamOptions options, string key, Clock clock, Random random, DrillSwitch? drills = null)
    {
        (Name, _options, _clock, _random) = (name, options, clock, random);
        _clients = [.. options.Targets.Keys
            .Select(target => new TargetClient(name, target, options, key, clock, drills))];
        _balancer = new(options.Balancing, [.. options.Targets.Select(target => new Target(
            target.Key, target.Value.Weight, new(options.Breaker), new(options.Concurrency),
            TimeSpan.FromMilliseconds(options.Balancing.MemoryMs)))]);
        _retry = new(options.Retry, new(options.Retry));
        _hedge = new(options.Hedge, _retry.Budget);
        _queue = new(name, options.Queue, clock, _lock, Take);
        Counts = new([.. options.Targets.Keys]);
    }

    /// <summary>The upstream's name.</summary>
    public string Name { get; }

    /// <summary>The longest that one call may take: the time of a request that brings no deadline.</summary>
    public double TotalMs => _options.TotalMs;

    /// <summary>What its answers cost; null where nobody gave a price.</summary>
    public Tariff? Tariff { get; init; }

    /// <summary>What is counted.</summary>
    public UpstreamInstruments Counts { get; }

    /// <summary>What its model takes and gives; null until a target said it.</summary>
    public Signature? Signature { get; private set; }

    /// <summary>Why nothing is known of it yet.</summary>
    public string Trouble { get; private set; } = "no target was asked yet";

    /// <summary>How it stands.</summary>
    public IReadOnlyList<TargetView> Look()
    {
        var now = _clock.Now;
        lock (_lock)
        {
            return [.. _balancer.Targets.Select(t => new TargetView(
                t.Name, t.Breaker.StateAt(now), t.Limit.Limit, t.InFlight,
                t.IsKnown ? new((long)t.LatencyAt(now)) : null, t.Breaker.Explain(now)))];
        }
    }

    /// <summary>Requests that wait for a target with room.</summary>
    public int Waiting => _queue.Count;

    /// <summary>How long a newcomer would wait before a target is asked.</summary>
    public TimeSpan PredictWait()
    {
        lock (_lock)
            return _balancer.PredictWait(_queue.Count, _clock.Now);
    }

    private async ValueTask<Fault?> AttemptsAsync(
        Work work, Instant deadline, bool hasNext, CancellationToken aborted)
    {
        if (Signature is not { } signature)
        {
            return new(
                FaultKind.ModelNotReady, $"The upstream {Name} is not known yet: {Trouble}", TimeSpan.FromSeconds(1));
        }

        var (attempts, tried, paid) = (0, 0UL, false);
        try
        {
            while (true)
            {
                var turn = await AcquireAsync(work.Criticality, tried, deadline, aborted).ConfigureAwait(false);
                var (fault, toldNot) = (turn.Fault, false);
                if (turn.Target >= 0)
                {
                    attempts++;
                    tried |= 1UL << turn.Target;
                    (fault, toldNot) = await AskAsync(turn, work, signature, deadline, aborted).ConfigureAwait(false);
                }

                if (hasNext && fault is { Kind: FaultKind.TargetsOpen })
                {
                    Tell(work, $"{Name}: {FaultLabels.Of(fault.Kind)}", "nobody waits, for there is a next step");
                    return fault;
                }

                var decision = Decide(fault, toldNot, Math.Max(attempts, 1), deadline, ref paid, out var why);
                Tell(work, turn.Target < 0 ? $"{Name}: {fault!.Kind}" : Said(turn.Target, fault), why);
                if (fault is null || !decision.Again)
                    return fault;
                if (!await PauseAsync(decision.Wait, aborted).ConfigureAwait(false))
                    return new(FaultKind.Cancelled, "The caller went away before the answer was there.");
            }
        }
        finally
        {
            Repay(ref paid);
        }
    }

    private string Said(int target, Fault? fault) =>
        $"{_clients[target].Name}: {(fault is null ? "answered" : FaultLabels.Of(fault.Kind))}";

    private static void Tell(Work work, string what, string then) =>
        (work.IsBeside ? null : work.Asked.Trail)?.Say(what, then);

    /// <summary>
    /// Asks one target how it is: what its model is as long as nobody said it, else whether it is ready.
    /// </summary>
    /// <returns>True when the signature has just become known.</returns>
    public async ValueTask<bool> ProbeAsync(int target, CancellationToken stop)
    {
        TargetPass pass;
        lock (_lock)
        {
            if (!_balancer.Targets[target].IsUsable(_clock.Now))
                return false;
            pass = _balancer.Targets[target].Begin(_clock.Now);
        }

        var (isNew, fault) = (false, (Fault?)null);
        try
        {
            if (Signature is not null)
                fault = await _clients[target].CheckAsync(stop).ConfigureAwait(false);
            else if ((await _clients[target].DescribeAsync(stop).ConfigureAwait(false))
                .TryGet(out var known, out fault))
                (Signature, isNew) = (known, true);
            if (fault is not null && Signature is null)
                Trouble = fault.Message;
        }
        finally
        {
            Probed(target, pass, fault ?? (stop.IsCancellationRequested ? s_stopped : null));
        }

        return isNew;
    }

    /// <summary>How many targets.</summary>
    public int TargetCount => _clients.Length;

    /// <inheritdoc/>
    public void Dispose()
    {
        _queue.Dispose();
        foreach (var client in _clients)
            client.Dispose();
    }

    private static readonly Fault s_stopped = new(FaultKind.Cancelled, "The server is stopping.");

    /// <summary>One target; with a second copy at another one where that is declared and it takes long.</summary>
    private async ValueTask<(Fault? Fault, bool ToldNot)> AskAsync(
        UpstreamTurn turn, Work work, Signature signature, Instant deadline, CancellationToken aborted)
    {
        var began = _clock.Now;
        if (PlanHedge(work, began, deadline) is { } after)
            return await HedgeAsync(turn, after, work, signature, deadline, aborted).ConfigureAwait(false);
        var reply = await CallAsync(turn, work, signature, deadline, aborted).ConfigureAwait(false);
        if (reply.Fault is null && _options.Hedge.Enabled)
            Learn(_clock.Now - began);
        Pay(work, reply, isAnswer: reply.Fault is null);
        return (TargetClient.Take(reply, work, signature), reply.ToldNot);
    }

    private async Task<TargetReply> CallAsync(
        UpstreamTurn turn, Work work, Signature signature, Instant deadline, CancellationToken aborted)
    {
        var reply = new TargetReply(s_stopped);
        try
        {
            var client = _clients[turn.Target];
            reply = await client.AskAsync(
                work, signature, deadline,
                () =>
                {
                    lock (_lock)
                        _balancer.Targets[turn.Target].Began(turn.Pass, _clock.Now);
                },
                aborted).ConfigureAwait(false);
            // An answer that is none is a failure of the target, and the other copy of a request goes on.
            if (reply.Answer is { } answer && client.Judge(answer, work.Request, signature) is { } unfit)
            {
                reply.Dispose();
                reply = new(unfit);
            }

            return reply with { Took = _clock.Now - turn.Pass.SentAt };
        }
        finally
        {
            Ended(turn.Target, turn.Pass, reply.Fault);
            Counts.Ended(turn.Target, reply.Fault?.Kind);
        }
    }

    private ValueTask<UpstreamTurn> AcquireAsync(
        Criticality criticality, ulong tried, Instant deadline, CancellationToken aborted)
    {
        lock (_lock)
        {
            var now = _clock.Now;
            // Whoever waits goes first, or hears that nobody may be asked.
            _queue.Serve();
            var turn = _queue.Count == 0 ? Choose(now, tried) : null;
            return turn is { } given ? new(given) : _queue.WaitAsync(criticality, deadline, aborted);
        }
    }

    /// <summary>Under the lock: a target, or that none may be asked; null when all have as much as they may.</summary>
    private UpstreamTurn? Choose(Instant now, ulong tried)
    {
        var choice = _balancer.Choose(now, _random, tried);
        if (choice.Target >= 0)
            return new(choice.Target, _balancer.Targets[choice.Target].Begin(now), null);
        return choice.Reason is ChoiceReason.AllFull ? null : new(-1, default, new(
            FaultKind.TargetsOpen, $"Every target of the upstream {Name} is left alone after failures. Retry in "
            + $"{choice.Wait.TotalMilliseconds:0} ms.", choice.Wait));
    }

    /// <summary>Under the lock: a turn for the next who waits, or that there is none.</summary>
    private UpstreamTurn? Take(Instant now) => Choose(now, tried: 0);

    /// <summary>
    /// What a call cost: of the answer that counts the work's part of a run, of any other what was lost with it. A call
    /// that nobody worked on costs nothing.
    /// </summary>
    private void Pay(Work work, in TargetReply reply, bool isAnswer)
    {
        if (Tariff is not { } tariff
            || reply.Fault is { Kind: FaultKind.UpstreamUnreachable or FaultKind.UpstreamThrottled })
            return;
        var (price, rows) = (tariff.At(device: 0, _clock.Time.GetUtcNow()), work.Claim.Rows);
        // Its time is no hardware's of this server.
        var share = price.Share(reply.Took, before: 0, rows, rows) with { Busy = TimeSpan.Zero };
        if (isAnswer)
            work.Share = share;
        else
            work.Lost += reply.Fault is null ? price.Price(work.Used, share).Total : share.Time;
    }

    /// <summary>
    /// It was asked how it is. That it is ready says that it may be asked again, not that its answers are good.
    /// </summary>
    private void Probed(int target, in TargetPass pass, Fault? fault)
    {
        lock (_lock)
        {
            var kind = fault is null && !pass.Breaker.IsProbe ? FaultKind.Cancelled : fault?.Kind;
            _balancer.Targets[target].Ended(pass, kind, fault?.RetryAfter, _clock.Now);
            _queue.Serve();
        }
    }

    private void Ended(int target, in TargetPass pass, Fault? fault)
    {
        lock (_lock)
        {
            var (it, now) = (_balancer.Targets[target], _clock.Now);
            it.Ended(pass, TargetSigns.Of(fault?.Kind, it, now - pass.SentAt, now), fault?.RetryAfter, now);
            _queue.Serve();
        }
    }

    private RetryDecision Decide(
        Fault? fault, bool toldNot, int attempts, Instant deadline, ref bool paid, out string why)
    {
        Repay(ref paid);
        lock (_lock)
        {
            if (fault is null)
            {
                _retry.Budget.Succeeded(_clock.Now);
                why = "";
                return RetryDecision.No(RetryReason.NotMendable);
            }

            var ask = new RetryAsk(
                fault.Kind, attempts, FirstByteSent: false, deadline, fault.RetryAfter, ToldNot: toldNot);
            var decision = _retry.Decide(ask, _clock.Now, _random);
            paid = decision.TakesBudget;
            why = _retry.Explain(decision, ask);
            if (paid)
                Counts.Retries.Add();
            return decision;
        }
    }

    private void Repay(ref bool paid)
    {
        if (!paid)
            return;
        paid = false;
        lock (_lock)
            _retry.Budget.Ended();
    }

    /// <summary>False when the caller left meanwhile.</summary>
    private async ValueTask<bool> PauseAsync(TimeSpan wait, CancellationToken aborted)
    {
        try
        {
            await Task.Delay(wait, _clock.Time, aborted).ConfigureAwait(false);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }
}

/// <summary>A target to ask, or why there is none.</summary>
/// <param name="Target">Its index, or -1.</param>
/// <param name="Pass">Goes back with the result, exactly once.</param>
/// <param name="Fault">Why there is none.</param>
internal readonly record struct UpstreamTurn(int Target, TargetPass Pass, Fault? Fault);

/// <summary>How a target stands.</summary>
/// <param name="Name">Its name.</param>
/// <param name="State">Whether it takes requests.</param>
/// <param name="Limit">Requests that it gets at once.</param>
/// <param name="InFlight">Requests at it.</param>
/// <param name="Latency">Recent time to the first byte; null when it never answered.</param>
/// <param name="Why">Its breaker as a sentence.</param>
internal readonly record struct TargetView(
    string Name, BreakerState State, int Limit, int InFlight, TimeSpan? Latency, string Why);
