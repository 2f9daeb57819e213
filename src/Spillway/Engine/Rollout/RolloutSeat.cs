using Spillway.Policies.Rollout;

namespace Spillway.Engine.Rollout;

/// <summary>
/// One rollout of one served name, live: its policy under one short lock. Another rollout of the name gets a seat of
/// its own, so an outcome that comes late is told to the rollout that it belongs to. Thread-safe.
/// </summary>
/// <param name="options">Validated.</param>
/// <param name="policy">Owned from now on.</param>
/// <param name="history">What happened to the name until now, the oldest first.</param>
internal sealed class RolloutSeat(
    RolloutOptions options, RolloutPolicy policy, IReadOnlyList<RolloutEntry> history)
{
    /// <summary>Entries that are kept; the oldest give way.</summary>
    private const int HistoryMax = 200;

    private const int TextMax = 500;

    private readonly Lock _lock = new();
    private readonly List<RolloutEntry> _history = [.. history];

    /// <summary>Where it is.</summary>
    public RolloutState State
    {
        get
        {
            lock (_lock)
                return policy.State;
        }
    }

    /// <summary>What is kept of it.</summary>
    public (RolloutState State, RolloutEntry[] History) Kept
    {
        get
        {
            lock (_lock)
                return (policy.State, [.. _history]);
        }
    }

    public RolloutRoute Decide(ReadOnlySpan<char> key, ulong request)
    {
        lock (_lock)
        {
            var decision = policy.Decide(key, request);
            var state = policy.State;
            var version = decision.Side is RolloutSide.Challenger ? state.Challenger : state.Champion;
            return new(this, version, decision, decision.Copies ? state.Challenger : null);
        }
    }

    public RolloutChange? Observe(in RolloutOutcome outcome, Instant now, DateTimeOffset at)
    {
        lock (_lock)
            return policy.Observe(outcome, now) is { } change ? Note(change, at) : null;
    }

    public RolloutChange? Observe(bool agrees, DateTimeOffset at)
    {
        lock (_lock)
            return policy.Observe(agrees) is { } change ? Note(change, at) : null;
    }

    /// <summary>Somebody changes it.</summary>
    public Outcome<RolloutChange> Change(
        Func<RolloutPolicy, string, string, Outcome<RolloutChange>> change, string who, string why, DateTimeOffset at)
    {
        lock (_lock)
        {
            return change(policy, Cut(who), Cut(why)).TryGet(out var changed, out var fault)
                ? Note(changed, at) : fault;
        }
    }

    /// <summary>It has begun.</summary>
    public RolloutChange Begun(string who, string why, DateTimeOffset at)
    {
        lock (_lock)
            return Note(new(RolloutEvent.Started, Cut(who), Cut(why), policy.State), at);
    }

    /// <summary>All of it, for people.</summary>
    public RolloutView Look()
    {
        lock (_lock)
        {
            var (champion, challenger) = (
                policy.Guards.Count(RolloutSide.Champion), policy.Guards.Count(RolloutSide.Challenger));
            return new(policy.State, policy.Percent)
            {
                StepRequests = policy.StepRequests, StepRequestsMin = options.StepRequestsMin,
                ChampionRequests = champion.Requests, ChampionFailures = champion.Failures,
                ChallengerRequests = challenger.Requests, ChallengerFailures = challenger.Failures,
                Slower = policy.Guards.Slower, CopiesCompared = policy.Guards.Copies.Compared,
                CopiesAgreed = policy.Guards.Copies.Agreed,
                Evidence = [.. policy.Guards.All], History = [.. _history],
            };
        }
    }

    private RolloutChange Note(RolloutChange change, DateTimeOffset at)
    {
        if (_history.Count == HistoryMax)
            _history.RemoveAt(0);
        _history.Add(new(at, change.Who, change.What, change.Why, change.State));
        return change;
    }

    private static string Cut(string text) => text.Length > TextMax ? text[..TextMax] : text;
}
