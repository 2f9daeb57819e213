using Spillway.Config;
using Spillway.Engine.Drills;
using Spillway.Policies.Pricing;
using Spillway.Policies.Retry;
using Spillway.Telemetry;

namespace Spillway.Engine.Upstreams;

/// <summary>
/// The targets of an upstream that takes tensors: calls those that <see cref="TargetChoice"/> chooses, until one
/// answers or another attempt is not worth it. Thread-safe.
/// </summary>
internal sealed partial class UpstreamGroup : IDisposable
{
    private readonly UpstreamOptions _options;
    private readonly Clock _clock;
    private readonly TargetClient[] _clients;

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
        (Name, _options, _clock, Choice) = (name, options, clock, new(name, options, clock, random));
        _clients = [.. options.Targets.Keys
            .Select(target => new TargetClient(name, target, options, key, clock, drills))];
    }

    /// <summary>The upstream's name.</summary>
    public string Name { get; }

    /// <summary>Which of its targets are asked.</summary>
    public TargetChoice Choice { get; }

    /// <summary>The longest that one call may take: the time of a request that brings no deadline.</summary>
    public double TotalMs => _options.TotalMs;

    /// <summary>What its answers cost; null where nobody gave a price.</summary>
    public Tariff? Tariff { get; init; }

    /// <summary>What its model takes and gives; null until a target said it.</summary>
    public Signature? Signature { get; private set; }

    /// <summary>Why nothing is known of it yet.</summary>
    public string Trouble { get; private set; } = "no target was asked yet";

    /// <summary>How it stands.</summary>
    public IReadOnlyList<TargetView> Look() => Choice.Look();

    /// <summary>Requests that wait for a target with room.</summary>
    public int Waiting => Choice.Waiting;

    /// <summary>How long a newcomer would wait before a target is asked.</summary>
    public TimeSpan PredictWait() => Choice.PredictWait();

    /// <summary>Its targets are asked with that key from now on, empty for none; false when it is the same.</summary>
    public bool UseKey(string key)
    {
        if (_clients[0].Key == key)
            return false;
        foreach (var client in _clients)
            client.Key = key;
        return true;
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
                var turn = await Choice.AcquireAsync(work.Criticality, tried, deadline, aborted)
                    .ConfigureAwait(false);
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
            Choice.Repay(ref paid);
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
        if (Choice.TryProbe(target) is not { } turn)
            return false;
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
            Choice.Probed(turn, fault ?? (stop.IsCancellationRequested ? s_stopped : null));
        }

        return isNew;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Choice.Dispose();
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
        if (reply.Fault is null)
            Choice.Learn(_clock.Now - began);
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
                work, signature, deadline, () => Choice.Began(turn), aborted).ConfigureAwait(false);
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
            Choice.Ended(turn, reply.Fault, tellsOnLeaving: true);
        }
    }

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

    private RetryDecision Decide(
        Fault? fault, bool toldNot, int attempts, Instant deadline, ref bool paid, out string why)
    {
        if (fault is not null)
        {
            return Choice.Decide(
                new(fault.Kind, attempts, FirstByteSent: false, deadline, fault.RetryAfter, ToldNot: toldNot),
                ref paid, out why);
        }

        Choice.Succeeded(ref paid);
        why = "";
        return RetryDecision.No(RetryReason.NotMendable);
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
