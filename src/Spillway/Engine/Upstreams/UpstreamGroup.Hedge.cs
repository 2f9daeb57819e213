namespace Spillway.Engine.Upstreams;

/// <content>Second copies of slow requests: interprets <see cref="Policies.Retry.HedgePolicy"/>.</content>
internal sealed partial class UpstreamGroup
{
    /// <summary>After how long a second copy is sent; null for never. A sequence's requests are made once.</summary>
    private TimeSpan? PlanHedge(Work work, Instant now, Instant deadline) => work.IsBeside
        ? null : Choice.PlanHedge(isIdempotent: work.Request.Sequence is null, now, deadline);

    /// <summary>
    /// Asks, and asks another target too when that takes long. The first answer counts; the other copy is stopped, and
    /// is over when this returns.
    /// </summary>
    private async ValueTask<(Fault? Fault, bool ToldNot)> HedgeAsync(
        UpstreamTurn turn, TimeSpan after, Work work, Signature signature, Instant deadline, CancellationToken aborted)
    {
        var began = _clock.Now;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(aborted);
        var first = CallAsync(turn, work, signature, deadline, stop.Token);
        if (!await IsSlowAsync(first, after, stop.Token).ConfigureAwait(false)
            || Choice.Second(turn.Target) is not { } other)
        {
            var alone = await first.ConfigureAwait(false);
            if (alone.Fault is null)
                Choice.Learn(_clock.Now - began);
            Pay(work, alone, isAnswer: alone.Fault is null);
            return (TargetClient.Take(alone, work, signature), alone.ToldNot);
        }

        try
        {
            var copy = CallAsync(other, work, signature, deadline, stop.Token);
            var (won, reply, loser) = await RaceAsync(first, copy, stop).ConfigureAwait(false);
            Pay(work, reply, isAnswer: reply.Fault is null);
            Pay(work, loser, isAnswer: false);
            var winner = won ? turn.Target : other.Target;
            Tell(work, $"{_clients[turn.Target].Name}: slow", $"a second copy went to {_clients[other.Target].Name}, "
                + $"and {_clients[winner].Name} was first");
            // Else the delay would follow the times that it cuts off, and more and more would be asked twice.
            if (reply.Fault is null)
                Choice.Learn(_clock.Now - began);
            return (TargetClient.Take(reply, work, signature), reply.ToldNot);
        }
        finally
        {
            Choice.SecondOver();
        }
    }

    /// <summary>Whether the delay passed without an answer.</summary>
    private async Task<bool> IsSlowAsync(Task<TargetReply> first, TimeSpan after, CancellationToken stop)
    {
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var delay = Task.Delay(after, _clock.Time, waiting.Token);
        var isSlow = await Task.WhenAny(first, delay).ConfigureAwait(false) == delay && !stop.IsCancellationRequested;
        await waiting.CancelAsync().ConfigureAwait(false);
        return isSlow;
    }

    /// <summary>The first answer, or the last fault; whether it was the first copy's; and the other reply.</summary>
    private static async Task<(bool IsFirst, TargetReply Reply, TargetReply Loser)> RaceAsync(
        Task<TargetReply> first, Task<TargetReply> copy, CancellationTokenSource stop)
    {
        var winner = await Task.WhenAny(first, copy).ConfigureAwait(false);
        if ((await winner.ConfigureAwait(false)).Fault is not null)
            winner = winner == first ? copy : first;
        var reply = await winner.ConfigureAwait(false);
        await stop.CancelAsync().ConfigureAwait(false);
        var loser = await (winner == first ? copy : first).ConfigureAwait(false);
        loser.Dispose();
        return (winner == first, reply, loser);
    }
}
