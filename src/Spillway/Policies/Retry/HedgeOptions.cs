namespace Spillway.Policies.Retry;

/// <summary>Second copies of slow requests.</summary>
public sealed record HedgeOptions
{
    /// <summary>Whether slow requests get a second copy.</summary>
    [Option("Whether a request that takes longer than most gets a second copy at another target; the first answer "
        + "counts and the other copy is cancelled. Only for work that may safely be done twice.",
        Source = "off: at a paid upstream both copies cost")]
    public bool Enabled { get; init; }

    /// <summary>Who is slow.</summary>
    [Option("A second copy is sent after this percentile of the recent times.", Unit = "%", Min = 50, Max = 99.9,
        Source = "Dean and Barroso, The tail at scale: p95 bounds the extra load to about 5 %")]
    public double Percentile { get; init; } = 95;

    /// <summary>Times that must be known first.</summary>
    [Option("So many times must be known before anything is hedged.", Unit = "requests", Min = 20, Max = 1000,
        Source = "below 20 a 95th percentile is the largest value; 100 leave five above it")]
    public int SamplesMin { get; init; } = 100;

    /// <summary>Never sooner than this.</summary>
    [Option("A second copy is never sent sooner than this.", Unit = "ms", Min = 1, Max = 60_000,
        Source = "the delay of the BigTable example in The tail at scale")]
    public double DelayMinMs { get; init; } = 10;
}
