namespace Spillway.Planner.Fleet;

/// <summary>What a replica is doing.</summary>
internal enum ServerState
{
    /// <summary>Ordered: its machine boots, its model loads.</summary>
    Starting,

    /// <summary>Takes requests.</summary>
    Ready,

    /// <summary>Finishes what it has, and goes.</summary>
    Draining,

    /// <summary>Not there any more.</summary>
    Gone,
}

/// <summary>A simulated replica.</summary>
internal abstract class Server
{
    /// <summary>What it is doing.</summary>
    public ServerState State { get; set; }

    /// <summary>Its number at its site.</summary>
    public required int Number { get; init; }

    /// <summary>Since when it is paid for.</summary>
    public required Instant Ordered { get; init; }

    /// <summary>Since when it takes requests.</summary>
    public Instant ReadySince { get; set; } = Instant.Never;

    /// <summary>Requests that it holds, waiting or running.</summary>
    public int Holds { get; set; }

    /// <summary>
    /// Time in which it worked, all of its runners together, as a scaling policy is told: of batches the time of runs.
    /// A language replica runs whenever anybody is there, so that its time says nothing: of it that is <see
    /// cref="Used"/>.
    /// </summary>
    public abstract TimeSpan Busy { get; }

    /// <summary>The work that it did, as the time that it would have taken with full batches.</summary>
    public abstract TimeSpan Used { get; }

    /// <summary>Runs side by side.</summary>
    public abstract int Runners { get; }

    /// <summary>A request comes.</summary>
    public abstract void Submit(Ride ride);
}

/// <summary>Who is told of the requests of a replica.</summary>
internal interface IServerSink
{
    /// <summary>Its run begins.</summary>
    void Began(Ride ride);

    /// <summary>Answered, refused or dropped.</summary>
    void Ended(Server server, Ride ride, FaultKind? fault);
}
