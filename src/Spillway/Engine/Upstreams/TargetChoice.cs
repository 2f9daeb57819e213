using Spillway.Config;
using Spillway.Policies.Breaking;
using Spillway.Policies.Retry;
using Spillway.Policies.Routing;
using Spillway.Telemetry;

namespace Spillway.Engine.Upstreams;

/// <summary>
/// Which target of an upstream is asked, and whether another attempt is made, live: interprets balancer, breakers,
/// limits, line, retries and second copies for any number of requests under one short lock. What is said to a target is
/// its owner's matter. One that takes the place of another goes on with what is known of the targets that stayed.
/// Thread-safe.
/// </summary>
internal sealed class TargetChoice : IDisposable
{
    private static readonly TimeSpan s_ample = TimeSpan.FromMilliseconds(250);

    private readonly TargetRoom _room;
    private readonly Lock _lock;
    private readonly UpstreamOptions _options;
    private readonly Clock _clock;
    private readonly Balancer _balancer;
    private readonly RetryPolicy _retry;
    private readonly HedgePolicy _hedge;
    private readonly UpstreamQueue _queue;
    private readonly Random _random;

    /// <summary>Makes one; nothing is asked yet.</summary>
    /// <param name="name">The upstream's.</param>
    /// <param name="options">As they are in force, validated.</param>
    /// <param name="clock">The clock.</param>
    /// <param name="random">The jitter and the draws; its own.</param>
    /// <param name="before">
    /// The one whose place it takes; null for none. Requests that it has begun end there, and count here too.
    /// </param>
    public TargetChoice(
        string name, UpstreamOptions options, Clock clock, Random random, TargetChoice? before = null)
    {
        (Name, _options, _clock, _random) = (name, options, clock, random);
        _room = before?._room ?? new();
        _lock = _room.Lock;
        lock (_lock)
        {
            _balancer = new(options.Balancing, [.. options.Targets.Select(t => before?.Keep(t, options) ?? new Target(
                t.Key, t.Value.Weight, new(options.Breaker), new(options.Concurrency),
                TimeSpan.FromMilliseconds(options.Balancing.MemoryMs)))]);
            var keeps = before is not null && before._options.Retry == options.Retry;
            _retry = keeps ? before!._retry : new(options.Retry, new(options.Retry));
            _hedge = keeps && before!._options.Hedge == options.Hedge
                ? before._hedge : new(options.Hedge, _retry.Budget);
            _queue = new(name, options.Queue, clock, _lock, Take);
            _room.Lines.Add(_queue);
        }

        Counts = before is not null && before._options.Targets.Keys.SequenceEqual(options.Targets.Keys)
            ? before.Counts : new([.. options.Targets.Keys]);
    }

    /// <summary>The upstream's name.</summary>
    public string Name { get; }

    /// <summary>How many targets.</summary>
    public int TargetCount => _balancer.Targets.Count;

    /// <summary>What is counted.</summary>
    public UpstreamInstruments Counts { get; }

    /// <summary>Requests that wait for a target with room.</summary>
    public int Waiting => _queue.Count;

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

    /// <summary>The series of the upstream, for the exposition.</summary>
    public IEnumerable<Series> Series() => Counts.Of(
        Name, () => Waiting, target => Look()[target].State is BreakerState.Open ? 1 : 0,
        target => Look()[target].InFlight, target => Look()[target].Limit);

    /// <summary>How long a newcomer would wait before a target is asked.</summary>
    public TimeSpan PredictWait()
    {
        lock (_lock)
            return _balancer.PredictWait(_queue.Count, _clock.Now);
    }

    /// <summary>A target to ask, perhaps after a wait in line; each turn goes back with <see cref="Ended"/>.</summary>
    /// <param name="criticality">Who waits in line before whom.</param>
    /// <param name="tried">Targets that this request has asked, one bit each.</param>
    /// <param name="deadline">When the answer is due.</param>
    /// <param name="aborted">The caller is gone.</param>
    public ValueTask<UpstreamTurn> AcquireAsync(
        Criticality criticality, ulong tried, Instant deadline, CancellationToken aborted)
    {
        lock (_lock)
        {
            // Whoever waits goes first, or hears that nobody may be asked.
            _room.Serve();
            var turn = _queue.Count == 0 ? Choose(_clock.Now, tried) : null;
            return turn is { } given ? new(given) : _queue.WaitAsync(criticality, deadline, aborted);
        }
    }

    /// <summary>The first content came, or the whole answer of a call that writes nothing.</summary>
    public void Began(in UpstreamTurn turn)
    {
        lock (_lock)
            _balancer.Targets[turn.Target].Began(turn.Pass, _clock.Now);
    }

