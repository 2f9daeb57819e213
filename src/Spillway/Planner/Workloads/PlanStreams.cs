using Spillway.Planner.Fleet;
using Spillway.Planner.Plans;

namespace Spillway.Planner.Workloads;

/// <summary>The streams of a plan: one for each workload in each region that has a part of it.</summary>
internal static class PlanStreams
{
    /// <summary>Fresh streams, each with the numbers of its workload and of its region.</summary>
    /// <param name="plan">Read and checked.</param>
    /// <param name="drill">What goes wrong; null for an ordinary day.</param>
    public static IEnumerable<(IArrivalStream Stream, int Workload, int Region)> Of(Plan plan, Drill? drill)
    {
        var options = plan.Options;
        var regions = options.Regions.Keys.ToArray();
        for (var w = 0; w < options.Workloads.Count; w++)
        {
            var workload = options.Workloads[w];
            var keys = workload.Repeats is { } repeats ? new ZipfKeys(repeats) : null;
            var parts = regions.Select(r => workload.Regions.Count == 0 ? 1 : workload.Regions.GetValueOrDefault(r))
                .ToArray();
            var (sum, from) = (parts.Sum(), 0.0);
            for (var r = 0; r < regions.Length; r++)
            {
                var part = parts[r] / sum;
                if (part <= 0)
                    continue;
                yield return (Stream(plan, workload, regions[r], (part, from), keys, drill), w, r);
                from += part;
            }
        }
    }

    private static IArrivalStream Stream(Plan plan, WorkloadOptions workload, string region,
        (double Share, double From) part, ZipfKeys? keys, Drill? drill)
    {
        var options = plan.Options;
        if (workload.Arrivals is ArrivalKind.Trace)
        {
            // The last region takes what rounding left over.
            return new TraceStream(workload, plan.Traces[workload.Name], (part.From, part.From + part.Share + 1e-12),
                options.DurationSeconds, options.Seed, drill?.Spike(options));
        }

        var shape = new RateShape(workload, workload.RatePerSecond!.Value * part.Share,
            (options.StartDay * 24) + options.StartHour, options.Regions[region].UtcOffsetHours, drill?.Spike(options));
        return new ShapedStream(workload, shape, options.DurationSeconds, options.Seed, $"{workload.Name} in {region}",
            keys);
    }
}
