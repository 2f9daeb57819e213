using Spillway.Flow;

namespace Spillway.Planner.Fleet;

/// <summary>
/// A replica with the production deployment flow: its queue, deadlines, early drop and batches, on virtual time.
/// </summary>
internal sealed class BatchServer : Server, IWorldSink
{
    /// <summary>Elements of a request of size 1: sizes are told apart to a thousandth.</summary>
    public const long ElementsPerRow = 1000;

    private static readonly Route s_route = new(new("plan", "1"), "plan", RouteState.Ready, "", 0);

    private readonly World _world;
    private readonly Simulation _home;
    private readonly IServerSink _sink;
    private readonly double _secondsPerSize;
    private double _sizes;

    /// <summary>An idle replica.</summary>
    /// <param name="flow">Fresh.</param>
    /// <param name="times">How long runs take.</param>
    /// <param name="secondsPerSize">What a request of size 1 takes of the whole replica in full batches.</param>
    /// <param name="home">Knows the rides.</param>
    /// <param name="sink">Hears of each request.</param>
    public BatchServer(
        DeploymentFlow flow, IRunTimes times, double secondsPerSize, Simulation home, IServerSink sink)
    {
        (Runners, _secondsPerSize, _home, _sink) = (flow.RunnersInUse, secondsPerSize, home, sink);
        _world = new(flow, s_route, times, calendar: home.Calendar, sink: this);
    }

    /// <inheritdoc/>
    public override TimeSpan Busy => _world.RunTime;

    /// <inheritdoc/>
    public override TimeSpan Used => TimeSpan.FromSeconds(_sizes * _secondsPerSize);

    /// <inheritdoc/>
    public override int Runners { get; }

    /// <inheritdoc/>
    public override void Submit(Ride ride)
    {
        var now = _world.Now;
        var elements = Math.Max(1, (long)Math.Round(ride.Arrival.Size * ElementsPerRow));
        _world.Submit(ride.Index, new()
        {
            Started = now, Rows = 1, Elements = elements,
            Timeout = ride.Deadline == Instant.Never ? null : Patience(ride.Deadline - now),
        });
    }

    /// <inheritdoc/>
    void IWorldSink.Began(int tag)
    {
        // The world of a replica that died runs on to the end of what it began; nobody listens.
        if (State is ServerState.Gone)
            return;
        var ride = _home.RideOf(tag);
        _sizes += ride.Arrival.Size;
        _sink.Began(ride);
    }

    /// <inheritdoc/>
    void IWorldSink.Ended(int tag, FaultKind? fault)
    {
        if (State is not ServerState.Gone)
            _sink.Ended(this, _home.RideOf(tag), fault);
    }

    private static TimeSpan Patience(TimeSpan left) => left > TimeSpan.Zero ? left : new(1);
}
