namespace Spillway.Planner.Calibration;

/// <summary>What a record says of one answered request. What it does not say is null.</summary>
internal readonly record struct RecordedAnswer
{
    /// <summary>When it came: ticks since the first of the record.</summary>
    public long At { get; init; }

    /// <summary>The time of its run.</summary>
    public double? ExecuteMs { get; init; }

    /// <summary>From its coming until its run began.</summary>
    public double? QueueMs { get; init; }

    /// <summary>The server's own work: all its stages but the wait and the run.</summary>
    public double? OwnMs { get; init; }

    /// <summary>Rows of the run, from 1.</summary>
    public int Rows { get; init; }

    /// <summary>Requests of the run, from 1.</summary>
    public int Requests { get; init; }

    /// <summary>Elements of one of its own rows.</summary>
    public double? Elements { get; init; }

    /// <summary>Tokens read.</summary>
    public int? TokensIn { get; init; }

    /// <summary>Tokens written.</summary>
    public int? TokensOut { get; init; }

    /// <summary>From its coming to the first token.</summary>
    public double? FirstTokenMs { get; init; }

    /// <summary>From its coming to the whole answer.</summary>
    public double? TotalMs { get; init; }

    /// <summary>From its coming until the engine noticed it.</summary>
    public double? QueuedMs { get; init; }

    /// <summary>From its coming until it was first given to a step.</summary>
    public double? ScheduledMs { get; init; }

    /// <summary>Seconds since the first of the record.</summary>
    public double Second => At / (double)TimeSpan.TicksPerSecond;
}
