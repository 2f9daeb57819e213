namespace Spillway.Planner.Plans;

/// <summary>How arrivals follow each other.</summary>
public enum ArrivalKind
{
    /// <summary>Independent of each other.</summary>
    Poisson,

    /// <summary>At equal distances.</summary>
    Constant,

    /// <summary>In bursts.</summary>
    Bursty,

    /// <summary>As they were recorded.</summary>
    Trace,
}

/// <summary>A stream of requests. An experiment beside the baseline is a stream of its own.</summary>
public sealed record WorkloadOptions
{
    /// <summary>Its name in reports.</summary>
    [Option("The stream's name in reports.", Required = true)]
    public string Name { get; init; } = "";

    /// <summary>How arrivals follow each other.</summary>
    [Option("How arrivals follow each other.", Required = true)]
    public ArrivalKind Arrivals { get; init; }

    /// <summary>Mean rate.</summary>
    [Option("Mean requests a second, before the shapes below; not for traces.", Unit = "requests/s", Min = 1e-6,
        Max = 1e6)]
    public double? RatePerSecond { get; init; }

    /// <summary>How bursty.</summary>
    [Option("For bursty: the index of dispersion, variance over mean of the number of arrivals in a long time; 1 is "
        + "Poisson.", Min = 1.01, Max = 100_000)]
    public double? Dispersion { get; init; }

    /// <summary>Recorded arrivals.</summary>
    [Option("For trace: the file, relative to this one. CSV with a header (arrival or timestamp, then size, tokens_in, "
        + "tokens_out, key, route; also the Azure form TIMESTAMP,ContextTokens,GeneratedTokens) or JSON lines.")]
    public string Trace { get; init; } = "";

    /// <summary>Only one route of a trace.</summary>
    [Option("For trace: only the requests of this route; empty takes all.")]
    public string Route { get; init; } = "";

    /// <summary>How much faster.</summary>
    [Option("For trace: the recorded distances are divided by this.", Min = 0.001, Max = 1000)]
    public double Speed { get; init; } = 1;

    /// <summary>Where its users are.</summary>
    [Option("The part of the requests that each region sends; the parts need not add up to 1. Empty spreads them "
        + "equally.", Min = 0, Max = 1e9)]
    public IReadOnlyDictionary<string, double> Regions { get; init; } = new Dictionary<string, double>();

    /// <summary>Size.</summary>
    [Option("The size of a request, as a multiple of what the curves were measured at.")]
    public AmountOptions Size { get; init; } = new() { Mean = 1 };

    /// <summary>Tokens read.</summary>
    [Option("Tokens that a request brings; for language models.", Unit = "tokens")]
    public AmountOptions? TokensIn { get; init; }

    /// <summary>Tokens written.</summary>
    [Option("Tokens that its answer has; for language models.", Unit = "tokens")]
    public AmountOptions? TokensOut { get; init; }

    /// <summary>Bytes to the server.</summary>
    [Option("Bytes of a request on the wire.", Unit = "bytes", Min = 0, Max = 1e10)]
    public double BytesIn { get; init; } = 2000;

    /// <summary>Bytes from the server.</summary>
    [Option("Bytes of an answer on the wire.", Unit = "bytes", Min = 0, Max = 1e10)]
    public double BytesOut { get; init; } = 2000;

    /// <summary>Who pays.</summary>
    [Option("The tenant that its requests come from, for limits and budgets of routes.",
        Source = "that of a server without keys")]
    public string Tenant { get; init; } = "local";

    /// <summary>How many keys.</summary>
    [Option("The number of keys that its requests come with, each as often as the others; for limits by key.",
        Unit = "keys", Min = 1, Max = 10_000)]
    public int Keys { get; init; } = 1;

    /// <summary>Patience.</summary>
    [Option("How long its callers wait; absent for the variant's own deadline.", Unit = "ms", Min = 1,
        Max = 86_400_000)]
    public double? DeadlineMs { get; init; }

    /// <summary>Who asks the same again.</summary>
    [Option("How requests repeat.")]
    public RepeatOptions? Repeats { get; init; }

    /// <summary>By day.</summary>
    [Option("The shape of a day.")]
    public DailyOptions? Daily { get; init; }

