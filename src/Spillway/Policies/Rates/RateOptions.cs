using Spillway.Policies.Guarding;

namespace Spillway.Policies.Rates;

/// <summary>One rate limit. At least one of its five numbers is given; each is held by itself.</summary>
public sealed record RateOptions : ScopedOptions
{
    /// <summary>Requests a second; null for no limit.</summary>
    [Option("Requests a second, on average.", Unit = "requests/s", Min = 0.0001, Max = 1e9)]
    public double? RequestsPerSecond { get; init; }

    /// <summary>Items (rows) a second; null for no limit.</summary>
    [Option("Items (rows of the requests) a second, on average.", Unit = "rows/s", Min = 0.0001, Max = 1e12)]
    public double? ItemsPerSecond { get; init; }

    /// <summary>Input bytes a second; null for no limit.</summary>
    [Option("Bytes of the input tensors a second, on average.", Unit = "bytes/s", Min = 1, Max = 1e15)]
    public double? BytesPerSecond { get; init; }

    /// <summary>Tokens of language models a second; null for no limit.</summary>
    [Option("Tokens of language models a second, on average, prompts and answers together. A request takes the most "
        + "that it can use, and gives back at its end what it did not. 100,000 a minute are 1666.67 with "
        + "burstSeconds: 60.", Unit = "tokens/s", Min = 0.0001, Max = 1e12)]
    public double? TokensPerSecond { get; init; }

    /// <summary>Requests inside at once; null for no limit.</summary>
    [Option("Requests inside the server at once, from the gate to the last byte of the answer.", Unit = "requests",
        Min = 1, Max = 1_000_000)]
    public int? Concurrency { get; init; }

    /// <summary>How much of the rate may come at once after a pause.</summary>
    [Option("How many seconds' worth of the rate may come at once after a pause: the size of the token bucket. "
        + "60 with requestsPerSecond: 1 is sixty a minute, whenever they come.", Unit = "s", Min = 0.001, Max = 86_400,
        Source = "one second of the rate")]
    public double BurstSeconds { get; init; } = 1;

    /// <summary>Whether tenants get equal parts (by weight) of what is declared.</summary>
    [Option("Whether the tenants that want it share it by their weights (limits.weights), so that none can use up what "
        + "another is due; what one leaves, the others may use. For limits that several tenants share.")]
    public bool FairShares { get; init; }

    /// <summary>What becomes of a request that finds nothing left.</summary>
    [Option("What becomes of a request that finds nothing left: refuse, queue (it waits for its turn) or degrade "
        + "(a route's matter, refused here).")]
    public AtLimit AtLimit { get; init; }

    /// <summary>The longest wait with queue.</summary>
    [Option("With atLimit: queue, how long a request may wait; it is refused at once when that would not do.",
        Unit = "ms", Min = 1, Max = 3_600_000, Source = "longer waits are better told to the caller")]
    public double QueueMs { get; init; } = 1000;

    /// <summary>The longest line with queue.</summary>
    [Option("With atLimit: queue, how many requests may wait for concurrency at once.", Unit = "requests",
        Min = 1, Max = 100_000, Source = "a deployment's queue")]
    public int QueueLengthMax { get; init; } = 256;
}
