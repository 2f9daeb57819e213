namespace Spillway.Policies.Scaling;

/// <summary>Holds another policy between the fewest and the most replicas, and says when it does.</summary>
/// <param name="inner">Decides.</param>
/// <param name="least">The fewest; 0 where it may scale to zero.</param>
/// <param name="most">The most; not below the fewest.</param>
internal sealed class ScalingLimits(IScalingPolicy inner, int least, int most) : IScalingPolicy
{
    /// <inheritdoc/>
    public string Name => inner.Name;

    /// <inheritdoc/>
    public TimeSpan Every => inner.Every;

    /// <inheritdoc/>
    public ScalingDecision Decide(in ScalingObservation seen, Instant now)
    {
        var wish = inner.Decide(seen, now);
        if (wish.Replicas > most)
            return wish.Also(most, $"replicasMax holds it at {most}");
        return wish.Replicas < least ? wish.Also(least, $"replicasMin holds it at {least}") : wish;
    }
}
