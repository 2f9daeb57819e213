namespace Spillway.Planner.Workloads;

/// <summary>A request as its user sends it.</summary>
public record struct Arrival
{
    /// <summary>When.</summary>
    public Instant At { get; set; }

    /// <summary>Multiple of the size that curves were measured at.</summary>
    public double Size { get; set; }

    /// <summary>Tokens read; 0 where nobody counts.</summary>
    public int TokensIn { get; set; }

    /// <summary>Tokens written; 0 where nobody counts.</summary>
    public int TokensOut { get; set; }

    /// <summary>What is asked, for caches; negative for something that never repeats.</summary>
    public long Key { get; set; }
}

/// <summary>A stream of arrivals, in order.</summary>
public interface IArrivalStream
{
    /// <summary>The next one; false when the stream is over.</summary>
    bool Next(out Arrival arrival);
}
