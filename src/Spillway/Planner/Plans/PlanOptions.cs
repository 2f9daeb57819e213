namespace Spillway.Planner.Plans;

/// <summary>A plan as a person writes it: what is promised, who asks, what could serve them, where, and at what
/// price.</summary>
public sealed record PlanOptions
{
    /// <summary>Its name in reports.</summary>
    [Option("The plan's name in reports.", Required = true)]
    public string Name { get; init; } = "";

    /// <summary>Of every chance in it.</summary>
    [Option("Seeds every chance: the same plan and seed give the same bytes.", Min = 0, Max = 1e15)]
    public long Seed { get; init; } = 1;

    /// <summary>Simulated time.</summary>
    [Option("Simulated time.", Unit = "s", Min = 1, Max = 31_622_400,
        Source = "an hour: 36 hundreds of requests even at one a second")]
    public double DurationSeconds { get; init; } = 3600;

    /// <summary>What is left out of the figures at the beginning.</summary>
    [Option("Requests that come before are served and paid for, and left out of percentiles: the empty start is not "
        + "the "
        + "usual state.", Unit = "s", Min = 0, Max = 31_622_400,
        Source = "a hundred times the longest usual answer")]
    public double WarmUpSeconds { get; init; } = 60;

    /// <summary>The hour at the beginning.</summary>
    [Option("The hour of the day, in UTC, at which the simulated time begins; seasons depend on it.", Unit = "h",
        Min = 0, Max = 24)]
    public double StartHour { get; init; }

    /// <summary>The day at the beginning.</summary>
    [Option("The day of the week at which the simulated time begins: 0 is Monday.", Min = 0, Max = 6)]
    public int StartDay { get; init; }

    /// <summary>Price files.</summary>
    [Option("Dated price files, relative to this one. There is no default price.", Required = true)]
    public IReadOnlyList<string> Prices { get; init; } = [];

    /// <summary>Hardware files.</summary>
    [Option("Dated files of devices, relative to this one; language models need them.")]
    public IReadOnlyList<string> Hardware { get; init; } = [];

    /// <summary>What is promised.</summary>
    [Option("What is promised. A candidate that breaks one of them is not recommended.")]
    public GoalOptions Goals { get; init; } = new();

    /// <summary>Where the users are.</summary>
    [Option("Where the users are, by name.", Required = true)]
    public IReadOnlyDictionary<string, RegionOptions> Regions { get; init; } =
        new Dictionary<string, RegionOptions>();

    /// <summary>Who asks.</summary>
    [Option("Who asks, and how often: streams that are added up.", Required = true)]
    public IReadOnlyList<WorkloadOptions> Workloads { get; init; } = [];

    /// <summary>What could serve them.</summary>
    [Option("The variants of the model that could serve, by name.", Required = true)]
    public IReadOnlyDictionary<string, VariantOptions> Variants { get; init; } =
        new Dictionary<string, VariantOptions>();

    /// <summary>Where it could run.</summary>
    [Option("The sites where it could run, by name.", Required = true)]
    public IReadOnlyDictionary<string, SiteOptions> Sites { get; init; } = new Dictionary<string, SiteOptions>();

    /// <summary>What is compared.</summary>
    [Option("The deployments to compare.", Required = true)]
    public IReadOnlyList<CandidateOptions> Candidates { get; init; } = [];

    /// <summary>More candidates, made from one of them.</summary>
    [Option("Makes more candidates from one of them: every combination of the lists.")]
    public SearchOptions? Search { get; init; }

    /// <summary>What goes wrong in a drill, and when.</summary>
    [Option("How hard the drills of --what-if are.")]
    public DrillOptions Drills { get; init; } = new();
}

/// <summary>What a deployment must keep. Absent means: nobody promised it.</summary>
public sealed record GoalOptions
{
    /// <summary>Half are faster.</summary>
    [Option("The median time from the user's send to the whole answer.", Unit = "ms", Min = 0.001, Max = 86_400_000)]
    public double? P50Ms { get; init; }

    /// <summary>95 of 100 are faster.</summary>
    [Option("The 95th percentile of the time from the user's send to the whole answer.", Unit = "ms", Min = 0.001,
        Max = 86_400_000)]
    public double? P95Ms { get; init; }

    /// <summary>99 of 100 are faster.</summary>
    [Option("The 99th percentile of the time from the user's send to the whole answer.", Unit = "ms", Min = 0.001,
        Max = 86_400_000)]
    public double? P99Ms { get; init; }

