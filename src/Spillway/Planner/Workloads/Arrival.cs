namespace Spillway.Planner.Workloads;

/// <summary>A request as its user sends it.</summary>
public struct Arrival
{
    /// <summary>When.</summary>
    public Instant At;

    /// <summary>Multiple of the size that curves were measured at.</summary>
    public double Size;

    /// <summary>Tokens read; 0 where nobody counts.</summary>
    public int TokensIn;

    /// <summary>Tokens written; 0 where nobody counts.</summary>
    public int TokensOut;

    /// <summary>What is asked, for caches; negative for something that never repeats.</summary>
    public long Key;
}

/// <summary>A stream of arrivals, in order.</summary>
public interface IArrivalStream
{
    /// <summary>The next one; false when the stream is over.</summary>
    bool Next(out Arrival arrival);
}
