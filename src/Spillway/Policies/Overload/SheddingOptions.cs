namespace Spillway.Policies.Overload;

/// <summary>How a deployment of this server gives up the less critical requests when there is too much to do.</summary>
public sealed record SheddingOptions
{
    /// <summary>Whether requests are shed by criticality.</summary>
    [Option("Whether the less critical requests are refused first when requests wait too long. Without it the queue's "
        + "limits and deadlines refuse whoever comes.", Source = "off: without classes all requests are equal")]
    public bool Enabled { get; init; }

    /// <summary>What overload is.</summary>
    [Option("Overload is a mean time in the queue above this. The time of a run does not count: it says how large the "
        + "work is, not how much waits. While critical requests come, and for ten windows behind them, a sheddable "
        + "request is also refused behind more waiting work than this, a sheddable-plus one behind twice that.",
        Unit = "ms", Min = 0.1, Max = 60_000,
        Source = "DAGOR (WeChat): 20 ms")]
    public double QueueMs { get; init; } = 20;

    /// <summary>What recovery is, as a part of it.</summary>
    [Option("More is let in again when the mean time in the queue is below this part of it; between the two nothing "
        + "changes.", Min = 0.05, Max = 1, Source = "half, so that a level that just suffices is kept")]
    public double RecoverBelow { get; init; } = 0.5;

    /// <summary>How long is measured.</summary>
    [Option("How long is measured before the cut moves.", Unit = "ms", Min = 10, Max = 60_000,
        Source = "DAGOR: 1 s, or windowRequests when they come first")]
    public double WindowMs { get; init; } = 1000;

    /// <summary>How many are measured.</summary>
    [Option("How many requests are measured before the cut moves.", Unit = "requests", Min = 10, Max = 1_000_000,
        Source = "DAGOR: 2000")]
    public int WindowRequests { get; init; } = 2000;

    /// <summary>How much is cut off at a time.</summary>
    [Option("The part of the admitted requests that is cut off when there is slight overload; with a queue so many "
        + "times too long as many times more, up to half.", Min = 0.001, Max = 0.5, Source = "DAGOR: alpha = 5 %")]
    public double ShedPart { get; init; } = 0.05;

    /// <summary>How much is let in again at a time.</summary>
    [Option("The part of the requests that is let in again when there is no overload; it doubles with each further "
        + "window without one.", Min = 0.001, Max = 0.5,
        Source = "DAGOR: beta = 1 %")]
    public double RecoverPart { get; init; } = 0.01;
}
