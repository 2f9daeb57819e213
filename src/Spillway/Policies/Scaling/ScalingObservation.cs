namespace Spillway.Policies.Scaling;

/// <summary>
/// What a scaling policy sees. Means are over the time since it was last asked. A figure that could not be measured is
/// <see cref="double.NaN"/>: policies then hold what there is rather than scale in.
/// </summary>
internal readonly record struct ScalingObservation
{
    /// <summary>As many as were last asked for; 0 or more.</summary>
    public required int Wanted { get; init; }

    /// <summary>As many as take requests.</summary>
    public required int Ready { get; init; }

    /// <summary>As many as were ordered and do not take requests yet: being provisioned, loading, warming up.</summary>
    public int Starting { get; init; }

    /// <summary>Of the ready ones, as many as did not say how they are.</summary>
    public int Silent { get; init; }

    /// <summary>The mean busy part of the ready ones that reported, 0 to 1.</summary>
    public double Utilisation { get; init; }

    /// <summary>Requests that were being executed, mean over time, all replicas together.</summary>
    public double InFlight { get; init; }

    /// <summary>Requests that waited, mean over time, all queues together.</summary>
    public double Queued { get; init; }

    /// <summary>Requests that came, a second; refused ones count, because they are demand.</summary>
    public double RatePerSecond { get; init; }

    /// <summary>Requests a second that one busy replica answers; 0 where nobody knows yet.</summary>
    public double ReplicaPerSecond { get; init; }

    /// <summary>From the order of a replica until its machine runs.</summary>
    public TimeSpan ProvisionDelay { get; init; }

    /// <summary>From a running machine until the model answers: image, libraries, weights, warm-up.</summary>
    public TimeSpan LoadDelay { get; init; }

    /// <summary>From an order until it helps.</summary>
    public TimeSpan LeadTime => ProvisionDelay + LoadDelay;

    /// <summary>Requests in the system: executing and waiting.</summary>
    public double Ongoing => InFlight + Queued;

    /// <summary>Whether anybody wants anything.</summary>
    public bool IsIdle => !(InFlight > 0 || Queued > 0 || RatePerSecond > 0);
}
