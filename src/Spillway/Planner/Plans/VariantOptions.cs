using Spillway.Policies.Batching;

namespace Spillway.Planner.Plans;

/// <summary>How far a figure can be trusted.</summary>
public enum Evidence
{
    /// <summary>Somebody measured it on this hardware.</summary>
    Measured,

    /// <summary>A formula whose constants were fitted to measurements.</summary>
    Calibrated,

    /// <summary>A formula, a data sheet or an assumption.</summary>
    Theoretical,
}

/// <summary>A variant of the model: how long it takes, how much it needs, how good it is.</summary>
public sealed record VariantOptions
{
    /// <summary>How far its times can be trusted.</summary>
    [Option("How far its times can be trusted.", Required = true)]
    public Evidence Evidence { get; init; }

    /// <summary>Where its times come from.</summary>
    [Option("Where its times come from: a command, a paper, a data sheet, with the date.", Required = true)]
    public string Source { get; init; } = "";

    /// <summary>How good its answers are.</summary>
    [Option("How good its answers are, on any scale where more is better and that all variants share. Without one its "
        + "quality is unknown, and it is never recommended over a variant whose quality is known.",
        Min = -1e9, Max = 1e9)]
    public double? Quality { get; init; }

    /// <summary>Where the quality figure comes from.</summary>
    [Option("Where the quality figure comes from. A figure needs one.")]
    public string QualitySource { get; init; } = "";

    /// <summary>Batch curves by machine.</summary>
    [Option("The time of a run by its rows, for each machine it was measured on.")]
    public IReadOnlyDictionary<string, IReadOnlyList<CurvePointOptions>> Curves { get; init; } =
        new Dictionary<string, IReadOnlyList<CurvePointOptions>>();

    /// <summary>Files of batch curves by machine.</summary>
    [Option("Batch curves that stand elsewhere, by machine: the file in which a server keeps the curve that it "
        + "measured (curve-…, in the cache of its models), a file of `plan calibrate`, or a running server and the "
        + "name it serves, as http://127.0.0.1:8000#line-ocr. Paths are relative to this file. They are labelled by "
        + "what they are: evidence is then that of the weakest.")]
    public IReadOnlyDictionary<string, string> CurveFiles { get; init; } = new Dictionary<string, string>();

    /// <summary>A language model, whose times follow from its shape.</summary>
    [Option("A language model that is served by continuous batching: its times follow from its shape and the device.")]
    public LanguageVariantOptions? Language { get; init; }

    /// <summary>Steps that a request passes.</summary>
    [Option("A pipeline in place of times of its own: the variants that a request passes one after another, by name. A "
        + "step may be a pipeline itself. Each step has its own replicas: sites.….steps of a candidate.")]
    public IReadOnlyList<string> Pipeline { get; init; } = [];

    /// <summary>Spread of run times.</summary>
    [Option("Run times vary uniformly by this part up and down.", Min = 0, Max = 0.9,
        Source = "what a fit in curveFiles found, else 0.05: the spread measured between runs is below 10 %")]
    public double? RunSpread { get; init; }

    /// <summary>The spread, declared or not.</summary>
    internal double SpreadOfRuns => RunSpread ?? 0.05;

    /// <summary>What happens before the model runs.</summary>
    [Option("Work before the model runs, as fetching features or decoding a picture: once a request, a queue of its "
        + "own for each site. By default what a fit in curveFiles found, else none.")]
    public BeforeOptions? Before { get; init; }

    /// <summary>Somebody else's server.</summary>
    [Option("For sites of kind upstream: how somebody else's server answers.")]
    public UpstreamTimesOptions? Upstream { get; init; }

    /// <summary>The server's own route before somebody else's server.</summary>
    [Option("For sites of kind upstream: this server's own route before it, with chain and cache. Its presence, or "
        + "that of upstream.policies, plays the server's own retries, breakers, limits and lines.")]
    public PlanRouteOptions? Route { get; init; }

    /// <summary>Time of one request where there are no batches.</summary>
    [Option("For sites of kind serverless: the time of one request in one instance.", Unit = "ms", Min = 0.001,
        Max = 86_400_000)]
    public double? ServerlessMs { get; init; }

    /// <summary>Memory.</summary>
    [Option("Memory that one replica needs. Where a machine or an instance has less, a candidate is infeasible. 0: not "
        + "known, not checked.", Unit = "GB", Min = 0, Max = 100_000)]
    public double MemoryGb { get; init; }

