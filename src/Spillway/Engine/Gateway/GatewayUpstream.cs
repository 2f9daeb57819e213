using Spillway.Config;
using Spillway.Engine.Upstreams;
using Spillway.Policies.Concurrency;
using Spillway.Policies.Pricing;
using Spillway.Policies.Retry;
using Spillway.Policies.Routing;
using Spillway.Runtimes.Simulated.Chat;
using Spillway.Telemetry;

namespace Spillway.Engine.Gateway;

/// <summary>
/// The targets of an upstream that speaks OpenAI's protocol: interprets balancer, breakers, limits, line and retries
/// under one short lock, as <see cref="UpstreamGroup"/> does for tensors; what is said to a target is the exchange's
/// matter. Thread-safe.
/// </summary>
internal sealed class GatewayUpstream : IDisposable
{
    // What holds where nothing is declared. A prompt's length moves the time to the first token, and an answer's length
    // that of a whole one, so neither tells how busy a target is: the limit stands, and who waits for a place may wait
    // as long as people do for a first token.
    private static readonly AdaptiveLimitOptions s_limit = new() { Enabled = false, Max = 1000 };
    private static readonly UpstreamLineOptions s_line = new() { WaitMs = 10_000, BuiltUpWaitMs = 1000 };

    private static readonly TimeSpan s_ample = TimeSpan.FromMilliseconds(250);

    private readonly Lock _lock = new();
    private readonly GatewayTarget[] _targets;
    private readonly Balancer _balancer;
    private readonly RetryPolicy _retry;
    private readonly UpstreamQueue _queue;
    private readonly Random _random;
    private readonly Clock _clock;

    /// <summary>Makes one; nothing is asked yet.</summary>
    /// <param name="name">The upstream's.</param>
    /// <param name="options">Validated.</param>
    /// <param name="keys">The targets' keys.</param>
    /// <param name="clock">The clock.</param>
    /// <param name="random">The jitter and the draws; its own.</param>
    public GatewayUpstream(
        string name, UpstreamOptions options, IReadOnlyList<string> keys, Clock clock, Random random)
    {
        (Name, Options, _clock, _random, Keys) = (name, options, clock, random, new(keys));
        Model = options.Model.Length > 0 ? options.Model : name;
        var handler = options.Kind is UpstreamKind.Simulated
            ? new SimulatedHandler(new SimulatedChat(options.Simulated ?? new(), clock.Time), clock.Time) : null;
        IReadOnlyDictionary<string, TargetOptions> targets = handler is null
            ? options.Targets : new Dictionary<string, TargetOptions> { ["simulated"] = new() };
        _targets = [.. targets.Keys.Select(t => new GatewayTarget(name, t, options, Keys, handler, clock))];
        var limit = options.Concurrency == new AdaptiveLimitOptions() ? s_limit : options.Concurrency;
        _balancer = new(options.Balancing, [.. targets.Select(target => new Target(
            target.Key, target.Value.Weight, new(options.Breaker), new(limit),
            TimeSpan.FromMilliseconds(options.Balancing.MemoryMs)))]);
        _retry = new(options.Retry, new(options.Retry));
        _queue = new(
            name, options.Queue == new UpstreamLineOptions() ? s_line : options.Queue, clock, _lock, Take);
        Counts = new([.. targets.Keys]);
    }

    /// <summary>The upstream's name.</summary>
    public string Name { get; }

    /// <summary>As declared.</summary>
    public UpstreamOptions Options { get; }

    /// <summary>What its targets call the model.</summary>
    public string Model { get; }

    /// <summary>What its targets are asked with.</summary>
    public GatewayKeys Keys { get; }

    /// <summary>Whether nothing real answers.</summary>
    public bool IsSimulated => Options.Kind is UpstreamKind.Simulated;

    /// <summary>What its tokens cost; null where nothing has a price. Set before serving.</summary>
    public Dated<TokenPrice>? Price { get; set; }

    /// <summary>What is counted.</summary>
    public UpstreamInstruments Counts { get; }

    /// <summary>Requests that wait for a target with room.</summary>
    public int Waiting => _queue.Count;

    /// <summary>A target.</summary>
    public GatewayTarget this[int target] => _targets[target];

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
    public void Ended(in UpstreamTurn turn, Fault? fault)
    {
        Counts.Ended(turn.Target, fault?.Kind);
        lock (_lock)
        {
            var (it, now) = (_balancer.Targets[turn.Target], _clock.Now);
            var took = now - turn.Pass.SentAt;
            // A deadline says something about a target that had ample time; a caller in a hurry says nothing.
            var sign = fault?.Kind is FaultKind.DeadlineExceeded && took >= s_ample
                && took.Ticks >= 3 * it.LatencyAt(now) ? FaultKind.UpstreamTimeout : fault?.Kind;
            it.Ended(turn.Pass, sign, fault?.RetryAfter, now);
            _queue.Serve();
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

    /// <inheritdoc/>
    public void Dispose()
    {
        _queue.Dispose();
        foreach (var target in _targets)
            target.Dispose();
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

    /// <summary>Under the lock: a turn for the next who waits.</summary>
    private UpstreamTurn? Take(Instant now) => Choose(now, tried: 0) is { Target: >= 0 } turn ? turn : null;
}
