using Spillway.Planner.Queueing;

namespace Spillway.Planner.Diagnosis;

/// <summary>What a mean wait says about the load of some servers, and what more servers would make of it.</summary>
internal static class QueueInference
{
    /// <summary>
    /// The arrivals by time at which M/M/c waits so long: by halving, because the wait grows with the load.
    /// </summary>
    /// <param name="wait">The mean wait, in the unit of the service time.</param>
    /// <param name="service">The mean service time.</param>
    /// <param name="servers">1 or more.</param>
    public static double RateFor(double wait, double service, int servers)
    {
        var (low, high) = (0.0, servers / service);
        for (var round = 0; round < 200; round++)
        {
            var middle = (low + high) / 2;
            if (WaitingTimes.Exponential(middle, service, servers).MeanWait < wait)
                low = middle;
            else
                high = middle;
        }

        return low;
    }

    /// <summary>
    /// The wait with another service time at the same arrivals, by Kingman: service times U / (1 - U). A shorter
    /// service lowers both factors.
    /// </summary>
    public static double Scaled(double wait, double busy, double then) => then >= 1 ? double.PositiveInfinity
        : wait * (then / (1 - then)) / (busy / (1 - busy)) * (then / busy);

    /// <summary>The wait with a second server like the first, and one queue: as M/M/2 to M/M/1.</summary>
    public static double WithTwo(double wait, double busy) =>
        wait * WaitingTimes.Exponential(busy, 1, servers: 2).MeanWait
            / WaitingTimes.Exponential(busy, 1, servers: 1).MeanWait;
}
