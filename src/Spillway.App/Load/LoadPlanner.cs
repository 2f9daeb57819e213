using Spillway.App.Load.Compare;

namespace Spillway.App.Load;

/// <summary>
/// Checks options against each other and makes the plan; the endpoints' part is <see cref="EndpointPlanner"/>'s.
/// </summary>
internal static class LoadPlanner
{
    private const double DefaultSeconds = 10;
    private const double DefaultWarmupSeconds = 1;
    private const double DefaultDispersion = 20;
    private const double UnboundedSeconds = 7 * 86400;
    private const int ComparedRounds = 10;
    private const double ComparedSeconds = 3;
    private const double ComparedConfidence = 0.95;

    /// <summary>
    /// Connections of the open loop at most. 256 carry 5,000 requests a second of 50 ms each; beyond that a queue in
    /// this process is more honest than a thousand sockets on a small machine.
    /// </summary>
    public const int DefaultConnections = 256;

    private const int ConnectionsMax = 20_000;

    public static async Task<LoadPlan> CreateAsync(LoadOptions options, CancellationToken stop)
    {
        ModeChecks.Check(options);
        CheckModes(options);
        CheckRanges(options);
        var phases = options.Phases is { } text ? Quantity.Phases(text) : null;
        var seconds = phases?.Sum(p => p.Seconds) ?? DurationSeconds(options);
        return new()
        {
            Rounds = Rounds(options),
            WarmupSeconds = WarmupSeconds(options),
            DurationSeconds = seconds,
            RequestsMax = options.Requests ?? long.MaxValue,
            Phases = phases ?? [new(1, seconds)],
            Concurrency = IsOpen(options) ? 0 : options.Concurrency ?? 1,
            ConnectionsMax = options.Connections ?? DefaultConnections,
            Arrivals = ArrivalsName(options),
            Rate = options.Rate ?? 0,
            Dispersion = options.Dispersion ?? DefaultDispersion,
            Trace = ReadTrace(options),
            TraceSpeed = options.TraceSpeed ?? 1,
            Seed = options.Seed,
            TimeoutSeconds = Quantity.Seconds("--timeout", options.Timeout),
            DrainSeconds = Quantity.Seconds("--drain", options.Drain, zeroAllowed: true),
            Sweep = Sweep(options),
            Comparer = Comparer(options),
            Baseline = ReadBaseline(options),
            Notes = Notes(options),
            Endpoints = await EndpointPlanner.CreateAsync(options, stop),
        };
    }

    private static bool IsOpen(LoadOptions options) => options.Rate is not null || options.Trace is not null
        || options.Search.FindMax || options.Sweep is not null;

    /// <summary>
    /// Ten pairs give an interval of 97.9 % by the sign test, and one odd round on either side falls out.
    /// </summary>
    private static int Rounds(LoadOptions options) =>
        options.Rounds ?? (options.Compare.Length > 0 || options.Baseline is not null ? ComparedRounds : 1);

    private static double[] Sweep(LoadOptions options) =>
        options.Sweep is { } rates ? Quantity.Rates(rates) : [];

    private static Comparer? Comparer(LoadOptions options)
    {
        if (options.Compare.Length == 0 && options.Baseline is null)
            return null;
        var tolerance = Quantity.Share("--tolerance", options.Tolerance ?? "5%");
        var least = options.Baseline is null ? Compare.Comparer.PairsMin : Compare.Comparer.RoundsMin;
        return Rounds(options) >= least ? new(tolerance, ComparedConfidence)
            : throw LoadException.Usage($"--rounds {options.Rounds} is too few for an interval: a comparison needs at "
                + $"least {least}, and {ComparedRounds} are better.");
    }

    private static Baseline? ReadBaseline(LoadOptions options)
    {
        if (options.Baseline is not { } path)
            return null;
        var baseline = Baseline.Read(path);
        var open = IsOpen(options);
        var now = Baseline.Describe(ArrivalsName(options), options.Rate, open ? null : options.Concurrency ?? 1);
        return now == baseline.Load ? baseline
            : throw LoadException.Usage($"--baseline '{path}' was a run of '{baseline.Load}', and this is one "
                + $"of '{now}' (arrivals, then rate or connections): their figures do not compare. "
                + "Give the same load.");
    }

