namespace Spillway.Policies.Scaling;

/// <summary>How the number of replicas follows the demand.</summary>
public sealed record ScalingOptions
{
    /// <summary>Which policy decides.</summary>
    [Option("Which policy decides. fixed: always replicasMin. utilisation, queue: a target of busy time or of "
        + "requests for each replica. hpa: Kubernetes. knative: Knative's autoscaler with its panic window. ray-serve: "
        + "Ray Serve. predictive: a forecast above a reactive policy. warm-pool: spare replicas by what a missing one "
        + "costs. keep-alive: how long an idle one stays, by the histogram of idle times. scale-to-zero: none when "
        + "nobody asks.",
        OneOf = "fixed|utilisation|queue|hpa|knative|ray-serve|predictive|warm-pool|keep-alive|scale-to-zero",
        Source = "a fixed number: who wants it to move chooses how")]
    public string Policy { get; init; } = ScalingCatalogue.Fixed;

    /// <summary>What a policy that adds to another one adds to.</summary>
    [Option("The policy that predictive, warm-pool, keep-alive and scale-to-zero add to.",
        OneOf = "fixed|utilisation|queue|hpa|knative|ray-serve",
        Source = "requests in the system: the only figure that does not saturate")]
    public string Reactive { get; init; } = ScalingCatalogue.Queue;

    /// <summary>The fewest replicas.</summary>
    [Option("The fewest replicas; 0 lets policies that can scale to zero.", Unit = "replicas", Min = 0, Max = 100_000,
        Source = "one, so that nobody waits for a cold start unless asked for")]
    public int ReplicasMin { get; init; } = 1;

    /// <summary>The most replicas.</summary>
    [Option("The most replicas; not below replicasMin.", Unit = "replicas", Min = 1, Max = 100_000,
        Source = "KEDA's default; a bound on the bill")]
    public int ReplicasMax { get; init; } = 100;

    /// <summary>For utilisation and queue.</summary>
    [Option("For utilisation and queue.")]
    public TargetOptions Target { get; init; } = new();

    /// <summary>For hpa.</summary>
    [Option("For hpa.")]
    public HpaOptions Hpa { get; init; } = new();

    /// <summary>For knative.</summary>
    [Option("For knative.")]
    public KnativeOptions Knative { get; init; } = new();

    /// <summary>For ray-serve.</summary>
    [Option("For ray-serve.")]
    public RayServeOptions RayServe { get; init; } = new();

    /// <summary>For predictive.</summary>
    [Option("For predictive.")]
    public PredictiveOptions Predictive { get; init; } = new();

    /// <summary>For warm-pool.</summary>
    [Option("For warm-pool.")]
    public WarmPoolOptions WarmPool { get; init; } = new();

    /// <summary>For keep-alive.</summary>
    [Option("For keep-alive.")]
    public KeepAliveOptions KeepAlive { get; init; } = new();

    /// <summary>For scale-to-zero.</summary>
    [Option("For scale-to-zero.")]
    public ScaleToZeroOptions ScaleToZero { get; init; } = new();
}
