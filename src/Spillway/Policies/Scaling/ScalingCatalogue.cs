namespace Spillway.Policies.Scaling;

/// <summary>Every scaling policy by its name.</summary>
internal static class ScalingCatalogue
{
    /// <summary>Always as many.</summary>
    public const string Fixed = "fixed";

    /// <summary>A busy part.</summary>
    public const string Utilisation = "utilisation";

    /// <summary>Requests of each replica.</summary>
    public const string Queue = "queue";

    /// <summary>The names, in the order of the documentation.</summary>
    public static IReadOnlyList<string> Names { get; } = [Fixed, Utilisation, Queue];

    /// <summary>A fresh policy with its limits, or what is wrong with the options.</summary>
    /// <param name="options">What a person wrote.</param>
    public static Outcome<ScalingLimits> Create(ScalingOptions options)
    {
        if (options.ReplicasMax < options.ReplicasMin)
            return Fault.Invalid($"scaling.replicasMax is {options.ReplicasMax}, below replicasMin, which is "
                + $"{options.ReplicasMin}. Raise the one or lower the other.");
        return Named(options.Policy, options) is { } policy
            ? new ScalingLimits(policy, options.ReplicasMin, options.ReplicasMax)
            : Fault.Invalid($"scaling.policy is '{options.Policy}', which no policy is called. "
                + $"Known: {string.Join(", ", Names)}.");
    }

    private static IScalingPolicy? Named(string name, ScalingOptions options) => name switch
    {
        Fixed => new FixedPolicy(options.ReplicasMin),
        Utilisation => new TargetPolicy(options.Target, byQueue: false),
        Queue => new TargetPolicy(options.Target, byQueue: true),
        _ => null,
    };
}
