using Spillway.Planner.Language;

namespace Spillway.Planner.Fleet;

/// <summary>
/// A replica that serves a language model by continuous batching. Its queue has a limit, as a server's must; a request
/// whose caller's patience ends is dropped at once, waiting or under way: its place in steps and in the cache is free.
/// </summary>
/// <remarks>
/// It has an event for each step only where a request may be complete with it; what nobody sees from outside is made up
/// for when somebody looks: when a request comes or is dropped, and when its work is asked for.
/// </remarks>
internal sealed class LanguageServer : Server, IActor
{
    private readonly BatchEngine _engine;
    private readonly Simulation _home;
    private readonly ILanguageSink _sink;
    private readonly int _queueMax;
    private readonly TimeSpan _patience;
    private readonly TokenSeconds _each;
    private readonly List<int> _rides = [];
    private readonly List<long> _serials = [];
    private Instant _armed = Instant.Never;
    private long _armedId;
    private long _serial;

    /// <summary>An idle replica.</summary>
    /// <param name="roofline">How long a step takes.</param>
    /// <param name="serving">The scheduler's limits.</param>
    /// <param name="memory">How many tokens fit.</param>
    /// <param name="limits">The longest queue, and how long a caller waits that does not say.</param>
    /// <param name="each">What a token takes of a replica with all of its places taken.</param>
    /// <param name="home">Knows the rides.</param>
    /// <param name="sink">Hears of each request.</param>
    public LanguageServer(Roofline roofline, LanguageServing serving, KvMemory memory,
        (int QueueMax, TimeSpan Patience) limits, TokenSeconds each, Simulation home, ILanguageSink sink)
    {
        (_engine, _each, _home, _sink) = (new(roofline, serving, memory), each, home, sink);
        (_queueMax, _patience) = limits;
    }

    private enum What
    {
        Step,
        PatienceEnds,
    }

    /// <inheritdoc/>
    public override TimeSpan Busy => Used;

    /// <inheritdoc/>
    public override TimeSpan Used
    {
        get
        {
            CatchUp();
            return TimeSpan.FromSeconds((_engine.PromptTokens * _each.Prompt) + (_engine.AnswerTokens * _each.Answer));
        }
    }

    /// <inheritdoc/>
    public override int Runners => 1;

    /// <summary>How often a request lost its place in the cache.</summary>
    public long Preemptions => _engine.Preemptions;

    /// <inheritdoc/>
    public override void Submit(Ride ride)
    {
        CatchUp();
        if (_engine.Waiting >= _queueMax)
        {
            _sink.Ended(this, ride, LanguageTimes.None, FaultKind.QueueFull);
            return;
        }

        var arrival = ride.Arrival;
        var taken = _engine.Arrive(new(_home.Calendar.Now, Math.Max(1, arrival.TokensIn),
            Math.Max(1, arrival.TokensOut)));
        if (taken.Fault is not null)
        {
            _sink.Ended(this, ride, LanguageTimes.None, FaultKind.InputTooLarge);
            return;
        }

        var slot = taken.Value;
        if (slot == _rides.Count)
        {
            _rides.Add(0);
            _serials.Add(0);
        }

        (_rides[slot], _serials[slot]) = (ride.Index, ++_serial);
        var now = _home.Calendar.Now;
        var until = ride.Deadline == Instant.Never ? now + _patience : ride.Deadline;
        _home.Calendar.Schedule(until > now ? until : now, this, (int)What.PatienceEnds, slot, _serial);
        Arm();
    }

    /// <inheritdoc/>
    void IActor.Happen(int what, int which, long id)
    {
        if (State is ServerState.Gone)
            return;
        switch ((What)what)
        {
            case What.Step:
                if (id == _armedId)
                    Step();
                break;
            case What.PatienceEnds:
                if (_serials[which] == id)
                    Drop(which);
                break;
        }
    }

    private void Step()
    {
        _armed = Instant.Never;
        CatchUp();
        if (_engine.NextAt <= _home.Calendar.Now)
        {
            foreach (var done in _engine.Advance(_home.Calendar.Now))
                End(done, null);
        }

        Arm();
    }

    private void Drop(int slot)
    {
        CatchUp();
        _engine.Cancel(slot);
        End(slot, FaultKind.DeadlineExceeded);
        Arm();
    }

    /// <summary>Steps that ended before the present, with which no request was complete.</summary>
    private void CatchUp()
    {
        var now = _home.Calendar.Now;
        while (_engine.NextAt < now)
        {
            if (_engine.Advance(new(now.Ticks - 1)).Count > 0)
                throw new InvalidOperationException("A request of a simulated engine was complete before it was "
                    + "noticed: its next end was foretold too late.");
        }
    }

    private void End(int slot, FaultKind? fault)
    {
        var (ride, times) = (_home.RideOf(_rides[slot]), _engine.Times[slot]);
        _serials[slot] = 0;
        _engine.Forget(slot);
        _sink.Ended(this, ride, times, fault);
    }

    private void Arm()
    {
        var next = _engine.NothingBefore;
        if (next == _armed)
            return;
        _armed = next;
        _armedId++;
        if (_armed != Instant.Never)
            _home.Calendar.Schedule(_armed, this, (int)What.Step, 0, _armedId);
    }
}

/// <summary>Who is told of the requests of a language replica.</summary>
internal interface ILanguageSink
{
    /// <summary>Answered or refused.</summary>
    void Ended(Server server, Ride ride, in LanguageTimes times, FaultKind? fault);
}
