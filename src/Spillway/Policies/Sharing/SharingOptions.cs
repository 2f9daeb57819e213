namespace Spillway.Policies.Sharing;

/// <summary>How a deployment shares the devices that it runs on with other deployments.</summary>
public sealed record SharingOptions
{
    /// <summary>Its part of a contended device, relative to the others' weights.</summary>
    [Option("Its part of a device that several models want, relative to their weights: 3 gets three times the run "
        + "time of 1. "
        + "Without contention it changes nothing.", Min = 0.01, Max = 1000, Source = "equal parts")]
    public double Weight { get; init; } = 1;

    /// <summary>How early it gets its part: 1 is the most urgent.</summary>
    [Option("How early it gets its part of a contended device: 1 urgent, 2 ordinary, 3 in the background. A level "
        + "lets it run 60 ms ahead of its part; over time the weights alone decide, so that nobody starves.",
        Unit = "level", Min = 1, Max = 3, Source = "as the priorities of requests, 1 first")]
    public int Priority { get; init; } = 2;

    /// <summary>The concurrency group whose limit it shares; empty for none.</summary>
    [Option("The concurrency group it belongs to, one of groups in spillway.yaml: its members share the group's "
        + "limit of runs at once.")]
    public string Group { get; init; } = "";
}