    /// <summary>Of language models.</summary>
    [Option("The 95th percentile of the time to the first token, as the user sees it.", Unit = "ms", Min = 0.001,
        Max = 86_400_000)]
    public double? FirstTokenP95Ms { get; init; }

    /// <summary>Of language models.</summary>
    [Option("The 95th percentile of a request's mean time per token after the first: (whole - first) / (tokens - 1).",
        Unit = "ms", Min = 0.001, Max = 60_000)]
    public double? PerTokenP95Ms { get; init; }

    /// <summary>Refusals and losses.</summary>
    [Option("The largest part of all requests that may be refused, dropped or lost. Required beside any goal about "
        + "time or cost, which whoever refuses most would keep.", Min = 0, Max = 1)]
    public double? RefusedShareMax { get; init; }

    /// <summary>The quality floor.</summary>
    [Option("The least quality, on the scale of the variants' figures. A variant of unknown quality does not reach it.",
        Min = -1e9, Max = 1e9)]
    public double? QualityMin { get; init; }

    /// <summary>The budget.</summary>
    [Option("The most that a month (730 hours) may cost, in the currency of the prices.", Min = 0, Max = 1e12)]
    public double? CostPerMonthMax { get; init; }

    /// <summary>The budget of an answer.</summary>
    [Option("The most that 1,000 answers may cost, in the currency of the prices.", Min = 0, Max = 1e9)]
    public double? CostPer1000Max { get; init; }
}

/// <summary>Where users are.</summary>
public sealed record RegionOptions
{
    /// <summary>Local time.</summary>
    [Option("Hours that local time is ahead of UTC: when it is day here.", Unit = "h", Min = -14, Max = 14)]
    public double UtcOffsetHours { get; init; }
}

/// <summary>A deployment to compare.</summary>
public sealed record CandidateOptions
{
    /// <summary>Its name in reports.</summary>
    [Option("The candidate's name in reports.", Required = true)]
    public string Name { get; init; } = "";

    /// <summary>What it serves.</summary>
    [Option("The variant that it serves.", Required = true)]
    public string Variant { get; init; } = "";

    /// <summary>Where, and how many.</summary>
    [Option("The sites that it uses, and what stands there.", Required = true)]
    public IReadOnlyDictionary<string, PlacementOptions> Sites { get; init; } =
        new Dictionary<string, PlacementOptions>();

    /// <summary>Remembered answers.</summary>
    [Option("Answers that each site remembers; 0 remembers none. Only requests with keys repeat.", Unit = "answers",
        Min = 0, Max = 10_000_000)]
    public int CacheEntries { get; init; }

    /// <summary>The largest batch; null leaves the variant's.</summary>
    [Option("The largest batch, in place of the variant's own.", Unit = "rows", Min = 1, Max = 1024)]
    public int? BatchRowsMax { get; init; }
}

/// <summary>Combinations to try.</summary>
public sealed record SearchOptions
{
    /// <summary>Where they start.</summary>
    [Option("The candidate that the others are made from.", Required = true)]
    public string Base { get; init; } = "";

    /// <summary>Variants.</summary>
    [Option("Variants to try.")]
    public IReadOnlyList<string> Variants { get; init; } = [];

    /// <summary>Machines.</summary>
    [Option("Machines to try, at every site that has machines.")]
    public IReadOnlyList<string> Machines { get; init; } = [];

    /// <summary>Numbers of replicas.</summary>
    [Option("Numbers of replicas to try, at every site that has replicas.", Unit = "replicas", Min = 0, Max = 10_000)]
    public IReadOnlyList<int> Replicas { get; init; } = [];

    /// <summary>Batch sizes.</summary>
    [Option("Largest batches to try.", Unit = "rows", Min = 1, Max = 1024)]
    public IReadOnlyList<int> BatchRowsMax { get; init; } = [];

    /// <summary>Cache sizes.</summary>
    [Option("Numbers of remembered answers to try.", Unit = "answers", Min = 0, Max = 10_000_000)]
    public IReadOnlyList<int> CacheEntries { get; init; } = [];

    /// <summary>Scaling policies.</summary>
    [Option("Scaling policies to try, at every site that has replicas.")]
    public IReadOnlyList<string> Scaling { get; init; } = [];

    /// <summary>Ways to buy.</summary>
    [Option("Ways to buy machines to try.")]
    public IReadOnlyList<Purchase> Purchase { get; init; } = [];
}
