using Spillway.Planner;
using Spillway.Policies.Breaking;
using Spillway.Policies.Concurrency;
using Spillway.Policies.Retry;
using Spillway.Policies.Routing;

namespace Spillway.Tests.Simulation;

/// <summary>
/// Callers, the policies of a route to upstreams, and the upstreams, on virtual time. An upstream works through a queue
/// at a steady rate, also for callers who have given up, as real ones do; while it is dead it refuses connections or
/// hangs. Naive callers go round the targets and try again three times after 100 ms, which is what many clients do.
/// </summary>
internal sealed class UpstreamWorld
{
    public const double DeadFromMs = 10_000;
    public const double DeadToMs = 40_000;
    public const double EndMs = 60_000;
    public const double TimeoutMs = 500;
    public const double DeadlineMs = 1000;
    public const double WorkMs = 10;
    public const int PerSecond = 200;

    private readonly Calendar _calendar = new();
    private readonly Random _random;
    private readonly bool _hangs;
    private readonly bool _naive;
    private readonly double[] _freeAt;
    private readonly double _serviceMs;
    private readonly Balancer _balancer;
    private readonly RetryPolicy _retry;
    private readonly UpstreamLine _line;
    private readonly Stack<int> _slots;
    private readonly Caller?[] _waiting;
    private readonly LineDrop[] _drops = new LineDrop[64];
    private int _round;

    /// <summary>The first target dies, the others stay.</summary>
    public UpstreamWorld(int seed, int targets, bool hangs, bool naive)
    {
        (_random, _hangs, _naive) = (new(seed), hangs, naive);
        // Half as much again as is asked for, with and without the one that dies.
        _serviceMs = 1000.0 / (PerSecond * 1.5 / Math.Max(1, targets - 1));
        _freeAt = new double[targets];
        _balancer = new(new(), [.. Enumerable.Range(0, targets).Select(i => new Target(
            $"t{i}", 1, new Breaker(new()), new Gradient2(new()), TimeSpan.FromSeconds(10)))]);
        _retry = new(new(), new(new()));
        var lineOptions = new UpstreamLineOptions();
        _line = new(lineOptions, default);
        _slots = new(Enumerable.Range(0, lineOptions.LengthMax + 1));
        _waiting = new Caller?[lineOptions.LengthMax + 1];
    }

    /// <summary>Everybody who came, in the order of coming.</summary>
    public List<Caller> Callers { get; } = [];

    /// <summary>When attempts were sent, and where to.</summary>
    public List<(double Ms, int Target)> Attempts { get; } = [];

    /// <summary>Attempts for each request in a stretch of time.</summary>
    public double AttemptsPerRequest(double fromMs, double toMs) =>
        Attempts.Count(a => a.Ms >= fromMs && a.Ms < toMs)
        / (double)Callers.Count(c => c.CameMs >= fromMs && c.CameMs < toMs);

    /// <summary>The part of those who came in a stretch of time and were answered.</summary>
    public double Answered(double fromMs, double toMs) =>
        Callers.Where(c => c.CameMs >= fromMs && c.CameMs < toMs).Average(c => c.TookMs is null ? 0 : 1);

    /// <summary>A percentile of the time of those who were answered.</summary>
    public double Percentile(double share, double fromMs, double toMs)
    {
        double[] times = [.. Callers.Where(c => c.CameMs >= fromMs && c.CameMs < toMs && c.TookMs is not null)
            .Select(c => c.TookMs!.Value).Order()];
        return times[(int)(share * (times.Length - 1))];
    }

    /// <summary>How long after its return the last one came who was not answered.</summary>
    public double RecoveredMs => Callers.Where(c => c.TookMs is null && c.CameMs < EndMs - DeadlineMs)
        .Select(c => c.CameMs - DeadToMs).Append(0).Max();

    /// <summary>How long after its return the first target took its part again.</summary>
    public double BackMs(int attempts) =>
        Attempts.Where(a => a.Target == 0 && a.Ms >= DeadToMs).Skip(attempts).Select(a => a.Ms).First() - DeadToMs;

    public void Run()
    {
        for (var ms = 0.0; ms < EndMs; ms += -Math.Log(1 - _random.NextDouble()) * 1000 / PerSecond)
        {
            var caller = new Caller(ms);
            Callers.Add(caller);
            At(ms, () => Send(caller));
        }

        _calendar.Run();
    }

    private double NowMs => _calendar.Now.Ticks / (double)TimeSpan.TicksPerMillisecond;

