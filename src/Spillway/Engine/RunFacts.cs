using Spillway.Telemetry;

namespace Spillway.Engine;

/// <summary>Facts about a run, for the record of each request in it.</summary>
/// <param name="Requests">Requests in it.</param>
/// <param name="Rows">Rows in it.</param>
/// <param name="Why">Why it was not larger.</param>
/// <param name="Runner">Which runner.</param>
public readonly record struct RunFacts(int Requests, int Rows, CutReason Why, int Runner)
{
    /// <summary>The length that its padded inputs had; 0 where none is padded.</summary>
    public long Length { get; init; }

    /// <summary>Input elements in it, padding included.</summary>
    public long Elements { get; init; }

    /// <summary>Those of them that were padding.</summary>
    public long Padding { get; init; }
}
