using Spillway.Policies.Scaling;

namespace Spillway.Planner.Plans;

/// <summary>What kind of place it is.</summary>
public enum SiteKind
{
    /// <summary>Machines by the hour in a region.</summary>
    Cloud,

    /// <summary>Machines by the hour, near the users.</summary>
    Edge,

    /// <summary>Instances by the millisecond.</summary>
    Serverless,

    /// <summary>Somebody else's server.</summary>
    Upstream,
}

/// <summary>How machines are paid for.</summary>
public enum Purchase
{
    /// <summary>By the hour, at any time.</summary>
    OnDemand,

    /// <summary>By the hour, for a year or longer, used or not.</summary>
    Reserved,

    /// <summary>Spare ones, taken back at short notice.</summary>
    Spot,
}

/// <summary>A place where a model could run.</summary>
public sealed record SiteOptions
{
    /// <summary>What kind of place.</summary>
    [Option("What kind of place it is.", Required = true)]
    public SiteKind Kind { get; init; }

    /// <summary>How far the users are.</summary>
    [Option("One-way network time from each region of users. A region that is not named cannot use the site.",
        Required = true, Unit = "ms", Min = 0, Max = 10_000)]
    public IReadOnlyDictionary<string, double> NetworkMs { get; init; } = new Dictionary<string, double>();

    /// <summary>Whose data may go there.</summary>
    [Option("Residency: the regions whose data may go there. Empty allows all.")]
    public IReadOnlyList<string> Residents { get; init; } = [];

    /// <summary>How fast bytes travel.</summary>
    [Option("Bandwidth between a user and the site, which stretches large requests and answers.", Unit = "Mbit/s",
        Min = 0.01, Max = 1e6, Source = "an ordinary access line")]
    public double BandwidthMbps { get; init; } = 50;

    /// <summary>Price of bytes that leave.</summary>
    [Option("Price of a gigabyte that leaves for users, in the currency of the prices. There is no default: write 0 "
        + "where it is free.", Required = true, Min = 0, Max = 1000)]
    public double EgressPerGb { get; init; }

    /// <summary>Price of bytes that come.</summary>
    [Option("Price of a gigabyte that comes from users, in the currency of the prices.", Min = 0, Max = 1000,
        Source = "the large clouds take nothing")]
    public double IngressPerGb { get; init; }

    /// <summary>From an order until a machine runs.</summary>
    [Option("From the order of a machine until it runs.", Unit = "s", Min = 0, Max = 86_400,
        Source = "the notes' 2 to 5 s of booting and a scheduler's minute")]
    public double ProvisionSeconds { get; init; } = 60;

    /// <summary>What a serverless platform charges and allows.</summary>
    [Option("For serverless: the name of the platform in the price files.")]
    public string Platform { get; init; } = "";

    /// <summary>Whose prices hold.</summary>
    [Option("The region of the price files whose prices of machines and of a serverless platform hold here. Empty "
        + "takes the prices without a region.")]
    public string PriceRegion { get; init; } = "";

    /// <summary>Rent of a site.</summary>
    [Option("What the site itself costs in a month, whatever runs there: rent, operation. In the currency of the "
        + "prices.",
        Min = 0, Max = 1e9)]
    public double PerMonth { get; init; }
}

/// <summary>What stands at a site.</summary>
public sealed record PlacementOptions
{
    /// <summary>Which machine.</summary>
    [Option("For cloud and edge: the machine, by its name in the price files.")]
    public string Machine { get; init; } = "";

    /// <summary>How many at the beginning.</summary>
    [Option("For cloud and edge: replicas at the beginning, and throughout where scaling.policy is fixed.",
        Unit = "replicas", Min = 0, Max = 10_000)]
    public int Replicas { get; init; } = 1;

    /// <summary>How they are bought.</summary>
    [Option("How the machines are bought.", Source = "what needs no contract")]
    public Purchase Purchase { get; init; }

    /// <summary>How their number follows the demand.</summary>
    [Option("How the number of replicas follows the demand: the very policies of the fleet. replicasMin and "
        + "replicasMax "
        + "are those of this site.")]
    public ScalingOptions? Scaling { get; init; }

    /// <summary>What stands here for the steps of a pipeline.</summary>
    [Option("For a variant with a pipeline: what stands here for each of its steps, by the step's variant.")]
    public IReadOnlyDictionary<string, StepPlacementOptions> Steps { get; init; } =
        new Dictionary<string, StepPlacementOptions>();

    /// <summary>How serverless instances are kept.</summary>
    [Option("For serverless: memory, concurrency, keep-alive.")]
    public ServerlessOptions? Serverless { get; init; }
}

/// <summary>What stands at a site for one step of a pipeline.</summary>
public sealed record StepPlacementOptions
{
    /// <summary>Which machine.</summary>
    [Option("The machine, by its name in the price files.", Required = true)]
    public string Machine { get; init; } = "";

    /// <summary>How many at the beginning.</summary>
    [Option("Replicas at the beginning, and throughout where scaling.policy is fixed.", Unit = "replicas", Min = 0,
        Max = 10_000)]
    public int Replicas { get; init; } = 1;

    /// <summary>How they are bought.</summary>
    [Option("How the machines are bought.", Source = "what needs no contract")]
    public Purchase Purchase { get; init; }

    /// <summary>How their number follows the demand.</summary>
    [Option("How the number of replicas follows the demand of this step.")]
    public ScalingOptions? Scaling { get; init; }

    /// <summary>As a place of its own.</summary>
    internal PlacementOptions Whole => new()
    {
        Machine = Machine, Replicas = Replicas, Purchase = Purchase, Scaling = Scaling,
    };
}

/// <summary>How a function is configured.</summary>
public sealed record ServerlessOptions
{
    /// <summary>Memory of an instance.</summary>
    [Option("Memory of an instance.", Required = true, Unit = "GB", Min = 0.128, Max = 1024)]
    public double MemoryGb { get; init; }

    /// <summary>Instances that are always there.</summary>
    [Option("Provisioned concurrency: instances that are always there, and paid for.", Unit = "instances", Min = 0,
        Max = 100_000)]
    public int Provisioned { get; init; }

    /// <summary>Instances at once.</summary>
    [Option("Instances at once; 0 takes the platform's limit.", Unit = "instances", Min = 0, Max = 1_000_000)]
    public int ConcurrencyMax { get; init; }

    /// <summary>How long an idle instance stays.</summary>
    [Option("How long the platform keeps an idle instance.", Unit = "s", Min = 0, Max = 86_400,
        Source = "ten minutes, as seen at the largest platform")]
    public double KeepAliveSeconds { get; init; } = 600;
}
