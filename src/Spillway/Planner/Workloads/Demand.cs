using System.Globalization;
using Spillway.Planner.Plans;

namespace Spillway.Planner.Workloads;

/// <summary>Requests a second that are expected somewhere.</summary>
/// <param name="Mean">Over the simulated time after the warm-up.</param>
/// <param name="Peak">In the busiest of its 240 equal parts.</param>
/// <param name="Dispersion">The index of dispersion of the arrivals, weighted by rate: 1 is Poisson.</param>
public readonly record struct Demand(double Mean, double Peak, double Dispersion)
{
    private const int Parts = 240;

    /// <summary>What each region sends, before anything is simulated.</summary>
    public static IReadOnlyDictionary<string, Demand> ByRegion(Plan plan) =>
        plan.Options.Regions.Keys.ToDictionary(region => region, region => Of(plan, region));

    /// <summary>A mean over all requests: each workload counts as often as it asks.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="of">The figure of a workload, with its trace; null where it has none.</param>
    public static double Weighted(Plan plan, Func<WorkloadOptions, RecordedTrace?, double> of)
    {
        var (sum, weights) = (0.0, 0.0);
        foreach (var workload in plan.Options.Workloads)
        {
            var trace = plan.Traces.GetValueOrDefault(workload.Name);
            var weight = trace is null
                ? workload.RatePerSecond!.Value * Math.Pow(1 + workload.GrowthPerMonth, workload.MonthsAhead)
                : trace.Count / plan.Options.DurationSeconds;
            (sum, weights) = (sum + (weight * of(workload, trace)), weights + weight);
        }

        return weights > 0 ? sum / weights : 0;
    }

    /// <summary>The median of an amount: of the recorded ones, or of the lognormal one.</summary>
    public static double Median<T>(AmountOptions? amount, IReadOnlyCollection<T>? recorded)
        where T : struct, IConvertible
    {
        if (recorded is { Count: > 0 })
            return recorded.Order().ElementAt(recorded.Count / 2).ToDouble(CultureInfo.InvariantCulture);
        return amount is null ? 0 : amount.Mean / Math.Sqrt(1 + (amount.Variation * amount.Variation));
    }

    private static Demand Of(Plan plan, string region)
    {
        var options = plan.Options;
        var rates = new double[Parts];
        var (weighted, sum) = (0.0, 0.0);
        foreach (var workload in options.Workloads)
        {
            var parts = workload.Regions.Count == 0 ? options.Regions.Count : workload.Regions.Values.Sum();
            var part = (workload.Regions.Count == 0 ? 1 : workload.Regions.GetValueOrDefault(region)) / parts;
            if (part <= 0)
                continue;
            var before = rates.Sum();
            var dispersion = Add(plan, workload, region, part, rates);
            var added = rates.Sum() - before;
            (weighted, sum) = (weighted + (added * dispersion), sum + added);
        }

        return new(rates.Average(), rates.Max(), sum > 0 ? weighted / sum : 1);
    }

    /// <summary>Adds a workload's rates, and tells its index of dispersion.</summary>
    private static double Add(Plan plan, WorkloadOptions workload, string region, double part, double[] rates)
    {
        var options = plan.Options;
        var (from, each) = (options.WarmUpSeconds, (options.DurationSeconds - options.WarmUpSeconds) / Parts);
        if (plan.Traces.TryGetValue(workload.Name, out var trace))
        {
            var counts = new double[Parts];
            foreach (var ticks in trace.At)
            {
                var at = ((ticks / workload.Speed / TimeSpan.TicksPerSecond) - from) / each;
                if (at is >= 0 and < Parts)
                    counts[(int)at]++;
            }

            for (var i = 0; i < Parts; i++)
                rates[i] += counts[i] / each * part;
            var mean = counts.Average();
            var variance = counts.Average(c => (c - mean) * (c - mean));
            return mean > 0 ? Math.Max(1, variance / mean * part) : 1;
        }

        var shape = new RateShape(workload, workload.RatePerSecond!.Value * part,
            (options.StartDay * 24) + options.StartHour, options.Regions[region].UtcOffsetHours);
        for (var i = 0; i < Parts; i++)
            rates[i] += Math.Max(0, shape.At(from + ((i + 0.5) * each)));
        return workload.Arrivals switch
        {
            ArrivalKind.Poisson => 1,
            ArrivalKind.Constant => 0,
            ArrivalKind.Bursty => workload.Dispersion!.Value,
            ArrivalKind.Trace => 1,
        };
    }
}
