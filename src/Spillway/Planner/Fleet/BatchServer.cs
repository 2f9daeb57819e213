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

    /// <summary>An idle replica.</summary>
    /// <param name="flow">Fresh.</param>
    /// <param name="times">How long runs take.</param>
    /// <param name="home">Knows the rides.</param>
    /// <param name="sink">Hears of each request.</param>
    public BatchServer(DeploymentFlow flow, IRunTimes times, Simulation home, IServerSink sink)
    {
        (Runners, _home, _sink) = (flow.RunnersInUse, home, sink);
        _world = new(flow, s_route, times, calendar: home.Calendar, sink: this);
    }

    /// <inheritdoc/>
    public override TimeSpan Busy => _world.RunTime;

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
        if (State is not ServerState.Gone)
            _sink.Began(_home.RideOf(tag));
    }

    /// <inheritdoc/>
    void IWorldSink.Ended(int tag, FaultKind? fault)
    {
        if (State is not ServerState.Gone)
            _sink.Ended(this, _home.RideOf(tag), fault);
    }

    private static TimeSpan Patience(TimeSpan left) => left > TimeSpan.Zero ? left : new(1);
}
