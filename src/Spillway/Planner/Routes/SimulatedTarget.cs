namespace Spillway.Planner.Routes;

/// <summary>How a simulated target of an upstream is met now.</summary>
internal enum TargetState
{
    /// <summary>It answers.</summary>
    Well,

    /// <summary>It takes no connection, and says so at once.</summary>
    Dead,

    /// <summary>It takes requests and never answers.</summary>
    Hangs,

    /// <summary>It answers 429.</summary>
    Throttled,
}

/// <summary>What a simulated target can do.</summary>
/// <param name="Places">Requests that it works on at once; 0 for any number.</param>
/// <param name="ServiceMs">What each takes.</param>
/// <param name="Spread">0.1: plus or minus a tenth, evenly.</param>
/// <param name="QueueMsMax">Who would wait longer than this in its own queue is answered 503.</param>
internal sealed record TargetProfile(int Places, double ServiceMs, double Spread = 0.1, double QueueMsMax = 1000);

/// <summary>What came back from a target.</summary>
/// <param name="Fault">How it failed; null for an answer.</param>
/// <param name="RetryAfter">What it asks to wait; null when it does not say.</param>
internal readonly record struct TargetReply(FaultKind? Fault, TimeSpan? RetryAfter = null);

/// <summary>
/// Another server as its callers meet it: some places, a queue in which also those are worked through who have given
/// up, and faults that a drill switches on and off. Deterministic; lives on a calendar.
/// </summary>
internal sealed class SimulatedTarget
{
    private static readonly TimeSpan s_refusal = TimeSpan.FromMilliseconds(1);

    private readonly TargetProfile _profile;
    private readonly Calendar _calendar;
    private readonly Random _random;
    private readonly Instant[] _freeAt;

    /// <summary>An idle one that is well.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="profile">What it can do.</param>
    /// <param name="calendar">Where it lives.</param>
    /// <param name="seed">Of the spread.</param>
    public SimulatedTarget(string name, TargetProfile profile, Calendar calendar, int seed)
    {
        (Name, _profile, _calendar, _random) = (name, profile, calendar, new(seed));
        _freeAt = new Instant[profile.Places];
    }

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>How it is met.</summary>
    public TargetState State { get; set; }

    /// <summary>How much later each answer comes.</summary>
    public TimeSpan Delay { get; set; }

    /// <summary>What a 429 asks to wait.</summary>
    public TimeSpan RetryAfter { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Requests that were sent to it.</summary>
    public long Calls { get; private set; }

    /// <summary>How long a request takes, in place of the profile's spread around its mean; null for that.</summary>
    public Func<TimeSpan>? Times { get; init; }

    /// <summary>Whether it takes one more request now; null for always.</summary>
    public Func<Instant, bool>? Allows { get; init; }

    /// <summary>Is told of each request that is sent to it; null for nobody.</summary>
    public Action? Called { get; init; }

    /// <summary>Fails that part of what it is sent.</summary>
    public double FaultShare { get; init; }

    /// <summary>Sends it a request; one that hangs is never told.</summary>
    public void Call(Action<TargetReply> replied)
    {
        Calls++;
        Called?.Invoke();
        switch (State)
        {
            case TargetState.Dead:
                Reply(s_refusal, new(FaultKind.UpstreamUnreachable), replied);
                break;
            case TargetState.Throttled:
                Reply(s_refusal, new(FaultKind.UpstreamThrottled, RetryAfter), replied);
                break;
            case TargetState.Hangs:
                break;
            case TargetState.Well:
                if (Allows?.Invoke(_calendar.Now) is false)
                    Reply(s_refusal, new(FaultKind.UpstreamThrottled, RetryAfter), replied);
                else if (FaultShare > 0 && _random.NextDouble() < FaultShare)
                    Reply(s_refusal, new(FaultKind.UpstreamFailed), replied);
                else
                    Work(replied);
                break;
        }
    }

    private void Work(Action<TargetReply> replied)
    {
        if (_freeAt.Length == 0)
        {
            Reply((Times?.Invoke() ?? TimeSpan.FromMilliseconds(_profile.ServiceMs)) + Delay, new(null), replied);
            return;
        }

        var (now, place) = (_calendar.Now, Array.IndexOf(_freeAt, _freeAt.Min()));
        var begins = _freeAt[place] > now ? _freeAt[place] : now;
        if ((begins - now).TotalMilliseconds > _profile.QueueMsMax)
        {
            Reply(s_refusal, new(FaultKind.UpstreamThrottled), replied);
            return;
        }

        var factor = 1 + (_profile.Spread * ((2 * _random.NextDouble()) - 1));
        _freeAt[place] = begins + (Times?.Invoke() ?? TimeSpan.FromMilliseconds(_profile.ServiceMs * factor));
        Reply(_freeAt[place] - now + Delay, new(null), replied);
    }

    private void Reply(TimeSpan after, TargetReply reply, Action<TargetReply> replied) =>
        _calendar.Schedule(_calendar.Now + after, () => replied(reply));
}
