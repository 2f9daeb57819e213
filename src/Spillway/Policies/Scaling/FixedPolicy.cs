namespace Spillway.Policies.Scaling;

/// <summary>Always as many: what every other policy is compared with.</summary>
/// <param name="replicas">How many; 0 or more.</param>
internal sealed class FixedPolicy(int replicas) : IScalingPolicy
{
    /// <inheritdoc/>
    public string Name => ScalingCatalogue.Fixed;

    /// <inheritdoc/>
    public TimeSpan Every => TimeSpan.FromMinutes(1);

    /// <inheritdoc/>
    public ScalingDecision Decide(in ScalingObservation seen, Instant now) =>
        ScalingDecision.Of(replicas, $"a fixed number of {replicas}");
}
