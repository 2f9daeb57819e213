namespace Spillway.Policies.Scaling;

/// <summary>How long an idle replica is kept, by the times it was idle before.</summary>
public sealed record KeepAliveOptions
{
    /// <summary>The width of a bin.</summary>
    [Option("The width of a bin of the histogram of idle times.", Unit = "ms", Min = 1000, Max = 3_600_000,
        Source = "Serverless in the Wild (ATC'20): a minute")]
    public double BinMs { get; init; } = 60_000;

    /// <summary>How many bins.</summary>
    [Option("How many bins; a longer idle time is out of bounds.", Unit = "bins", Min = 2, Max = 10_000,
        Source = "Serverless in the Wild: four hours")]
    public int Bins { get; init; } = 240;

    /// <summary>When the histogram says something.</summary>
    [Option("The histogram is trusted when the counts of its bins vary at least so much (deviation by mean): else idle "
        + "times have no pattern and a replica stays for the whole range.", Min = 0, Max = 100,
        Source = "Serverless in the Wild: 2")]
    public double VariationMin { get; init; } = 2;

    /// <summary>When too many idle times are too long for it.</summary>
    [Option("From this part of idle times out of bounds on, the next one is forecast in place of the histogram.",
        Min = 0, Max = 1, Source = "Serverless in the Wild: 0.5")]
    public double OutOfBoundsMax { get; init; } = 0.5;

    /// <summary>Before which part of idle times it must be warm again.</summary>
    [Option("It is warm again before this part of idle times have ended.", Unit = "%", Min = 0, Max = 50,
        Source = "Serverless in the Wild: the 5th percentile")]
    public double HeadPercent { get; init; } = 5;

    /// <summary>Until which part of idle times it stays.</summary>
    [Option("It stays until this part of idle times have ended.", Unit = "%", Min = 50, Max = 100,
        Source = "Serverless in the Wild: the 99th percentile")]
    public double TailPercent { get; init; } = 99;

    /// <summary>How much earlier and later.</summary>
    [Option("So much earlier than the head and later than the tail.", Unit = "%", Min = 0, Max = 100,
        Source = "Serverless in the Wild: 10 %")]
    public double MarginPercent { get; init; } = 10;

    /// <summary>The same around a forecast.</summary>
    [Option("So much earlier and later than a forecast idle time.", Unit = "%", Min = 0, Max = 100,
        Source = "Serverless in the Wild: 15 %")]
    public double ForecastMarginPercent { get; init; } = 15;

    /// <summary>How often it decides.</summary>
    [Option("How often it decides.", Unit = "ms", Min = 10, Max = 600_000,
        Source = "a second: a part of a minute's bin")]
    public double EveryMs { get; init; } = 1000;
}
