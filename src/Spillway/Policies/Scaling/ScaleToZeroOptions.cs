namespace Spillway.Policies.Scaling;

/// <summary>None when nobody asks.</summary>
public sealed record ScaleToZeroOptions
{
    /// <summary>How long nobody asked.</summary>
    [Option("So long nobody must have asked before the last replica goes.", Unit = "ms", Min = 0, Max = 86_400_000,
        Source = "KEDA: cooldownPeriod, 300 s")]
    public double IdleMs { get; init; } = 300_000;

    /// <summary>How often it looks when there are none.</summary>
    [Option("How often it looks.", Unit = "ms", Min = 10, Max = 600_000,
        Source = "a second: who waits for a cold start waits for this as well; KEDA polls each 30 s")]
    public double EveryMs { get; init; } = 1000;
}
