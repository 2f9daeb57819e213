using Spillway.Policies.Rollout;

namespace Spillway.Planner.Queueing;

/// <summary>
/// Erlang's formulas by recursion, which holds for a thousand servers where factorials overflow, and what follows from
/// them for the number of servers.
/// </summary>
/// <remarks>A. Erlang (1917); S. Halfin, W. Whitt, "Heavy-traffic limits for queues with many servers"
/// (1981).</remarks>
internal static class Erlang
{
    private const int ServersMax = 10_000_000;

    /// <summary>Erlang B: the part that is lost where nobody can wait.</summary>
    /// <param name="servers">0 or more.</param>
    /// <param name="load">Arrival rate times service time, in busy servers.</param>
    public static double Blocked(int servers, double load)
    {
        var blocked = 1.0;
        for (var k = 1; k <= servers; k++)
            blocked = load * blocked / (k + (load * blocked));
        return blocked;
    }

    /// <summary>Erlang C: the part that waits where everybody may; 1 where more comes than can be served.</summary>
    /// <param name="servers">1 or more.</param>
    /// <param name="load">Arrival rate times service time, in busy servers.</param>
    public static double Waits(int servers, double load)
    {
        var busy = load / servers;
        if (busy >= 1)
            return 1;
        var blocked = Blocked(servers, load);
        return blocked / (1 - (busy * (1 - blocked)));
    }

    /// <summary>The least number of servers of which at most a part of arrivals waits.</summary>
    /// <param name="load">Arrival rate times service time; above zero.</param>
    /// <param name="waits">The part that may wait, above 0 and below 1.</param>
    public static int ServersFor(double load, double waits)
    {
        var blocked = 1.0;
        for (var k = 1; k < ServersMax; k++)
        {
            blocked = load * blocked / (k + (load * blocked));
            var busy = load / k;
            if (busy < 1 && blocked / (1 - (busy * (1 - blocked))) <= waits)
                return k;
        }

        return ServersMax;
    }

    /// <summary>Square-root staffing: the load, and a safety that grows with its root.</summary>
    /// <param name="load">Arrival rate times service time.</param>
    /// <param name="safety">Beta; above zero. 1 lets 22 % wait, 2 lets 3 %.</param>
    public static double SquareRootServers(double load, double safety) => load + (safety * Math.Sqrt(load));

    /// <summary>The part that waits with square-root staffing, for large loads: Halfin and Whitt's limit.</summary>
    public static double HalfinWhitt(double safety)
    {
        var density = Math.Exp(-safety * safety / 2) / Math.Sqrt(2 * Math.PI);
        return 1 / (1 + (safety * Normal.Below(safety) / density));
    }
}
