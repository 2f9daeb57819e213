using System.Net;

namespace Spillway.App.Load;

/// <summary>What one round of one endpoint needs to know. Times are the load clock's nanoseconds.</summary>
internal sealed record LoadSettings
{
    public required LoadClock Clock { get; init; }

    public required EndPoint Address { get; init; }

    public required StageTable Stages { get; init; }

    /// <summary>Complete requests, head and body; drawn in seeded order.</summary>
    public required byte[][] Requests { get; init; }

    /// <summary>Draws arrivals and requests; the same for every endpoint of a round.</summary>
    public required int Seed { get; init; }

    public required long MeasureFrom { get; init; }

    /// <summary>Nothing is begun from here on.</summary>
    public required long MeasureTo { get; init; }

    /// <summary>The largest number of measured requests.</summary>
    public required long RequestsMax { get; init; }

    /// <summary>A request in the air this long is given up.</summary>
    public required long TimeoutNs { get; init; }
}
