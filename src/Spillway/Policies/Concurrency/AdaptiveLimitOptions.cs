namespace Spillway.Policies.Concurrency;

/// <summary>How many requests an upstream gets at once, learned from its latency.</summary>
public sealed record AdaptiveLimitOptions
{
    /// <summary>Whether the limit moves.</summary>
    [Option("Whether the number of requests that a target gets at once follows its latency; without it, max holds.",
        Source = "an upstream's capacity changes with its other callers, and nobody tells")]
    public bool Enabled { get; init; } = true;

    /// <summary>Where it begins.</summary>
    [Option("The limit before anything is known.", Unit = "requests", Min = 1, Max = 100_000,
        Source = "Netflix concurrency-limits, Gradient2: 20")]
    public int Initial { get; init; } = 20;

    /// <summary>The least.</summary>
    [Option("The limit never falls below this.", Unit = "requests", Min = 1, Max = 100_000,
        Source = "a target that does one request at a time is still of use")]
    public int Min { get; init; } = 1;

    /// <summary>The most.</summary>
    [Option("The limit never grows beyond this.", Unit = "requests", Min = 1, Max = 100_000,
        Source = "Netflix concurrency-limits, Gradient2: 200")]
    public int Max { get; init; } = 200;

    /// <summary>How much slower than usual is still fine.</summary>
    [Option("The limit falls when the time to the first delta is more than this many times the usual one.",
        Min = 1, Max = 10, Source = "Netflix concurrency-limits, Gradient2: 1.5")]
    public double Tolerance { get; init; } = 1.5;

    /// <summary>Requests that may queue at the target.</summary>
    [Option("So many requests may queue at the target: what the limit grows by.", Unit = "requests", Min = 1,
        Max = 1000, Source = "Netflix concurrency-limits, Gradient2: 4")]
    public int Queue { get; init; } = 4;

    /// <summary>Weight of a new limit.</summary>
    [Option("How much of each newly computed limit counts.", Min = 0.01, Max = 1,
        Source = "Netflix concurrency-limits, Gradient2: 0.2")]
    public double Smoothing { get; init; } = 0.2;

    /// <summary>What usual means.</summary>
    [Option("The usual time is the mean of about so many requests.", Unit = "requests", Min = 10, Max = 100_000,
        Source = "Netflix concurrency-limits, Gradient2: 600")]
    public int LongWindow { get; init; } = 600;
}
