namespace Spillway.Policies.Batching;

/// <summary>How a deployment queues and batches.</summary>
public sealed record BatchingOptions
{
    /// <summary>Requests that may wait or be decoded at once; one more is refused.</summary>
    [Option("Requests that may wait or be decoded at once; one more is refused with 503.", Unit = "requests",
        Min = 1, Max = 16384,
        Source = "four batches of 64, the connections that the benchmarks hold")]
    public int QueueLengthMax { get; init; } = 256;

    /// <summary>The largest batch; the measured curve may choose a smaller one.</summary>
    [Option("The largest batch in rows, and the most rows of one request; the measured curve may choose smaller "
        + "batches. "
        + "1 switches batching off.", Unit = "rows", Min = 1, Max = 1024,
        Source = "knee of the measured curves at 8 to 16 rows, and room to grow")]
    public int BatchRowsMax { get; init; } = 32;

    /// <summary>How long an idle runner waits for a batch to fill.</summary>
    [Option("How long an idle runner may wait for a batch to fill. 0 is work-conserving: no added wait.", Unit = "ms",
        Min = 0, Max = 10_000,
        Source = "simulations: a fixed delay raised p99 at low load and bought nothing")]
    public double BatchWaitMs { get; init; }

    /// <summary>Runners of a model that gains from batching, or of any model when set.</summary>
    [Option("Runs at once. 0 follows the measured curve: one for a model that gains from batching, else one per core "
        + "of the device.",
        Unit = "runs", Min = 0, Max = 256,
        Source = "measured: with two runners requests always find one idle and no batch forms, 13.9k against 37.0k requests a second")]
    public int Runners { get; init; }

    /// <summary>A batch size must save this share of the time per row over the one before.</summary>
    [Option("The share of time per row that a larger batch must save to be worth it.", Min = 0.01, Max = 0.9,
        Source = "measured spread between runs is below 10 %")]
    public double GainMin { get; init; } = 0.10;

    /// <summary>Lowest priority level; 1 is the highest.</summary>
    [Option("The number of priority levels; 1 is the most urgent, a request without one gets the middle level.",
        Unit = "levels", Min = 1, Max = 16,
        Source = "Triton's schedule_policy")]
    public int PriorityLevels { get; init; } = 3;

    /// <summary>Waiting this long raises a request by one level.</summary>
    [Option("Waiting this long raises a request by one priority level, so that none starves.", Unit = "ms",
        Min = 1, Max = 3_600_000,
        Source = "a quarter of the smallest default deadline")]
    public double PriorityAgeingMs { get; init; } = 60;

    /// <summary>Predictions are stretched by this factor before they are held against a deadline.</summary>
    [Option("Predicted times are stretched by this factor before they are held against a deadline.", Min = 1, Max = 10,
        Source = "measured spread of run times on shared cores")]
    public double SafetyFactor { get; init; } = 1.15;
}