    /// <summary>By weekday.</summary>
    [Option("Factors of the seven days, Monday first; empty for none.", Min = 0, Max = 1000)]
    public IReadOnlyList<double> Weekly { get; init; } = [];

    /// <summary>Growth.</summary>
    [Option("Growth in a month (730 hours), as a part: 0.1 is 10 %.", Min = -0.99, Max = 100)]
    public double GrowthPerMonth { get; init; }

    /// <summary>How many months ahead.</summary>
    [Option("Plan for the rate after so many months of growth.", Unit = "months", Min = 0, Max = 120)]
    public double MonthsAhead { get; init; }

    /// <summary>A ramp.</summary>
    [Option("A change from one rate to another.")]
    public RampOptions? Ramp { get; init; }

    /// <summary>A viral spike.</summary>
    [Option("A spike: up at once, then dying away.")]
    public SpikeOptions? Spike { get; init; }
}

/// <summary>An amount that varies: lognormal, cut to its bounds.</summary>
public sealed record AmountOptions
{
    /// <summary>Mean.</summary>
    [Option("Mean.", Required = true, Min = 1e-6, Max = 1e9)]
    public double Mean { get; init; }

    /// <summary>How it varies.</summary>
    [Option("Standard deviation over mean; lognormal. 0 is always the mean.", Min = 0, Max = 20)]
    public double Variation { get; init; }

    /// <summary>Most.</summary>
    [Option("More is cut to this; absent for no bound.", Min = 1e-6, Max = 1e9)]
    public double? Max { get; init; }
}

/// <summary>How requests repeat.</summary>
public sealed record RepeatOptions
{
    /// <summary>How many different ones.</summary>
    [Option("How many different requests there are.", Required = true, Unit = "requests", Min = 1, Max = 1_000_000)]
    public int Distinct { get; init; }

    /// <summary>How unequal.</summary>
    [Option("Zipf's exponent: the n-th most frequent is asked n^-s times as often as the first. 0 is all equally.",
        Min = 0, Max = 5, Source = "web requests lie near 0.8 to 1 (Breslau, 1999)")]
    public double Zipf { get; init; } = 0.9;

    /// <summary>How many never repeat.</summary>
    [Option("The part of requests that never repeat.", Min = 0, Max = 1)]
    public double UniqueShare { get; init; }
}

/// <summary>The shape of a day: a cosine around the mean.</summary>
public sealed record DailyOptions
{
    /// <summary>When most.</summary>
    [Option("The hour with the most requests, in the users' local time.", Required = true, Unit = "h", Min = 0, Max =
        24)]
    public double PeakHour { get; init; }

    /// <summary>How much.</summary>
    [Option("The peak over the mean: 1.6 is 60 % above it, and the low as far below.", Required = true, Min = 1, Max =
        2)]
    public double PeakFactor { get; init; }
}

/// <summary>A change of rate.</summary>
public sealed record RampOptions
{
    /// <summary>When it begins.</summary>
    [Option("When it begins.", Unit = "s", Min = 0, Max = 31_622_400)]
    public double FromSecond { get; init; }

    /// <summary>When it ends.</summary>
    [Option("When it ends.", Required = true, Unit = "s", Min = 0, Max = 31_622_400)]
    public double ToSecond { get; init; }

    /// <summary>Factor at the end.</summary>
    [Option("The factor at its end, which stays.", Required = true, Min = 0, Max = 10_000)]
    public double Factor { get; init; }
}

/// <summary>A spike.</summary>
public sealed record SpikeOptions
{
    /// <summary>When.</summary>
    [Option("When it begins.", Required = true, Unit = "s", Min = 0, Max = 31_622_400)]
    public double AtSecond { get; init; }

    /// <summary>How much.</summary>
    [Option("The rate then, as a multiple.", Required = true, Min = 0, Max = 10_000)]
    public double Factor { get; init; }

    /// <summary>How long at full height.</summary>
    [Option("How long it stays at its height.", Required = true, Unit = "s", Min = 0, Max = 31_622_400)]
    public double ForSeconds { get; init; }

    /// <summary>How it dies away.</summary>
    [Option("Then it halves in each of these; 0 ends it at once.", Unit = "s", Min = 0, Max = 31_622_400)]
    public double HalvesInSeconds { get; init; }
}
