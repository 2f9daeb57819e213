namespace Spillway.Planner.Diagnosis;

/// <summary>What somebody says of one system. Everything but its name may be missing.</summary>
public sealed record ClaimedSystem
{
    /// <summary>The name.</summary>
    [Option("How sentences call it.", Required = true)]
    public string Name { get; init; } = "";

    /// <summary>How many servers.</summary>
    [Option("Servers; 0 for not said.", Min = 0, Max = 1e9, Source = "not said")]
    public double Servers { get; init; }

    /// <summary>What one server does.</summary>
    [Option("Requests a second that one server answers; 0 for not said.", Min = 0, Max = 1e12, Source = "not said")]
    public double ServerRate { get; init; }

    /// <summary>What is asked.</summary>
    [Option("Requests a second that are asked; 0 for not said.", Min = 0, Max = 1e12, Source = "not said")]
    public double Load { get; init; }

    /// <summary>The mean time of a request.</summary>
    [Option("The mean time of a request; 0 for not said.", Unit = "ms", Min = 0, Max = 1e12, Source = "not said")]
    public double LatencyMs { get; init; }

    /// <summary>The longest time, where a range was said.</summary>
    [Option("The upper end of its time where a range was said, latencyMs being the lower; 0 for none.", Unit = "ms",
        Min = 0, Max = 1e12, Source = "not said")]
    public double LatencyMaxMs { get; init; }

    /// <summary>The parts of its time.</summary>
    [Option("The parts of its time.")]
    public IReadOnlyList<ClaimedPart> Parts { get; init; } = [];

    /// <summary>What a thousand answers cost.</summary>
    [Option("The cost of a thousand answers; 0 for not said.", Min = 0, Max = 1e12, Source = "not said")]
    public double PerThousand { get; init; }

    /// <summary>Answers of a year.</summary>
    [Option("Answers of a year that its yearly cost is said of; 0 for not said.", Min = 0, Max = 1e18,
        Source = "not said")]
    public double YearlyVolume { get; init; }

    /// <summary>What it costs for a month.</summary>
    [Option("What it costs for a month; 0 for not said.", Min = 0, Max = 1e15, Source = "not said")]
    public double MonthlyCost { get; init; }

    /// <summary>What one server costs for a month.</summary>
    [Option("What one server costs for a month; 0 for not said.", Min = 0, Max = 1e15, Source = "not said")]
    public double ServerMonthlyCost { get; init; }

    /// <summary>Whether it is paid by request.</summary>
    [Option("Whether it is functions, paid by request and by gigabyte-second.", Source = "servers")]
    public bool Serverless { get; init; }

    /// <summary>The system that it came from.</summary>
    [Option("The system that this one is said to be made from: its parts are the floor of what this one takes.",
        Source = "not said")]
    public string From { get; init; } = "";

    /// <summary>How much faster the work is than there.</summary>
    [Option("The part by which its work became faster against it: 0.2 does in a second what took "
        + "1.2.", Min = 0, Max = 100,
        Source = "not at all")]
    public double Faster { get; init; }

    /// <summary>What an answer from the cache takes.</summary>
    [Option("What an answer from a cache takes, where it is said to have one; 0 for no cache.", Unit = "ms",
        Min = 0, Max = 1e12, Source = "not said")]
    public double CacheHitMs { get; init; }
}

/// <summary>A part of a request's time.</summary>
public sealed record ClaimedPart
{
    /// <summary>The name.</summary>
    [Option("What it is: network, queue, io, prefill, decode …", Required = true)]
    public string Name { get; init; } = "";

    /// <summary>Its time.</summary>
    [Option("Its time, or the least.", Unit = "ms", Min = 0, Max = 1e12, Required = true)]
    public double Ms { get; init; }

    /// <summary>Its longest time.</summary>
    [Option("The most, where a range was said; 0 for none.", Unit = "ms", Min = 0, Max = 1e12, Source = "not said")]
    public double MaxMs { get; init; }
}

/// <summary>What functions can do and cost.</summary>
public sealed record ClaimedFunctions
{
    /// <summary>For each request.</summary>
    [Option("The price of a request.", Min = 0, Max = 1e6, Required = true)]
    public double PerRequest { get; init; }

    /// <summary>For each gigabyte-second.</summary>
    [Option("The price of a gigabyte-second.", Min = 1e-12, Max = 1e6, Required = true)]
    public double PerGbSecond { get; init; }

    /// <summary>The most memory.</summary>
    [Option("The most memory of a function.", Unit = "GB", Min = 0.001, Max = 1e6, Required = true)]
    public double MemoryMaxGb { get; init; }

    /// <summary>The most at once.</summary>
    [Option("The most that run at once without asking the provider.", Unit = "requests", Min = 1, Max = 1e9,
        Required = true)]
    public double ConcurrencyMax { get; init; }

