using Spillway.Planner.Language;

namespace Spillway.Planner.Fleet;

/// <summary>
/// A replica that serves a language model by continuous batching. Its queue has a limit, as a server's must; a request
/// that cannot begin within its caller's patience is dropped when the caller leaves.
/// </summary>
internal sealed class LanguageServer : Server, IActor
{
    private readonly BatchEngine _engine;
    private readonly Simulation _home;
    private readonly ILanguageSink _sink;
    private readonly int _queueMax;
    private readonly List<int> _rides = [];
    private Instant _armed = Instant.Never;
    private long _armedId;

    /// <summary>An idle replica.</summary>
    public LanguageServer(
        Roofline roofline, LanguageServing serving, KvMemory memory, int queueMax, Simulation home, ILanguageSink sink)
    {
        (_engine, _home, _sink, _queueMax) = (new(roofline, serving, memory), home, sink, queueMax);
    }

    /// <inheritdoc/>
    public override TimeSpan Busy => _engine.Busy;

    /// <inheritdoc/>
    public override int Runners => 1;

    /// <summary>How often a request lost its place in the cache.</summary>
    public long Preemptions => _engine.Preemptions;

    /// <inheritdoc/>
    public override void Submit(Ride ride)
    {
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

        _rides.Add(ride.Index);
        Arm();
    }

    /// <inheritdoc/>
    void IActor.Happen(int what, int which, long id)
    {
        if (id != _armedId || State is ServerState.Gone)
            return;
        _armed = Instant.Never;
        foreach (var done in _engine.Step())
            _sink.Ended(this, _home.RideOf(_rides[done]), _engine.Times[done], null);
        Arm();
    }

    private void Arm()
    {
        if (_engine.NextAt == _armed)
            return;
        _armed = _engine.NextAt;
        _armedId++;
        if (_armed != Instant.Never)
            _home.Calendar.Schedule(_armed, this, what: 0, 0, _armedId);
    }
}

/// <summary>Who is told of the requests of a language replica.</summary>
internal interface ILanguageSink
{
    /// <summary>Answered or refused.</summary>
    void Ended(Server server, Ride ride, in LanguageTimes times, FaultKind? fault);
}
