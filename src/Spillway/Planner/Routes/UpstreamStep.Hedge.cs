using Spillway.Policies.Routing;

namespace Spillway.Planner.Routes;

/// <content>
/// One attempt: a call, and a second one at another target where the production policy says so. The first answer
/// counts, and the other call is given up.
/// </content>
internal sealed partial class UpstreamStep
{
    /// <summary>Second copies that were sent.</summary>
    public long Hedges { get; private set; }

    /// <summary>Is told of each answered request with a copy that was sent in vain; null for nobody.</summary>
    public Action<StepCall>? Wasted { get; init; }

    private void Begin(Asker asker, Turn turn)
    {
        var now = _calendar.Now;
        var attempt = new Attempt(asker, now, turn.Target);
        Send(attempt, turn);
        if (_targets.Count < 2 || asker.Call.IsBeside
            || _hedge.Plan(isIdempotent: true, now, asker.Call.Deadline).After is not { } after)
            return;
        _calendar.Schedule(now + after, () =>
        {
            if (attempt.IsOver || Second(attempt.First) is not { } second)
                return;
            Hedges++;
            attempt.IsHedged = true;
            Send(attempt, second);
        });
    }

    /// <summary>Another target with room now, and one of the budget; null when either is missing.</summary>
    private Turn? Second(int first)
    {
        var now = _calendar.Now;
        if (_line.Count > 0 || _balancer.Choose(now, _random, 1UL << first).Target is not (>= 0 and var other)
            || other == first || !_hedge.TryBegin(now))
            return null;
        return new(other, _balancer.Targets[other].Begin(now), null);
    }

    private void Send(Attempt attempt, Turn turn)
    {
        var (now, asked) = (_calendar.Now, attempt.Asker.Call);
        Calls++;
        if (KeepsCalls)
            CalledAt.Add(now);
        var call = new Call(attempt, turn.Target, turn.Pass);
        attempt.Open.Add(call);
        var own = now + TimeSpan.FromMilliseconds(Math.Min(_options.FirstDeltaMs, _options.TotalMs));
        var (deadline, isDeadline) = (asked.Deadline, asked.Deadline <= own);
        var ends = isDeadline ? deadline : own;
        _calendar.Schedule(ends > now ? ends : now, () => Ended(call, isDeadline
            ? new(FaultKind.DeadlineExceeded, "The deadline came while an upstream was asked.")
            : new(FaultKind.UpstreamTimeout, $"The upstream {_name} took too long."), answered: false));
        _targets[turn.Target].Call(reply => Ended(
            call,
            reply.Fault is { } kind ? new(kind, $"The upstream {_name} failed.", reply.RetryAfter) : null,
            answered: reply.Fault is not FaultKind.UpstreamUnreachable));
    }

    /// <summary>The first of its answer and its time-out counts.</summary>
    private void Ended(Call call, Fault? fault, bool answered)
    {
        if (call.IsOver)
            return;
        var attempt = call.Attempt;
        if (answered)
            _balancer.Targets[call.Target].Began(call.Pass, _calendar.Now);
        Leave(call, fault?.Kind, fault?.RetryAfter);
        // A copy that failed says nothing of the other one.
        if (fault is null || attempt.Open.Count == 0)
            End(attempt, fault);
    }

    private void End(Attempt attempt, Fault? fault)
    {
        attempt.IsOver = true;
        foreach (var other in attempt.Open.ToArray())
            Leave(other, FaultKind.Cancelled, retryAfter: null);
        if (fault is null && _options.Hedge.Enabled)
            _hedge.Observe(_calendar.Now - attempt.Began);
        if (attempt.IsHedged)
        {
            _retry.Budget.Ended();
            if (fault is null)
                Wasted?.Invoke(attempt.Asker.Call);
        }

        Decide(attempt.Asker, fault);
    }

    private void Leave(Call call, FaultKind? kind, TimeSpan? retryAfter)
    {
        call.IsOver = true;
        call.Attempt.Open.Remove(call);
        var (target, now) = (_balancer.Targets[call.Target], _calendar.Now);
        target.Ended(call.Pass, TargetSigns.Of(kind, target, now - call.Pass.SentAt, now), retryAfter, now);
        Serve();
    }

    private sealed class Attempt(Asker asker, Instant began, int first)
    {
        public Asker Asker => asker;

        public Instant Began => began;

        public int First => first;

        public bool IsHedged { get; set; }

        public bool IsOver { get; set; }

        /// <summary>Calls under way, two at the most.</summary>
        public List<Call> Open { get; } = new(1);
    }

    private sealed class Call(Attempt attempt, int target, TargetPass pass)
    {
        public Attempt Attempt => attempt;

        public int Target => target;

        public TargetPass Pass => pass;

        public bool IsOver { get; set; }
    }
}