    /// <summary>Who says so.</summary>
    [Option("Where the figures come from, and of what day.", Required = true)]
    public string Source { get; init; } = "";
}

/// <summary>The model and the device that the systems are said to have.</summary>
public sealed record ClaimedModel
{
    /// <summary>The weights.</summary>
    [Option("The weights in memory.", Unit = "GB", Min = 0.001, Max = 1e6, Required = true)]
    public double WeightsGb { get; init; }

    /// <summary>How fast memory is read, by the name of the device.</summary>
    [Option("How fast memory is read, by the name of the device.")]
    public IReadOnlyDictionary<string, double> DeviceGBps { get; init; } = new Dictionary<string, double>();

    /// <summary>The price of such a device for an hour, by its name.</summary>
    [Option("The price of such a device for an hour, by its name.")]
    public IReadOnlyDictionary<string, double> DevicePerHour { get; init; } = new Dictionary<string, double>();
}

/// <summary>A claim that more servers come while old ones hold out.</summary>
public sealed record ClaimedGrowth
{
    /// <summary>How busy they are before.</summary>
    [Option("How busy the old servers are before, 0 to 1.", Min = 0.01, Max = 1, Required = true)]
    public double Busy { get; init; }

    /// <summary>How much more comes.</summary>
    [Option("The load after, as a multiple of before.", Min = 1, Max = 1e6, Required = true)]
    public double Growth { get; init; }

    /// <summary>How many are added.</summary>
    [Option("How many servers are added.", Min = 1, Max = 1e6, Required = true)]
    public double Added { get; init; }

    /// <summary>How long they take.</summary>
    [Option("How long a new server takes.", Unit = "s", Min = 0, Max = 1e6, Required = true)]
    public double StartSeconds { get; init; }

    /// <summary>How many there are before.</summary>
    [Option("How many servers there are before; 0 for not said.", Min = 0, Max = 1e6, Source = "not said")]
    public double Existing { get; init; }
}

/// <summary>A claim about distance.</summary>
public sealed record ClaimedDistance
{
    /// <summary>Between which places.</summary>
    [Option("Between which places.", Required = true)]
    public string Name { get; init; } = "";

    /// <summary>How far.</summary>
    [Option("How far, along a great circle.", Unit = "km", Min = 0, Max = 20_040, Required = true)]
    public double Km { get; init; }

    /// <summary>The least time that is claimed.</summary>
    [Option("The least time there and back that is claimed.", Unit = "ms", Min = 0, Max = 1e6, Required = true)]
    public double RoundTripMs { get; init; }
}

/// <summary>A price on spot and on demand.</summary>
public sealed record ClaimedSpot
{
    /// <summary>Of what.</summary>
    [Option("Of what.", Required = true)]
    public string Name { get; init; } = "";

    /// <summary>On demand.</summary>
    [Option("The price of an hour on demand.", Min = 1e-9, Max = 1e6, Required = true)]
    public double OnDemand { get; init; }

    /// <summary>The lowest on spot.</summary>
    [Option("The lowest price of an hour on spot, over the zones.", Min = 0, Max = 1e6, Required = true)]
    public double SpotMin { get; init; }

    /// <summary>The highest on spot.</summary>
    [Option("The highest.", Min = 0, Max = 1e6, Required = true)]
    public double SpotMax { get; init; }
}

/// <summary>A sheet of claims: what somebody says of systems, to be held against each other and against laws.</summary>
public sealed record ClaimOptions
{
    /// <summary>The systems.</summary>
    [Option("The systems.")]
    public IReadOnlyList<ClaimedSystem> Systems { get; init; } = [];

    /// <summary>What functions can do.</summary>
    [Option("What functions can do.")]
    public ClaimedFunctions? Functions { get; init; }

    /// <summary>The model.</summary>
    [Option("The model.")]
    public ClaimedModel? Model { get; init; }

    /// <summary>Growth while servers start.</summary>
    [Option("Growth while servers start.")]
    public IReadOnlyList<ClaimedGrowth> Growth { get; init; } = [];

    /// <summary>Distances.</summary>
    [Option("Distances.")]
    public IReadOnlyList<ClaimedDistance> Distances { get; init; } = [];

    /// <summary>The discount that is claimed of spot machines, at least.</summary>
    [Option("The discount that is claimed of spot machines, at least, 0 to 1; 0 for no claim.", Min = 0, Max = 1,
        Source = "no claim")]
    public double SpotDiscountMin { get; init; }

    /// <summary>Prices to hold it against.</summary>
    [Option("Prices to hold it against.")]
    public IReadOnlyList<ClaimedSpot> Spot { get; init; } = [];
}
