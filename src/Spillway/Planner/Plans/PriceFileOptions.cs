namespace Spillway.Planner.Plans;

/// <summary>A dated price file, which its user owns: what machines and functions cost, and what they can do.</summary>
public sealed record PriceFileOptions
{
    /// <summary>Which currency.</summary>
    [Option("The currency of every price in it.", Required = true)]
    public string Currency { get; init; } = "";

    /// <summary>When.</summary>
    [Option("When the prices were looked up: 2026-08-31.", Required = true)]
    public string Date { get; init; } = "";

    /// <summary>Where from.</summary>
    [Option("Where they were looked up.", Required = true)]
    public string Source { get; init; } = "";

    /// <summary>Machines by name.</summary>
    [Option("Machines by name.")]
    public IReadOnlyDictionary<string, MachineOptions> Machines { get; init; } =
        new Dictionary<string, MachineOptions>();

    /// <summary>Serverless platforms by name.</summary>
    [Option("Serverless platforms by name.")]
    public IReadOnlyDictionary<string, PlatformOptions> Platforms { get; init; } =
        new Dictionary<string, PlatformOptions>();
}

/// <summary>A machine: what it is, and what an hour of it costs.</summary>
public sealed record MachineOptions
{
    /// <summary>On demand.</summary>
    [Option("Price of an hour on demand.", Min = 0, Max = 1e6)]
    public double? OnDemandPerHour { get; init; }

    /// <summary>Reserved.</summary>
    [Option("Price of an hour when reserved.", Min = 0, Max = 1e6)]
    public double? ReservedPerHour { get; init; }

    /// <summary>Spot.</summary>
    [Option("Price of an hour of a spare one.", Min = 0, Max = 1e6)]
    public double? SpotPerHour { get; init; }

    /// <summary>Interruptions.</summary>
    [Option("For spot: mean time until one is taken back. 0: not known; then none is taken back outside a drill, the "
        + "report says so, and such a candidate is never recommended over one whose interruptions are known.",
        Unit = "h", Min = 0, Max = 1e6)]
    public double SpotMeanHours { get; init; }

    /// <summary>Notice.</summary>
    [Option("For spot: the notice before it is taken back.", Unit = "s", Min = 0, Max = 3600,
        Source = "120 s at AWS; GCP and Azure give 30 s")]
    public double SpotNoticeSeconds { get; init; } = 120;

    /// <summary>Runs side by side.</summary>
    [Option("Runs side by side of a model that gains nothing from batches: cores or devices.", Unit = "runs", Min = 1,
        Max = 1024)]
    public int Parallelism { get; init; } = 1;

    /// <summary>Memory.</summary>
    [Option("Memory for models; 0: not known, not checked.", Unit = "GB", Min = 0, Max = 100_000)]
    public double MemoryGb { get; init; }

    /// <summary>Which GPU.</summary>
    [Option("The GPU in it, by its name in the hardware table; empty for none.")]
    public string Gpu { get; init; } = "";

    /// <summary>How many.</summary>
    [Option("How many GPUs.", Min = 0, Max = 64)]
    public int Gpus { get; init; }

    /// <summary>Prices by region.</summary>
    [Option("Prices by the provider's region. A site with priceRegion takes those of its region and none of the "
        + "above.")]
    public IReadOnlyDictionary<string, RegionPriceOptions> Regions { get; init; } =
        new Dictionary<string, RegionPriceOptions>();

    /// <summary>The same machine with the prices of a region; without any where the file has none for it.</summary>
    /// <param name="region">Of the site; empty for the prices without a region.</param>
    public MachineOptions In(string region)
    {
        if (region.Length == 0)
            return this;
        var prices = Regions.GetValueOrDefault(region) ?? new();
        return this with
        {
            OnDemandPerHour = prices.OnDemandPerHour, ReservedPerHour = prices.ReservedPerHour,
            SpotPerHour = prices.SpotPerHour, SpotMeanHours = prices.SpotMeanHours ?? SpotMeanHours,
        };
    }
}

/// <summary>What a machine costs in a region.</summary>
public sealed record RegionPriceOptions
{
    /// <summary>On demand.</summary>
    [Option("Price of an hour on demand there.", Min = 0, Max = 1e6)]
    public double? OnDemandPerHour { get; init; }

    /// <summary>Reserved.</summary>
    [Option("Price of an hour when reserved there.", Min = 0, Max = 1e6)]
    public double? ReservedPerHour { get; init; }

