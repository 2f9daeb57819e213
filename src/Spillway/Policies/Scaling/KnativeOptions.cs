namespace Spillway.Policies.Scaling;

/// <summary>Knative's pod autoscaler with its panic window.</summary>
public sealed record KnativeOptions
{
    /// <summary>How many requests a replica can have.</summary>
    [Option("Requests that a replica has at once, at most.", Unit = "requests", Min = 0.01, Max = 1_000_000,
        Source = "Knative: container-concurrency-target-default")]
    public double Concurrency { get; init; } = 100;

    /// <summary>How much of it is aimed at.</summary>
    [Option("The part of the concurrency that is aimed at.", Unit = "%", Min = 1, Max = 100,
        Source = "Knative: container-concurrency-target-percentage")]
    public double TargetPercent { get; init; } = 70;

    /// <summary>The window when nothing is unusual.</summary>
    [Option("Over this time the requests are averaged when nothing is unusual.", Unit = "ms",
        Min = 5000, Max = 3_600_000, Source = "Knative: stable-window, 60 s")]
    public double StableWindowMs { get; init; } = 60_000;

    /// <summary>The window that looks for a burst.</summary>
    [Option("The part of the stable window over which a burst is looked for.", Unit = "%", Min = 1, Max = 100,
        Source = "Knative: panic-window-percentage")]
    public double PanicWindowPercent { get; init; } = 10;

    /// <summary>What a burst is.</summary>
    [Option("It panics when the short window asks for so many times the ready replicas; it then never shrinks until a "
        + "stable window has passed without.", Unit = "%", Min = 110, Max = 1000,
        Source = "Knative: panic-threshold-percentage")]
    public double PanicThresholdPercent { get; init; } = 200;

    /// <summary>How fast it grows.</summary>
    [Option("So many times the ready replicas at a time, at most.", Min = 1.1, Max = 1_000_000,
        Source = "Knative: max-scale-up-rate")]
    public double ScaleUpRateMax { get; init; } = 1000;

    /// <summary>How fast it shrinks.</summary>
    [Option("The ready replicas divided by this at a time, at least.", Min = 1.1, Max = 1_000_000,
        Source = "Knative: max-scale-down-rate")]
    public double ScaleDownRateMax { get; init; } = 2;

    /// <summary>How long fewer must have sufficed.</summary>
    [Option("So long the highest wish counts before there are fewer.", Unit = "ms", Min = 0, Max = 3_600_000,
        Source = "Knative: scale-down-delay, 0 s")]
    public double ScaleDownDelayMs { get; init; }

    /// <summary>What a burst should find.</summary>
    [Option("Requests that may come at once without waiting for more replicas; where there is less room, a proxy that "
        + "holds requests stands in front. 0: only when there are no replicas; -1: always.", Unit = "requests",
        Min = -1, Max = 1_000_000, Source = "Knative: target-burst-capacity")]
    public double TargetBurstCapacity { get; init; } = 211;

    /// <summary>How many at least, when there are any.</summary>
    [Option("As many at least when there are any.", Unit = "replicas", Min = 1, Max = 10_000,
        Source = "Knative: activation-scale, 1")]
    public int ActivationScale { get; init; } = 1;

    /// <summary>How long the last one stays.</summary>
    [Option("So long after it was to be zero the last replica stays.", Unit = "ms", Min = 0, Max = 3_600_000,
        Source = "Knative: scale-to-zero-grace-period, 30 s at most")]
    public double ZeroGraceMs { get; init; } = 30_000;

    /// <summary>How often it decides.</summary>
    [Option("How often it decides.", Unit = "ms", Min = 100, Max = 600_000, Source = "Knative: tick-interval, 2 s")]
    public double EveryMs { get; init; } = 2000;
}
