namespace Spillway.Policies.Scaling;

/// <summary>The horizontal pod autoscaler of Kubernetes.</summary>
public sealed record HpaOptions
{
    /// <summary>What is compared with targets; of several the one that wants most replicas decides.</summary>
    [Option("What is compared with targets; of several the one that wants most replicas decides.")]
    public IReadOnlyList<HpaMetricOptions> Metrics { get; init; } = [new()];

    /// <summary>What is near enough.</summary>
    [Option("A metric within this part of its target changes nothing.", Min = 0, Max = 0.9,
        Source = "Kubernetes: horizontal-pod-autoscaler-tolerance")]
    public double Tolerance { get; init; } = 0.1;

    /// <summary>How often it decides.</summary>
    [Option("How often it decides.", Unit = "ms", Min = 1000, Max = 3_600_000,
        Source = "Kubernetes: horizontal-pod-autoscaler-sync-period")]
    public double EveryMs { get; init; } = 15_000;

    /// <summary>How it grows.</summary>
    [Option("How it grows.")]
    public HpaDirectionOptions ScaleUp { get; init; } = new()
    {
        StabilisationMs = 0,
        Policies = [new() { Type = "percent", Value = 100 }, new() { Type = "pods", Value = 4 }],
    };

    /// <summary>How it shrinks.</summary>
    [Option("How it shrinks.")]
    public HpaDirectionOptions ScaleDown { get; init; } = new();
}

/// <summary>A metric and its target, mean over the pods.</summary>
public sealed record HpaMetricOptions
{
    /// <summary>Which metric.</summary>
    [Option("utilisation: the busy part, 0 to 1. ongoing: requests executing and waiting. queue: waiting ones. rate: "
        + "requests a second. Each is a mean over the replicas.", OneOf = "utilisation|ongoing|queue|rate",
        Source = "Kubernetes: resource utilisation")]
    public string Metric { get; init; } = "utilisation";

    /// <summary>What the mean should be.</summary>
    [Option("What the mean over the replicas should be, in the unit of the metric.", Min = 0.000001, Max = 1e9,
        Source = "Kubernetes: 80 % where a manifest names no metric")]
    public double Target { get; init; } = 0.8;
}

/// <summary>The behaviour in one direction.</summary>
public sealed record HpaDirectionOptions
{
    /// <summary>Over which time the most careful wish counts.</summary>
    [Option("Over this time the most careful wish counts: the lowest when it grows, the highest when it shrinks.",
        Unit = "ms", Min = 0, Max = 3_600_000, Source = "Kubernetes: 300 s when it shrinks, 0 when it grows")]
    public double StabilisationMs { get; init; } = 300_000;

    /// <summary>Which of several limits counts.</summary>
    [Option("Which of several policies counts: max, the one that allows most change; min, the least; disabled: no "
        + "change in this direction.", OneOf = "max|min|disabled", Source = "Kubernetes: Max")]
    public string SelectPolicy { get; init; } = "max";

    /// <summary>How much may change in how much time.</summary>
    [Option("How much may change in how much time.")]
    public IReadOnlyList<HpaRateOptions> Policies { get; init; } = [new()];
}

/// <summary>How much may change in a period.</summary>
public sealed record HpaRateOptions
{
    /// <summary>In pods or in percent.</summary>
    [Option("Whether the value is in pods, or in percent of the pods at the period's begin.", OneOf = "percent|pods",
        Source = "Kubernetes: percent")]
    public string Type { get; init; } = "percent";

    /// <summary>How much.</summary>
    [Option("How much may change in a period.", Min = 1, Max = 100_000,
        Source = "Kubernetes: 100 % both ways, and 4 pods when it grows")]
    public int Value { get; init; } = 100;

    /// <summary>In which time.</summary>
    [Option("The period.", Unit = "ms", Min = 1000, Max = 1_800_000, Source = "Kubernetes: 15 s")]
    public double PeriodMs { get; init; } = 15_000;
}