    /// <summary>Spot.</summary>
    [Option("Price of an hour of a spare one there.", Min = 0, Max = 1e6)]
    public double? SpotPerHour { get; init; }

    /// <summary>Interruptions.</summary>
    [Option("For spot: mean time until one is taken back there; absent for the machine's own figure.", Unit = "h",
        Min = 0, Max = 1e6)]
    public double? SpotMeanHours { get; init; }
}

/// <summary>A serverless platform: prices and limits.</summary>
public sealed record PlatformOptions
{
    /// <summary>Price of a call.</summary>
    [Option("Price of a million calls. There is no default: write 0 where they are free.", Min = 0, Max = 1e6)]
    public double? PerMillionRequests { get; init; }

    /// <summary>Price of time.</summary>
    [Option("Price of a gigabyte-second of running time. There is no default.", Min = 0, Max = 1000)]
    public double? PerGbSecond { get; init; }

    /// <summary>Price of provisioned instances.</summary>
    [Option("Price of a gigabyte-second of provisioned concurrency, used or not.", Min = 0, Max = 1000)]
    public double? ProvisionedPerGbSecond { get; init; }

    /// <summary>Price of running time in provisioned instances.</summary>
    [Option("Price of a gigabyte-second of running time in a provisioned instance.", Min = 0, Max = 1000)]
    public double? ProvisionedRunPerGbSecond { get; init; }

    /// <summary>Rounding.</summary>
    [Option("Running time is rounded up to a multiple of this.", Unit = "ms", Min = 1, Max = 60_000)]
    public double BilledMs { get; init; } = 1;

    /// <summary>Most memory.</summary>
    [Option("The most memory of an instance.", Required = true, Unit = "GB", Min = 0.128, Max = 1024)]
    public double MemoryGbMax { get; init; }

    /// <summary>Longest run.</summary>
    [Option("The longest run.", Required = true, Unit = "s", Min = 0.1, Max = 86_400)]
    public double DurationSecondsMax { get; init; }

    /// <summary>Instances at once.</summary>
    [Option("Instances at once.", Required = true, Unit = "instances", Min = 1, Max = 1_000_000)]
    public int ConcurrencyMax { get; init; }

    /// <summary>Cold start before the model loads.</summary>
    [Option("From a call without a free instance until its code runs; the variant's load time follows, and is billed.",
        Required = true, Unit = "ms", Min = 0, Max = 600_000)]
    public double ColdStartMs { get; init; }

    /// <summary>Prices by region.</summary>
    [Option("Prices by the provider's region. A site with priceRegion takes those of its region and none of the "
        + "above.")]
    public IReadOnlyDictionary<string, RegionPlatformOptions> Regions { get; init; } =
        new Dictionary<string, RegionPlatformOptions>();

    /// <summary>The same platform with the prices of a region; without any where the file has none for it.</summary>
    /// <param name="region">Of the site; empty for the prices without a region.</param>
    public PlatformOptions In(string region)
    {
        if (region.Length == 0)
            return this;
        var prices = Regions.GetValueOrDefault(region) ?? new();
        return this with
        {
            PerMillionRequests = prices.PerMillionRequests, PerGbSecond = prices.PerGbSecond,
            ProvisionedPerGbSecond = prices.ProvisionedPerGbSecond,
            ProvisionedRunPerGbSecond = prices.ProvisionedRunPerGbSecond,
        };
    }
}

/// <summary>What a serverless platform costs in a region. What it allows is the same everywhere.</summary>
public sealed record RegionPlatformOptions
{
    /// <summary>Price of a call.</summary>
    [Option("Price of a million calls there.", Min = 0, Max = 1e6)]
    public double? PerMillionRequests { get; init; }

    /// <summary>Price of time.</summary>
    [Option("Price of a gigabyte-second of running time there.", Min = 0, Max = 1000)]
    public double? PerGbSecond { get; init; }

    /// <summary>Price of provisioned instances.</summary>
    [Option("Price of a gigabyte-second of provisioned concurrency there, used or not.", Min = 0, Max = 1000)]
    public double? ProvisionedPerGbSecond { get; init; }

    /// <summary>Price of running time in provisioned instances.</summary>
    [Option("Price of a gigabyte-second of running time in a provisioned instance there.", Min = 0, Max = 1000)]
    public double? ProvisionedRunPerGbSecond { get; init; }
}
