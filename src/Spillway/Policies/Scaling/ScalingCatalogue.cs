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

    /// <summary>Kubernetes.</summary>
    public const string Hpa = "hpa";

    /// <summary>Knative.</summary>
    public const string Knative = "knative";

    /// <summary>Ray Serve.</summary>
    public const string RayServe = "ray-serve";

    /// <summary>A forecast above a reactive policy.</summary>
    public const string Predictive = "predictive";

    /// <summary>Spare replicas.</summary>
    public const string WarmPool = "warm-pool";

    /// <summary>By the histogram of idle times.</summary>
    public const string KeepAlive = "keep-alive";

    /// <summary>None when nobody asks.</summary>
    public const string ScaleToZero = "scale-to-zero";

    /// <summary>The names, in the order of the documentation.</summary>
    public static IReadOnlyList<string> Names { get; } =
        [Fixed, Utilisation, Queue, Hpa, Knative, RayServe, Predictive, WarmPool, KeepAlive, ScaleToZero];

    /// <summary>The names of those that decide by what is, and that others add to.</summary>
    public static IReadOnlyList<string> ReactiveNames { get; } = [Fixed, Utilisation, Queue, Hpa, Knative, RayServe];

    /// <summary>A fresh policy with its limits, or what is wrong with the options.</summary>
    /// <param name="options">What a person wrote; each value within its range.</param>
    public static Outcome<ScalingLimits> Create(ScalingOptions options)
    {
        if (options.ReplicasMax < options.ReplicasMin)
            return Fault.Invalid($"scaling.replicasMax is {options.ReplicasMax}, below replicasMin, which is "
                + $"{options.ReplicasMin}. Raise the one or lower the other.");
        if (Reactive(options.Reactive, options) is not { } reactive)
            return Unknown("reactive", options.Reactive, ReactiveNames);
        var policy = Reactive(options.Policy, options) ?? options.Policy switch
        {
            Predictive => new PredictivePolicy(options.Predictive, reactive, options.Target.Utilisation),
            WarmPool => new WarmPoolPolicy(options.WarmPool, reactive),
            KeepAlive => new KeepAlivePolicy(options.KeepAlive, reactive),
            ScaleToZero => new ScaleToZeroPolicy(options.ScaleToZero, reactive),
            _ => null,
        };
        return policy is null
            ? Unknown("policy", options.Policy, Names)
            : new ScalingLimits(policy, options.ReplicasMin, options.ReplicasMax);
    }

    private static IScalingPolicy? Reactive(string name, ScalingOptions options) => name switch
    {
        Fixed => new FixedPolicy(options.ReplicasMin),
        Utilisation => new TargetPolicy(options.Target, byQueue: false),
        Queue => new TargetPolicy(options.Target, byQueue: true),
        Hpa => new HpaPolicy(options.Hpa),
        Knative => new KnativePolicy(options.Knative),
        RayServe => new RayServePolicy(options.RayServe, options.ReplicasMin, options.ReplicasMax),
        _ => null,
    };

    private static Fault Unknown(string key, string name, IEnumerable<string> known) => Fault.Invalid(
        $"scaling.{key} is '{name}', which no policy is called. Known: {string.Join(", ", known)}.");
}