    private static string[] Notes(LoadOptions options) =>
        options.Raw.Length > 0 && (options.DeadlineMs is not null || options.Priority is not null)
            ? ["Raw requests carry no parameters, and the protocol has no header for them: the deadline was counted "
                + "and not sent, a priority was not sent. To send them give the file as a tensor: --input NAME=FILE."]
            : [];

    private static double[] ReadTrace(LoadOptions options) =>
        options.Trace is { } path ? TraceReader.Read(path) : [];

    private static string ArrivalsName(LoadOptions options) =>
        options.Trace is not null ? "trace" : IsOpen(options) ? options.Arrivals ?? "poisson" : "closed";

    private static double WarmupSeconds(LoadOptions options)
    {
        if (options.Warmup is { } warmup)
            return Quantity.Seconds("--warmup", warmup, zeroAllowed: true);
        return options.Trace is null ? DefaultWarmupSeconds : 0;
    }

    private static double DurationSeconds(LoadOptions options)
    {
        if (options.Duration is { } duration)
            return Quantity.Seconds("--duration", duration);
        if (options.Requests is not null || options.Trace is not null)
            return UnboundedSeconds;
        return options.Compare.Length > 0 ? ComparedSeconds : DefaultSeconds;
    }

    private static void CheckModes(LoadOptions options)
    {
        var open = IsOpen(options);
        Contradict(options.Rate is not null && options.Trace is not null, "--rate and --trace",
            "A trace has its own rate; scale it with --trace-speed.");
        Contradict(open && options.Concurrency is not null, "--concurrency and --rate or --trace",
            "A closed loop has no rate. For an open loop limit connections with --connections.");
        Contradict(!open && options.Connections is not null, "--connections without --rate or --trace",
            "A closed loop's connections are its --concurrency.");
        Contradict(!open && options.Arrivals is not null, "--arrivals without --rate",
            "Add --rate N, the mean requests per second.");
        Contradict(options.Dispersion is not null && options.Arrivals != "bursty", "--dispersion without bursts",
            "Add --arrivals bursty.");
        Contradict(options.TraceSpeed is not null && options.Trace is null, "--trace-speed without --trace",
            "Add --trace FILE.");
        Contradict(options.Phases is not null && options.Rate is null, "--phases without --rate",
            "Phases multiply --rate N; add it.");
        Contradict(options.Phases is not null && options.Duration is not null, "--phases and --duration",
            "The phases have their own lengths.");
        Contradict(options.Trace is not null && options.Warmup is not (null or "0" or "0s"), "--trace and --warmup",
            "A trace is replayed from its first arrival.");
    }

    private static void CheckRanges(LoadOptions options)
    {
        Range("--rate", options.Rate, 1e-3, 1e6, "requests per second");
        Range("--trace-speed", options.TraceSpeed, 1e-6, 1e6, "times the recorded speed");
        Range("--dispersion", options.Dispersion, 1, 1e5, "(1 is Poisson)");
        Range("--concurrency", options.Concurrency, 1, ConnectionsMax, "connections");
        Range("--connections", options.Connections, 1, ConnectionsMax, "connections");
        Range("--requests", options.Requests, 1, 1e12, "requests per round");
        Range("--rounds", options.Rounds, 1, 100, "rounds");
        Range("--deadline", options.DeadlineMs, 1e-3, 1e9, "milliseconds");
        Range("--priority", options.Priority, 0, int.MaxValue, "(1 is the highest)");
        Range("--variants", options.Variants, 1, 10_000, "different requests");
        OneOf("--arrivals", options.Arrivals, "poisson", "constant", "bursty");
        OneOf("--format", options.Format, "binary", "json");
        OneOf("--output-format", options.OutputFormat, "binary", "json");
    }

    public static void Contradict(bool wrong, string what, string remedy)
    {
        if (wrong)
            throw LoadException.Usage($"{what} do not go together. {remedy}");
    }

    private static void Range(string option, double? value, double min, double max, string unit)
    {
        if (value is { } number && !(number >= min && number <= max))
            throw LoadException.Usage($"{option} {number} is out of range: {min:0.######} to {max:0.######} {unit}.");
    }

    private static void OneOf(string option, string? value, params string[] known)
    {
        if (value is not null && !known.Contains(value))
            throw LoadException.Usage($"{option} '{value}' is unknown. Known: {string.Join(", ", known)}.");
    }
}