    /// <summary>The call is over.</summary>
    /// <param name="turn">As it was given.</param>
    /// <param name="fault">How it failed; null when it did not.</param>
    /// <param name="tellsOnLeaving">
    /// Whether a caller who leaves after a long wait says something about the target: not where answers are streams,
    /// which are left while they are read.
    /// </param>
    public void Ended(in UpstreamTurn turn, Fault? fault, bool tellsOnLeaving = false)
    {
        Counts.Ended(turn.Target, fault?.Kind);
        lock (_lock)
        {
            var (it, now) = (_balancer.Targets[turn.Target], _clock.Now);
            it.Ended(turn.Pass, SignOf(fault?.Kind, it, now - turn.Pass.SentAt, now, tellsOnLeaving),
                fault?.RetryAfter, now);
            _room.Serve();
        }
    }

    /// <summary>A turn to ask a target how it is; null while it is left alone, or has as much as it may.</summary>
    public UpstreamTurn? TryProbe(int target)
    {
        lock (_lock)
        {
            var (it, now) = (_balancer.Targets[target], _clock.Now);
            return it.IsUsable(now) ? new(target, it.Begin(now), null) : null;
        }
    }

    /// <summary>
    /// It was asked how it is. That it is ready says that it may be asked again, not that its answers are good.
    /// </summary>
    public void Probed(in UpstreamTurn turn, Fault? fault)
    {
        lock (_lock)
        {
            var kind = fault is null && !turn.Pass.Breaker.IsProbe ? FaultKind.Cancelled : fault?.Kind;
            _balancer.Targets[turn.Target].Ended(turn.Pass, kind, fault?.RetryAfter, _clock.Now);
            _room.Serve();
        }
    }

    /// <summary>Whether a failed attempt is followed by another one; what was taken goes back first.</summary>
    public RetryDecision Decide(in RetryAsk ask, ref bool paid, out string why)
    {
        Repay(ref paid);
        lock (_lock)
        {
            var decision = _retry.Decide(ask, _clock.Now, _random);
            paid = decision.TakesBudget;
            why = _retry.Explain(decision, ask);
            if (paid)
                Counts.Retries.Add();
            return decision;
        }
    }

    /// <summary>An attempt succeeded.</summary>
    public void Succeeded(ref bool paid)
    {
        Repay(ref paid);
        lock (_lock)
            _retry.Budget.Succeeded(_clock.Now);
    }

    /// <summary>What an attempt took of the retry budget goes back.</summary>
    public void Repay(ref bool paid)
    {
        if (!paid)
            return;
        paid = false;
        lock (_lock)
            _retry.Budget.Ended();
    }

    /// <summary>After how long a second copy is sent; null for never.</summary>
    public TimeSpan? PlanHedge(bool isIdempotent, Instant now, Instant deadline)
    {
        if (!_options.Hedge.Enabled || TargetCount < 2)
            return null;
        lock (_lock)
            return _hedge.Plan(isIdempotent, now, deadline).After;
    }

    /// <summary>A request was answered in that time, of which second copies are planned.</summary>
    public void Learn(TimeSpan time)
    {
        if (!_options.Hedge.Enabled)
            return;
        lock (_lock)
            _hedge.Observe(time);
    }

    /// <summary>
    /// Another target with room now, and one of the budget, which goes back with <see cref="SecondOver"/>; null when
    /// either is missing.
    /// </summary>
    public UpstreamTurn? Second(int first)
    {
        lock (_lock)
        {
            var now = _clock.Now;
            if (_queue.Count > 0 || _balancer.Choose(now, _random, 1UL << first).Target is not (>= 0 and var other)
                || other == first || !_hedge.TryBegin(now))
                return null;
            Counts.Hedges.Add();
            return new(other, _balancer.Targets[other].Begin(now), null);
        }
    }

    /// <summary>A request of which two copies were sent is over.</summary>
    public void SecondOver()
    {
        lock (_lock)
            _retry.Budget.Ended();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_lock)
            _room.Lines.Remove(_queue);
        _queue.Dispose();
    }

    /// <summary>Under the lock: what is known of a target of before; null when it is another one now.</summary>
    private Target? Keep(KeyValuePair<string, TargetOptions> wanted, UpstreamOptions options)
    {
        if (!_options.Targets.TryGetValue(wanted.Key, out var was) || was.Url != wanted.Value.Url
            || _options.Breaker != options.Breaker || _options.Concurrency != options.Concurrency
            || _options.Balancing != options.Balancing)
            return null;
        var target = _balancer.Targets.First(t => t.Name == wanted.Key);
        target.Weight = wanted.Value.Weight;
        return target;
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
    /// A deadline that came, or a caller that left, says something about the target when the target had ample time;
    /// else a caller in a hurry could have it left alone.
    /// </summary>
    private static FaultKind? SignOf(FaultKind? kind, Target target, TimeSpan took, Instant now, bool tellsOnLeaving)
    {
        var isLong = took >= s_ample && took.Ticks >= 3 * target.LatencyAt(now);
        var tells = kind is FaultKind.DeadlineExceeded
            || (kind is FaultKind.Cancelled && tellsOnLeaving && target.IsKnown);
        return isLong && tells ? FaultKind.UpstreamTimeout : kind;
    }
}