    /// <summary>Time to load.</summary>
    [Option("From a running machine until the model answers: image, libraries, weights, warm-up.", Unit = "s", Min = 0,
        Max = 86_400, Source = "the notes' 10 to 43 s, in the middle")]
    public double LoadSeconds { get; init; } = 20;

    /// <summary>How it queues and batches.</summary>
    [Option("How it queues and batches: the very options of the server.")]
    public BatchingOptions Batching { get; init; } = new();

    /// <summary>How long a request may take.</summary>
    [Option("How long a request may take when its caller does not say: the very options of the server.")]
    public DeadlineOptions Deadline { get; init; } = new();
}

/// <summary>One point of a batch curve.</summary>
public sealed record CurvePointOptions
{
    /// <summary>Rows in the run.</summary>
    [Option("Rows in the run.", Required = true, Unit = "rows", Min = 1, Max = 1024)]
    public int Rows { get; init; }

    /// <summary>Time of the run.</summary>
    [Option("Time of the whole run.", Required = true, Unit = "ms", Min = 0.0001, Max = 86_400_000)]
    public double Ms { get; init; }
}

/// <summary>Work before the model runs.</summary>
public sealed record BeforeOptions
{
    /// <summary>How long it takes.</summary>
    [Option("Time of one request.", Required = true, Unit = "ms", Min = 0.0001, Max = 3_600_000)]
    public double Ms { get; init; }

    /// <summary>How it varies.</summary>
    [Option("Standard deviation over mean; lognormal.", Min = 0, Max = 20)]
    public double Variation { get; init; }

    /// <summary>How many at once.</summary>
    [Option("How many at once, at each site.", Required = true, Unit = "requests", Min = 1, Max = 100_000)]
    public int AtOnce { get; init; }

    /// <summary>How long it is waited for when it is lost.</summary>
    [Option("How long a request waits for it while it is lost, as in the drill lose-features.", Unit = "ms", Min = 0,
        Max = 3_600_000, Source = "a second: what a caller of a store that is gone usually waits")]
    public double TimeoutMs { get; init; } = 1000;

    /// <summary>Whether a request can go on without it.</summary>
    [Option("Whether a request goes on without it after that time, with a poorer answer; else it fails.")]
    public bool Optional { get; init; }
}

/// <summary>Somebody else's server.</summary>
public sealed record UpstreamTimesOptions
{
    /// <summary>Time to the first token or byte.</summary>
    [Option("Mean time until its answer begins.", Required = true, Unit = "ms", Min = 0.001, Max = 3_600_000)]
    public double FirstMs { get; init; }

    /// <summary>Time of each token.</summary>
    [Option("Mean time of each further token; 0 for answers in one piece.", Unit = "ms", Min = 0, Max = 60_000)]
    public double PerTokenMs { get; init; }

    /// <summary>How it varies.</summary>
    [Option("Standard deviation over mean of the time of a request; lognormal.", Min = 0, Max = 20)]
    public double Variation { get; init; } = 0.5;

    /// <summary>Its limit.</summary>
    [Option("Requests a minute beyond which it answers 429; 0 for no limit.", Unit = "requests/min", Min = 0,
        Max = 1e9)]
    public double RequestsPerMinuteMax { get; init; }

    /// <summary>Servers that answer alike.</summary>
    [Option("Servers that answer alike, among which calls are balanced; with policies or a route.", Unit = "servers",
        Min = 1, Max = 64)]
    public int Targets { get; init; } = 1;

    /// <summary>Calls at once.</summary>
    [Option("Calls that each of them works on at once; beyond them it answers 429. 0 for no limit.", Unit = "calls",
        Min = 0, Max = 1_000_000)]
    public int AtOnceMax { get; init; }

    /// <summary>Calls that fail.</summary>
    [Option("The part of calls that fail after a moment, as with 503.", Min = 0, Max = 1)]
    public double FaultShare { get; init; }

    /// <summary>How this server deals with it.</summary>
    [Option("How this server deals with it: the very options of an upstream. Absent, and without a route, every call "
        + "is sent once and its answer taken as it comes.")]
    public UpstreamPolicyOptions? Policies { get; init; }

    /// <summary>Its price.</summary>
    [Option("Price of a million tokens read, in the currency of the prices.", Required = true, Min = 0, Max = 1e6)]
    public double PricePerMillionIn { get; init; }

    /// <summary>Its price.</summary>
    [Option("Price of a million tokens written, in the currency of the prices.", Required = true, Min = 0, Max = 1e6)]
    public double PricePerMillionOut { get; init; }
}
