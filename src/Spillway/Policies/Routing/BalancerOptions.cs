namespace Spillway.Policies.Routing;

/// <summary>How requests are spread over the targets of a route.</summary>
public sealed record BalancerOptions
{
    /// <summary>How long a slow answer is remembered.</summary>
    [Option("How long a slow answer of a target is remembered (the time constant).", Unit = "ms",
        Min = 10, Max = 600_000, Source = "Finagle's PeakEwma: 10 s")]
    public double MemoryMs { get; init; } = 10_000;

    /// <summary>What is not worth going elsewhere for.</summary>
    [Option("A target is passed over for another one when its load is more than this many times the other's; less is "
        + "noise, and the declared weights decide.", Min = 1, Max = 10,
        Source = "the spread of latencies between equal machines")]
    public double Margin { get; init; } = 1.25;
}
