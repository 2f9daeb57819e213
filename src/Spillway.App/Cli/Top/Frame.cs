namespace Spillway.App.Cli.Top;

/// <summary>A named share or rate.</summary>
/// <param name="Name">Of an outcome, a reason, a size.</param>
/// <param name="PerSecond">How often.</param>
internal readonly record struct NamedRate(string Name, double PerSecond);

/// <summary>Where the time of the interval's requests went, by stage.</summary>
/// <param name="Name">Of the stage.</param>
/// <param name="MeanMs">Time in it, spread over all requests, so that the stages add up to the mean request.</param>
/// <param name="P95Ms">Of those that reached it; NaN when none did.</param>
internal readonly record struct StageFigures(string Name, double MeanMs, double P95Ms);

/// <summary>One served name over one interval. Times are milliseconds; what is not known is NaN.</summary>
internal sealed record FrameRow
{
    public required ModelState State { get; init; }

    public double Rate { get; init; } = double.NaN;

    public double OkRate { get; init; } = double.NaN;

    public double P50 { get; init; } = double.NaN;

    public double P95 { get; init; } = double.NaN;

    public double P99 { get; init; } = double.NaN;

    public double QueueDepth { get; init; } = double.NaN;

    public double QueueLengthMax { get; init; } = double.NaN;

    public double InFlight { get; init; } = double.NaN;

    public double Runners { get; init; } = double.NaN;

    /// <summary>Runners busy on average: 0 to <see cref="Runners"/>.</summary>
    public double Busy { get; init; } = double.NaN;

    public double PredictedWaitMs { get; init; } = double.NaN;

    public double BatchRate { get; init; } = double.NaN;

    /// <summary>Requests of the mean batch.</summary>
    public double BatchRequests { get; init; } = double.NaN;

    public double BatchRowsP95 { get; init; } = double.NaN;

    public double MemoryBytes { get; init; } = double.NaN;

    /// <summary>Every outcome that occurred, the most frequent first.</summary>
    public IReadOnlyList<NamedRate> Outcomes { get; init; } = [];

    public IReadOnlyList<NamedRate> Cuts { get; init; } = [];

    public IReadOnlyList<NamedRate> Drops { get; init; } = [];

    /// <summary>Batches by their rows, as the bounds of the histogram; only those that occurred.</summary>
    public IReadOnlyList<NamedRate> Sizes { get; init; } = [];

    public IReadOnlyList<StageFigures> Stages { get; init; } = [];

    /// <summary>Learned milliseconds of a run by its rows.</summary>
    public IReadOnlyList<(string Rows, double Ms)> Service { get; init; } = [];

    /// <summary>Requests that were not answered, a second.</summary>
    public double FailedRate => Rate - OkRate;

    /// <summary>Identity across intervals.</summary>
    public string Key => Reading.Key(State.Name, State.Version);
}

/// <summary>One server over one interval, ready to be shown. Immutable.</summary>
internal sealed record Frame
{
    public required Reading Now { get; init; }

    /// <summary>Length of the interval in seconds; 0 for the first poll, which knows no rates.</summary>
    public required double Seconds { get; init; }

    public required IReadOnlyList<FrameRow> Rows { get; init; }

    /// <summary>Processors' worth of time: 1 is one core.</summary>
    public double Cpu { get; init; } = double.NaN;

    /// <summary>Share of the interval in which the process stood still for the garbage collector.</summary>
    public double GcPause { get; init; } = double.NaN;

    /// <summary>Bytes allocated a second.</summary>
    public double Allocated { get; init; } = double.NaN;

    /// <summary>Seconds since the process began.</summary>
    public double UptimeSeconds { get; init; } = double.NaN;
}
