namespace Spillway.Policies.Scaling;

/// <summary>
/// How many replicas there should be. Pure: it keeps what it has seen, and has no clock, task or lock; one owner asks
/// it at regular intervals and carries the wish out. The live fleet and the planner ask the same objects.
/// </summary>
internal interface IScalingPolicy
{
    /// <summary>As the catalogue knows it.</summary>
    string Name { get; }

    /// <summary>How often it wants to be asked; its windows and delays count in real time, not in calls.</summary>
    TimeSpan Every { get; }

    /// <summary>Decides, and remembers what it saw.</summary>
    /// <param name="seen">What was observed since it was last asked.</param>
    /// <param name="now">The present; never earlier than before.</param>
    ScalingDecision Decide(in ScalingObservation seen, Instant now);
}
