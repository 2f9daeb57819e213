namespace Spillway.App.Load;

/// <summary>What searches, sweeps and comparisons do not go together with.</summary>
internal static class ModeChecks
{
    public static void Check(LoadOptions options)
    {
        Searches(options);
        Comparisons(options);
        if (options.Plot is { } plot && !plot.EndsWith(".svg", StringComparison.OrdinalIgnoreCase))
            throw LoadException.Usage($"--plot '{plot}' is not an .svg file. Write --plot latency.svg.");
    }

    private static void Searches(LoadOptions options)
    {
        var search = options.Search;
        var mode = search.FindMax ? "--find-max" : "--sweep";
        var curve = search.FindMax || options.Sweep is not null;
        Contradict(search.FindMax && options.Sweep is not null, "--find-max and --sweep",
            "A search chooses its rates itself.");
        Contradict(!search.FindMax && (search.HasBounds || search.HasTuning),
            "bounds, --confidence, --resolution or --step-max without --find-max", "Add --find-max.");
        Contradict(!curve && options.Plot is not null, "--plot without --find-max or --sweep",
            "One rate is one point: add --sweep 100,200,400.");
        if (!curve)
            return;
        Contradict(options.Concurrency is not null, $"{mode} and --concurrency", "Its loop is open: it sets the rate.");
        Contradict(options.Trace is not null, $"{mode} and --trace", "A trace has its own rate.");
        Contradict(options.Phases is not null, $"{mode} and --phases", "Each step has one rate.");
        Contradict(options.Requests is not null, $"{mode} and --requests", "Its steps last a time.");
        Contradict(options.Rounds is not null, $"{mode} and --rounds", "Its steps are its rounds.");
        Contradict(search.FindMax && options.Duration is not null, "--find-max and --duration",
            "A step ends when its requests have shown enough; limit it with --step-max.");
        Contradict(options.Sweep is not null && options.Rate is not null, "--sweep and --rate",
            "The sweep names the rates.");
        Contradict(options.Compare.Length > 0 || options.Baseline is not null, $"{mode} and --compare or --baseline",
            "Repeat --server to see several servers in one plot.");
    }

    private static void Comparisons(LoadOptions options)
    {
        var compared = options.Compare.Length > 0;
        Contradict(compared && options.Compare.Length < 2, "--compare and a single server",
            "Write --compare A=http://host:1 B=http://host:2.");
        Contradict(compared && options.Baseline is not null, "--compare and --baseline",
            "Compare with another server, or with an earlier result.");
        Contradict(options.Tolerance is not null && !compared && options.Baseline is null,
            "--tolerance without --compare or --baseline", "Name what to compare with.");
    }

    private static void Contradict(bool wrong, string what, string remedy) =>
        LoadPlanner.Contradict(wrong, what, remedy);
}
