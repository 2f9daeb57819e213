namespace Spillway.Policies.Residency;

/// <summary>How much memory models may take, and what happens when more are wanted.</summary>
public sealed record ResidencyOptions
{
    /// <summary>Memory for models by device; none named, none limited.</summary>
    [Option("Memory that the loaded models may take together, by device: { cpu: 8000000000 }. Beyond it the least "
        + "recently used is unloaded, and loaded again when somebody asks for it. A device that is not named has no "
        + "limit. Devices: cpu, one of a provider (cuda:0), or simulated for every simulated one.",
        Unit = "bytes", Min = 1, Max = 1e15)]
    public IReadOnlyDictionary<string, long> MemoryBytesMax { get; init; } = new Dictionary<string, long>();

    /// <summary>Requests that may wait for loads on the device; one more is refused.</summary>
    [Option("Requests that may wait for models to be loaded on a device; one more is refused.", Unit = "requests",
        Min = 1, Max = 1_000_000,
        Source = "four queues of a model")]
    public int LoadWaitersMax { get; init; } = 1024;

    /// <summary>How long a load waits for idle models before one that is in use is closed to new requests.</summary>
    [Option("How long a load waits for an idle model to make room, before the least recently used one takes no new "
        + "requests and goes when it has answered those it has.", Unit = "ms", Min = 0, Max = 3_600_000,
        Source = "short beside a load, long beside a run")]
    public double RoomPatienceMs { get; init; } = 100;

    /// <summary>After a failed load, requests are refused for this long; doubled with each failure in a row.</summary>
    [Option("After a failed load the next attempt is made no sooner than this, doubled with each failure in a row up "
        + "to 64 times.",
        Unit = "ms", Min = 1, Max = 3_600_000, Source = "a corrupt file is not read a thousand times a second")]
    public double FailureBackoffMs { get; init; } = 1000;
}
