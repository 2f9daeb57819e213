using System.Globalization;

namespace Spillway.Policies.Rollout;

/// <summary>
/// One rollout: who gets the challenger, when its share grows, and when it is stopped. Pure state, one owner, explicit
/// time.
/// <code>
/// Running --steps passed--> Ready --promote--> Promoted --rollback--> RolledBack
///    |  '--------promote----------------------^
///    '--abort, or a guard--> Aborted          (from Ready too)
/// </code>
/// A step has passed when the challenger has ended enough requests in it and it has lasted long enough. What the guards
/// have seen is kept over the steps and begins anew with the process: a restarted step is watched from its beginning.
/// </summary>
internal sealed class RolloutPolicy
{
    private const string Itself = "spillway";

    private readonly RolloutOptions _options;
    private readonly TimeSpan _stepMin;
    private Instant _since;
    private long _requests;

    /// <summary>A rollout that begins, or goes on after a restart at the beginning of its step.</summary>
    /// <param name="options">Validated.</param>
    /// <param name="state">As <see cref="Begin"/> made it, or as it was kept.</param>
    /// <param name="now">The instant.</param>
    public RolloutPolicy(RolloutOptions options, RolloutState state, Instant now)
    {
        // Fewer steps may be declared than there were.
        State = state with { Step = Math.Clamp(state.Step, 0, options.StepsPercent.Count - 1) };
        (_options, _since, Guards) = (options, now, new(options));
        _stepMin = TimeSpan.FromSeconds(options.StepSecondsMin);
    }

    /// <summary>What must survive a restart.</summary>
    public RolloutState State { get; private set; }

    /// <summary>What the guards have seen.</summary>
    public RolloutGuards Guards { get; }

    /// <summary>Requests that the challenger ended in this step.</summary>
    public long StepRequests => _requests;

    /// <summary>The challenger's share now.</summary>
    public double Percent => State.IsOpen ? _options.StepsPercent[State.Step] : 0;

    /// <summary>The state of a rollout that begins; a fault for one that cannot.</summary>
    /// <param name="name">The served name.</param>
    /// <param name="champion">The version that answers now.</param>
    /// <param name="challenger">The version that is to take over.</param>
    /// <param name="salt">Of this rollout alone, such as the time of its beginning.</param>
    public static Outcome<RolloutState> Begin(string name, string champion, string challenger, string salt)
    {
        if (champion == challenger)
            return Fault.Invalid($"Version {challenger} of {name} is its champion. Name another version.");
        return new RolloutState(name, champion, challenger, RolloutPhase.Running, 0, salt);
    }

    /// <summary>What is wrong with options beyond the range of each number; null when nothing is.</summary>
    public static string? Check(RolloutOptions options)
    {
        if (options.StepsPercent.Count == 0)
            return "stepsPercent is empty. Name at least one share, such as 100.";
        for (var i = 1; i < options.StepsPercent.Count; i++)
        {
            if (options.StepsPercent[i] <= options.StepsPercent[i - 1])
            {
                return string.Create(CultureInfo.InvariantCulture,
                    $"stepsPercent goes from {options.StepsPercent[i - 1]} to {options.StepsPercent[i]}. ")
                    + "Each share must be larger than the one before.";
            }
        }

        return null;
    }

    /// <summary>Where a request goes.</summary>
    /// <param name="key">Whose side is kept: the caller's key, or its session.</param>
    /// <param name="request">A number of this request, for the copies.</param>
    public RolloutDecision Decide(ReadOnlySpan<char> key, ulong request)
    {
        if (!State.IsOpen)
            return new(RolloutSide.Champion, Copies: false, 0, 0);
        var bucket = StickyShare.BucketOf(State.Salt, key);
        if (StickyShare.IsBelow(bucket, Percent))
            return new(RolloutSide.Challenger, Copies: false, bucket, Percent);
        var copies = StickyShare.IsBelow(StickyShare.BucketOf(request), _options.ShadowPercent);
        return new(RolloutSide.Champion, copies, bucket, Percent);
    }

    /// <summary>A request ended; what that changed, or null.</summary>
    public RolloutChange? Observe(in RolloutOutcome outcome, Instant now)
    {
        if (!State.IsOpen)
            return null;
        if (Guards.Observe(outcome) is { } worse)
            return Become(RolloutPhase.Aborted, RolloutEvent.Aborted, Itself, worse);
        if (outcome.Side is RolloutSide.Challenger)
            _requests++;
        return State.Phase is RolloutPhase.Running && _requests >= _options.StepRequestsMin && now - _since >= _stepMin
            ? Advance(now) : null;
    }

    /// <summary>A copy was compared with the champion's answer; one that failed agrees with none.</summary>
    public RolloutChange? Observe(bool agrees) =>
        State.IsOpen && Guards.Observe(agrees) is { } worse
            ? Become(RolloutPhase.Aborted, RolloutEvent.Aborted, Itself, worse) : null;

    /// <summary>The challenger becomes the champion, whatever step it is in.</summary>
    public Outcome<RolloutChange> Promote(string who, string why) => State.IsOpen
        ? Become(RolloutPhase.Promoted, RolloutEvent.Promoted, who, why)
        : Unfit("promoted", "There is no challenger");

    /// <summary>The champion gets everything again.</summary>
    public Outcome<RolloutChange> Abort(string who, string why) => State.IsOpen
        ? Become(RolloutPhase.Aborted, RolloutEvent.Aborted, who, why)
        : Unfit("aborted", "There is no challenger");

    /// <summary>The champion of before is it again; a rollout that runs is aborted instead.</summary>
    public Outcome<RolloutChange> Rollback(string who, string why) => State.Phase switch
    {
        RolloutPhase.Running or RolloutPhase.Ready => Abort(who, why),
        RolloutPhase.Promoted => Become(RolloutPhase.RolledBack, RolloutEvent.RolledBack, who, why),
        RolloutPhase.Aborted or RolloutPhase.RolledBack => Unfit("rolled back", "Nothing was promoted"),
    };

    private RolloutChange Advance(Instant now)
    {
        var passed = string.Create(
            CultureInfo.InvariantCulture, $"{_requests} requests at {Percent:0.##} % without a guard's objection");
        if (State.Step + 1 == _options.StepsPercent.Count)
        {
            return _options.PromotesItself
                ? Become(RolloutPhase.Promoted, RolloutEvent.Promoted, Itself, passed)
                : Become(RolloutPhase.Ready, RolloutEvent.Ready, Itself, passed);
        }

        (_requests, _since) = (0, now);
        Guards.NextStep();
        State = State with { Step = State.Step + 1 };
        return new(RolloutEvent.Advanced, Itself, passed, State);
    }

    private RolloutChange Become(RolloutPhase phase, RolloutEvent what, string who, string why)
    {
        // Promoted, the challenger is the champion and the other one is kept for the way back; rolled back, they change
        // places again.
        State = phase is RolloutPhase.Promoted or RolloutPhase.RolledBack
            ? State with { Phase = phase, Champion = State.Challenger, Challenger = State.Champion }
            : State with { Phase = phase };
        return new(what, who, why, State);
    }

    private Fault Unfit(string done, string why) => Fault.Invalid(
        $"The rollout of {State.Name} cannot be {done}: {why}, its phase is {Word(State.Phase)}. Start another one.");

    private static string Word(RolloutPhase phase) => phase switch
    {
        RolloutPhase.Running => "running",
        RolloutPhase.Ready => "ready",
        RolloutPhase.Promoted => "promoted",
        RolloutPhase.Aborted => "aborted",
        RolloutPhase.RolledBack => "rolled back",
    };
}