    private void Send(Caller caller)
    {
        if (_naive)
        {
            Attempt(caller, _round++ % _freeAt.Length, default);
            return;
        }

        var choice = _balancer.Choose(_calendar.Now, _random, caller.Tried);
        if (choice.Target >= 0)
            Attempt(caller, choice.Target, _balancer.Targets[choice.Target].Begin(_calendar.Now));
        else if (choice.Reason is ChoiceReason.AllOpen)
            Again(caller, FaultKind.TargetsOpen, choice.Wait);
        else
            Queue(caller);
    }

    private void Attempt(Caller caller, int target, TargetPass pass)
    {
        Attempts.Add((NowMs, target));
        caller.Attempts++;
        caller.Tried |= 1UL << target;
        var dead = target == 0 && NowMs is >= DeadFromMs and < DeadToMs;
        if (dead)
        {
            var (fault, after) = _hangs ? (FaultKind.UpstreamTimeout, TimeoutMs) : (FaultKind.UpstreamUnreachable, 1);
            At(NowMs + after, () => Ended(caller, target, pass, fault));
            return;
        }

        _freeAt[target] = Math.Max(_freeAt[target], NowMs) + _serviceMs;
        var answer = _freeAt[target] + WorkMs;
        if (answer - NowMs <= TimeoutMs)
            At(answer, () => Ended(caller, target, pass, null));
        else
            At(NowMs + TimeoutMs, () => Ended(caller, target, pass, FaultKind.UpstreamTimeout));
    }

    private void Ended(Caller caller, int target, TargetPass pass, FaultKind? fault)
    {
        if (!_naive)
        {
            if (fault is null)
            {
                _balancer.Targets[target].Began(pass, _calendar.Now);
                _retry.Budget.Succeeded(_calendar.Now);
            }

            _balancer.Targets[target].Ended(pass, fault, null, _calendar.Now);
            if (caller.HoldsBudget)
                _retry.Budget.Ended();
            caller.HoldsBudget = false;
        }

        if (fault is { } kind)
            Again(caller, kind, null);
        else if (NowMs - caller.CameMs <= DeadlineMs)
            caller.TookMs = NowMs - caller.CameMs;
        TakeNext();
    }

    private void Again(Caller caller, FaultKind kind, TimeSpan? retryAfter)
    {
        if (_naive)
        {
            if (caller.Attempts < 4)
                At(NowMs + 100, () => Send(caller));
            return;
        }

        var decision = _retry.Decide(
            new(kind, caller.Attempts, false, Ms(caller.CameMs + DeadlineMs), retryAfter, Expected: Span(WorkMs)),
            _calendar.Now, _random);
        if (!decision.Again)
            return;
        caller.HoldsBudget |= decision.TakesBudget;
        _calendar.Schedule(_calendar.Now + decision.Wait, () => Send(caller));
    }

    private void Queue(Caller caller)
    {
        if (!_slots.TryPop(out var slot))
            return;
        var verdict = _line.Add(slot, Criticality.Critical, Ms(caller.CameMs + DeadlineMs - WorkMs), _calendar.Now);
        if (verdict.Says is LineSays.Full)
        {
            _slots.Push(slot);
            GiveUp(caller);
            return;
        }

        _waiting[slot] = caller;
        _calendar.Schedule(_line.WakeAt, TakeNext);
    }

    private void TakeNext()
    {
        if (_naive)
            return;
        var dropped = _line.Expire(_calendar.Now, _drops);
        foreach (var drop in _drops.AsSpan(0, dropped))
        {
            _slots.Push(drop.Slot);
            GiveUp(_waiting[drop.Slot]!);
        }

        while (_line.Count > 0)
        {
            var choice = _balancer.Choose(_calendar.Now, _random);
            if (choice.Target < 0)
                return;
            var slot = _line.Take(_calendar.Now);
            _slots.Push(slot);
            Attempt(_waiting[slot]!, choice.Target, _balancer.Targets[choice.Target].Begin(_calendar.Now));
        }
    }

    private void GiveUp(Caller caller)
    {
        if (caller.HoldsBudget)
            _retry.Budget.Ended();
        caller.HoldsBudget = false;
    }

    private void At(double ms, Action happens) => _calendar.Schedule(Ms(ms), happens);

    private static Instant Ms(double ms) => new((long)(ms * TimeSpan.TicksPerMillisecond));

    private static TimeSpan Span(double ms) => TimeSpan.FromMilliseconds(ms);

    /// <summary>One who asks once.</summary>
    internal sealed class Caller(double cameMs)
    {
        public double CameMs => cameMs;

        public double? TookMs { get; set; }

        public int Attempts { get; set; }

        public ulong Tried { get; set; }

        public bool HoldsBudget { get; set; }
    }
}
