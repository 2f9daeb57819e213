namespace Spillway.Policies.Scaling;

/// <summary>As many replicas as keep a figure at its target.</summary>
public sealed record TargetOptions
{
    /// <summary>How busy a replica should be.</summary>
    [Option("The busy part of each replica that 'utilisation' aims at. Waiting grows as 1 / (1 - utilisation), so what "
        + "is near 1 has no room for a burst.", Min = 0.05, Max = 0.99,
        Source = "Knative's 70 %; M/M/c at 10 replicas waits 0.02 service times there")]
    public double Utilisation { get; init; } = 0.7;

    /// <summary>How many requests a replica should have.</summary>
    [Option("Requests of each replica, executing and waiting, that 'queue' aims at.", Unit = "requests",
        Min = 0.01, Max = 100_000, Source = "Ray Serve's target_ongoing_requests")]
    public double OngoingPerReplica { get; init; } = 2;

    /// <summary>What is near enough.</summary>
    [Option("A figure within this part of its target changes nothing.", Min = 0, Max = 0.9,
        Source = "Kubernetes' horizontal-pod-autoscaler-tolerance")]
    public double Tolerance { get; init; } = 0.1;

    /// <summary>How long fewer replicas must have sufficed.</summary>
    [Option("So long fewer replicas must have sufficed before there are fewer.", Unit = "ms", Min = 0, Max = 3_600_000,
        Source = "Kubernetes' downscale stabilisation: 300 s")]
    public double ScaleInAfterMs { get; init; } = 300_000;

    /// <summary>How often it decides.</summary>
    [Option("How often it decides.", Unit = "ms", Min = 100, Max = 3_600_000,
        Source = "Kubernetes' sync period: 15 s")]
    public double EveryMs { get; init; } = 15_000;
}
