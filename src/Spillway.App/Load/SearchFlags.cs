using System.CommandLine;

namespace Spillway.App.Load;

/// <summary>The flags of searches, sweeps and comparisons.</summary>
internal sealed class SearchFlags
{
    private readonly Option<bool> _findMax = LoadFlags.One("--find-max", "Searches the highest rate that keeps every "
        + "given bound, with MLPerf's early stopping; begins at --rate, or at half of what one client gets.", false);

    private readonly Option<string?> _p50 = Bound("--p50");
    private readonly Option<string?> _p90 = Bound("--p90");
    private readonly Option<string?> _p95 = Bound("--p95");
    private readonly Option<string?> _p99 = Bound("--p99");
    private readonly Option<string?> _p999 = Bound("--p99.9");
    private readonly Option<string?> _goodput = Text("--goodput", "Bound: this share of all requests answered ok "
        + "inside the deadline (99%).");
    private readonly Option<string?> _confidence = Text("--confidence", "Of a search's steps. Default: 99%.");
    private readonly Option<string?> _resolution = Text("--resolution", "A search ends when the rates that hold and "
        + "break are this close. Default: 5%.");
    private readonly Option<string?> _stepMax = Text("--step-max", "A search's step lasts at most this. "
        + "Default: 60s.");
    private readonly Option<string?> _sweep = Text("--sweep", "Runs these rates one after another: 100,200,400 or "
        + "50..1600:6.");
    private readonly Option<string?> _plot = Text("--plot",
        "FILE.svg of latency over load, for --find-max or --sweep.");
    private readonly Option<string[]> _compare = new("--compare")
    {
        Description = "A=URL B=URL: servers in turns, ratios to the first with an interval of 95 %.",
        AllowMultipleArgumentsPerToken = true,
        DefaultValueFactory = _ => [],
    };

    private readonly Option<string?> _baseline = Text("--baseline",
        "FILE with an earlier report (--json) to compare with.");
    private readonly Option<string?> _tolerance = Text("--tolerance", "A change up to this does not matter; a shown "
        + "regression beyond it is exit code 3. Default: 5%.");

    public IReadOnlyList<Option> All =>
    [
        _findMax, _p50, _p90, _p95, _p99, _p999, _goodput, _confidence, _resolution, _stepMax, _sweep, _plot, _compare,
        _baseline, _tolerance,
    ];

    public LoadOptions Read(ParseResult parsed, LoadOptions options) => options with
    {
        Sweep = parsed.GetValue(_sweep),
        Plot = parsed.GetValue(_plot),
        Compare = parsed.GetValue(_compare) ?? [],
        Baseline = parsed.GetValue(_baseline),
        Tolerance = parsed.GetValue(_tolerance),
        Search = new()
        {
            FindMax = parsed.GetValue(_findMax),
            P50 = parsed.GetValue(_p50),
            P90 = parsed.GetValue(_p90),
            P95 = parsed.GetValue(_p95),
            P99 = parsed.GetValue(_p99),
            P999 = parsed.GetValue(_p999),
            Goodput = parsed.GetValue(_goodput),
            Confidence = parsed.GetValue(_confidence),
            Resolution = parsed.GetValue(_resolution),
            StepMax = parsed.GetValue(_stepMax),
        },
    };

    private static Option<string?> Bound(string name) =>
        Text(name, "Bound of a search: this percentile stays within a time (50ms).");

    private static Option<string?> Text(string name, string description) => LoadFlags.One<string?>(name, description);
}
