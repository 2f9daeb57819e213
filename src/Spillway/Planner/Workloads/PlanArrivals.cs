using Spillway.Planner.Plans;

namespace Spillway.Planner.Workloads;

/// <summary>A plan's arrivals, to play them against a live server.</summary>
public static class PlanArrivals
{
    /// <summary>
    /// The instants at which requests are sent, in seconds, ascending: the very ones that a simulation of the plan has.
    /// </summary>
    public static IReadOnlyList<double> Seconds(Plan plan)
    {
        List<double> times = [];
        foreach (var (stream, _, _) in PlanStreams.Of(plan, drill: null))
        {
            while (stream.Next(out var arrival))
                times.Add(arrival.At.Ticks / (double)TimeSpan.TicksPerSecond);
        }

        times.Sort();
        return times;
    }
}
