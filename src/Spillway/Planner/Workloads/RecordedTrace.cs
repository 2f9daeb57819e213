namespace Spillway.Planner.Workloads;

/// <summary>Recorded arrivals, in order.</summary>
/// <param name="At">Ticks since the first.</param>
/// <param name="Size">Multiples of the size that curves were measured at; null where the trace has none.</param>
/// <param name="TokensIn">Tokens read; null where the trace has none.</param>
/// <param name="TokensOut">Tokens written; null where the trace has none.</param>
/// <param name="Keys">What was asked, as a number; negative for nothing known. Null where the trace has none.</param>
public sealed record RecordedTrace(long[] At, double[]? Size, int[]? TokensIn, int[]? TokensOut, long[]? Keys)
{
    /// <summary>How many.</summary>
    public int Count => At.Length;

    /// <summary>From the first to the last.</summary>
    public TimeSpan Span => new(At[^1]);
}
