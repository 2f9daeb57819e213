using Spillway.Config;

namespace Spillway.Planner.Plans;

/// <summary>The rules of what is promised and of who asks: no key is ignored silently.</summary>
internal sealed class DemandChecks(OptionBinder binder)
{
    /// <summary>A time or a cost is kept easily by whoever answers few: it needs a bound on refusals.</summary>
    public void Goals(GoalOptions goals)
    {
        string[] wanted =
        [
            .. new (string Key, double? Value)[]
            {
                ("p50Ms", goals.P50Ms), ("p95Ms", goals.P95Ms), ("p99Ms", goals.P99Ms),
                ("firstTokenP95Ms", goals.FirstTokenP95Ms), ("perTokenP95Ms", goals.PerTokenP95Ms),
                ("costPerMonthMax", goals.CostPerMonthMax), ("costPer1000Max", goals.CostPer1000Max),
            }.Where(g => g.Value is not null).Select(g => g.Key),
        ];
        if (wanted.Length > 0 && goals.RefusedShareMax is null && !binder.Failed("goals"))
            binder.Report("goals", "", $"A promise of {string.Join(", ", wanted)} needs a bound on refusals: who "
                + "refuses most requests is fast and cheap.",
                "Give refusedShareMax: the largest part that may be refused, dropped or lost, as 0.01.");
    }

    /// <summary>What shapes a made-up rate says nothing of a recorded one; and a ramp goes forwards.</summary>
    public void Shapes(WorkloadOptions workload, string key)
    {
        if (workload.Ramp is { } ramp && ramp.ToSecond < ramp.FromSecond)
            binder.Report($"{key}.ramp.toSecond", OptionText.Number(ramp.ToSecond), "The ramp ends before it begins, "
                + $"at {OptionText.Number(ramp.FromSecond)} s.", "Exchange fromSecond and toSecond.");
        if (workload.Arrivals is not ArrivalKind.Trace)
            return;
        foreach (var (name, given) in new[]
        {
            ("daily", workload.Daily is not null), ("weekly", workload.Weekly.Count > 0),
            ("ramp", workload.Ramp is not null), ("spike", workload.Spike is not null),
            ("growthPerMonth", workload.GrowthPerMonth != 0), ("repeats", workload.Repeats is not null),
            ("dispersion", workload.Dispersion is not null),
        })
        {
            if (given)
                binder.Report($"{key}.{name}", "", "A trace comes as it was recorded: this would change nothing.",
                    name == "repeats" ? "Remove it; a column key says what repeats." : "Remove it; speed makes a trace "
                    + "faster, and --what-if spike-10x squeezes a part of it.");
        }
    }
}
