using Spillway.Config;
using Spillway.Policies.Concurrency;
using Spillway.Policies.Retry;
using Spillway.Policies.Routing;

namespace Spillway.Planner.Routes;

/// <summary>
/// A step that an upstream answers: balancer, breakers, limits, line, retries and second copies of production over
/// simulated targets. The virtual interpreter of what the Engine's UpstreamGroup carries out live.
/// </summary>
internal sealed partial class UpstreamStep : IStepWorld
{
    private const int DropsAtOnce = 32;

    private readonly string _name;
    private readonly UpstreamOptions _options;
    private readonly Calendar _calendar;
    private readonly IReadOnlyList<SimulatedTarget> _targets;
    private readonly Balancer _balancer;
    private readonly RetryPolicy _retry;
    private readonly HedgePolicy _hedge;
    private readonly UpstreamLine _line;
    private readonly Asker?[] _waiting;
    private readonly Stack<int> _free;
    private readonly Random _random;
    private Instant _armed = Instant.Never;

    /// <summary>An idle one.</summary>
    /// <param name="name">The upstream's name.</param>
    /// <param name="options">Limits and time-outs; its targets are those that follow.</param>
    /// <param name="targets">All of equal weight.</param>
    /// <param name="calendar">The route's.</param>
    /// <param name="seed">Of draws and jitter.</param>
    public UpstreamStep(
        string name, UpstreamOptions options, IReadOnlyList<SimulatedTarget> targets, Calendar calendar, int seed)
    {
        (_name, _options, _calendar, _targets, _random) = (name, options, calendar, targets, new(seed));
        _balancer = new(options.Balancing, [.. targets.Select(target => new Target(
            target.Name, 1, new(options.Breaker), new(options.Concurrency),
            TimeSpan.FromMilliseconds(options.Balancing.MemoryMs)))]);
        _retry = new(options.Retry, new(options.Retry));
        _hedge = new(options.Hedge, _retry.Budget);
        _line = new(options.Queue, calendar.Now);
        _waiting = new Asker?[options.Queue.LengthMax + 1];
        _free = new(Enumerable.Range(0, _waiting.Length));
    }

    /// <summary>Calls to targets.</summary>
    public long Calls { get; private set; }

    /// <summary>Those of them that were second attempts.</summary>
    public long Retries { get; private set; }

    /// <summary>Whether <see cref="CalledAt"/> is kept; it grows with every call.</summary>
    public bool KeepsCalls { get; init; } = true;

    /// <summary>Calls to targets, at which instant each; empty where it is not kept.</summary>
    public List<Instant> CalledAt { get; } = [];

    /// <inheritdoc/>
    public TimeSpan PredictWait(Instant now) => _balancer.PredictWait(_line.Count, now);

    /// <inheritdoc/>
    public void Ask(in StepCall call, Action<Fault?> ended) => Acquire(new(call, ended));

    private void Acquire(Asker asker)
    {
        var turn = _line.Count == 0 ? Choose(asker.Tried) : null;
        if (turn is { } given)
            Go(asker, given);
        else
            Queue(asker);
    }

    /// <summary>A target, or that none may be asked; null when all have as much as they may.</summary>
    private Turn? Choose(ulong tried)
    {
        var (now, choice) = (_calendar.Now, _balancer.Choose(_calendar.Now, _random, tried));
        if (choice.Target >= 0)
            return new(choice.Target, _balancer.Targets[choice.Target].Begin(now), null);
        return choice.Reason is ChoiceReason.AllFull ? null : new(-1, default, new(
            FaultKind.TargetsOpen, $"Every target of the upstream {_name} is left alone after failures.", choice.Wait));
    }

    private void Queue(Asker asker)
    {
        var slot = _free.Pop();
        var verdict = _line.Add(slot, asker.Call.Criticality, asker.Call.Deadline, _calendar.Now);
        if (verdict.Says is LineSays.Full)
        {
            _free.Push(slot);
            Later(asker, Shed());
            return;
        }

        if (verdict.Shed >= 0)
            Later(Leave(verdict.Shed), Shed());
        _waiting[slot] = asker;
        Arm();
    }

    private void Serve()
    {
        Expire();
        while (_line.Count > 0 && Choose(tried: 0) is { Target: >= 0 } turn)
            Go(Leave(_line.Take(_calendar.Now)), turn);
    }

    private void Expire()
    {
        Span<LineDrop> drops = stackalloc LineDrop[DropsAtOnce];
        int count;
        do
        {
            count = _line.Expire(_calendar.Now, drops);
            foreach (var drop in drops[..count])
            {
                Later(Leave(drop.Slot), drop.IsLate
                    ? new(FaultKind.DroppedLate, $"It waited too long for the upstream {_name}.") : Shed());
            }
        }
        while (count == DropsAtOnce);
    }

    private void Arm()
    {
        if (_line.WakeAt >= _armed)
            return;
        var at = _armed = _line.WakeAt;
        _calendar.Schedule(at, () =>
        {
            if (_armed == at)
                _armed = Instant.Never;
            Serve();
            Arm();
        });
    }

    private Asker Leave(int slot)
    {
        var asker = _waiting[slot]!;
        _waiting[slot] = null;
        _free.Push(slot);
        return asker;
    }

    /// <summary>One that got no turn, after whatever happens now.</summary>
    private void Later(Asker asker, Fault fault) =>
        _calendar.Schedule(_calendar.Now, () => Decide(asker, fault));

    private void Go(Asker asker, Turn turn)
    {
        if (turn.Fault is { } none)
        {
            Later(asker, none);
            return;
        }

        asker.Attempts++;
        asker.Tried |= 1UL << turn.Target;
        Begin(asker, turn);
    }

    private void Decide(Asker asker, Fault? fault)
    {
        var now = _calendar.Now;
        if (asker.Paid)
            _retry.Budget.Ended();
        asker.Paid = false;
        if (fault is null)
        {
            _retry.Budget.Succeeded(now);
            asker.Ended(null);
            return;
        }

        if (asker.Call.HasNext && fault.Kind is FaultKind.TargetsOpen)
        {
            asker.Ended(fault);
            return;
        }

        var ask = new RetryAsk(
            fault.Kind, Math.Max(asker.Attempts, 1), FirstByteSent: false, asker.Call.Deadline, fault.RetryAfter);
        var decision = _retry.Decide(ask, now, _random);
        if (!decision.Again)
        {
            asker.Ended(fault);
            return;
        }

        asker.Paid = decision.TakesBudget;
        Retries += decision.TakesBudget ? 1 : 0;
        _calendar.Schedule(now + decision.Wait, () => Acquire(asker));
    }

    private Fault Shed() => new(FaultKind.Shed, $"The upstream {_name} has more than it can do.");

    private readonly record struct Turn(int Target, TargetPass Pass, Fault? Fault);

    private sealed class Asker(StepCall call, Action<Fault?> ended)
    {
        public StepCall Call => call;

        public Action<Fault?> Ended => ended;

        public int Attempts { get; set; }

        public ulong Tried { get; set; }

        /// <summary>Whether its attempt is one of the retry budget's.</summary>
        public bool Paid { get; set; }
    }
}
