namespace Spillway.Policies.Concurrency;

/// <summary>How requests wait for a target with room.</summary>
public sealed record UpstreamLineOptions
{
    /// <summary>How many may wait.</summary>
    [Option("Requests that may wait for the targets of a route; beyond it the least critical one is given up.",
        Unit = "requests", Min = 1, Max = 16_384, Source = "a deployment's queue")]
    public int LengthMax { get; init; } = 256;

    /// <summary>The longest wait while the line empties now and then.</summary>
    [Option("How long a request may wait while the line was empty of late, and how long the line may stay filled "
        + "before it counts as built up.", Unit = "ms", Min = 1, Max = 600_000,
        Source = "Fail at scale: N = 100 ms; for language models the time to first token that users accept")]
    public double WaitMs { get; init; } = 100;

    /// <summary>The longest wait once the line has built up.</summary>
    [Option("How long a request may wait once the line has built up: it is then a standing queue, which adds delay "
        + "and serves nobody.", Unit = "ms", Min = 1, Max = 600_000,
        Source = "Fail at scale: M = 5 ms; for language models a tenth of waitMs")]
    public double BuiltUpWaitMs { get; init; } = 5;

    /// <summary>Whether the newest goes first then.</summary>
    [Option("Whether the newest request goes first once the line has built up: it is the one whose caller surely "
        + "still waits.", Source = "Fail at scale: adaptive LIFO")]
    public bool NewestFirst { get; init; } = true;
}
