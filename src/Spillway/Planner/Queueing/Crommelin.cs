namespace Spillway.Planner.Queueing;

/// <summary>
/// M/D/c exactly: who is there after one service time is who was there less those served, and who came. The same
/// recursion gives the bulk server.
/// </summary>
/// <remarks>C. Crommelin, "Delay probability formulae when the holding times are constant" (1932).</remarks>
internal static class Crommelin
{
    private const int StatesMax = 20_000;
    private const int RoundsMax = 20_000;

    /// <summary>M/D/c.</summary>
    public static QueueFigures Of(double rate, double service, int servers)
    {
        var load = rate * service;
        if (load >= servers)
            return new(rate, service, servers, 1, double.PositiveInfinity);
        var chain = Stationary(load, servers, load / servers, isEmptyServed: false);
        var (inSystem, free) = (0.0, 0.0);
        for (var n = 0; n < chain.Length; n++)
        {
            inSystem += n * chain[n];
            free += n < servers ? chain[n] : 0;
        }

        return new(rate, service, servers, 1 - free, Math.Max(0, inSystem - load) / rate);
    }

    /// <summary>
    /// The stationary probabilities of the number there at the ends of services, of which each takes up to
    /// <paramref name="capacity"/>.
    /// </summary>
    /// <param name="arrivals">The mean number that comes within one.</param>
    /// <param name="capacity">How many one takes.</param>
    /// <param name="busy">The part of the capacity that is used; below 1.</param>
    /// <param name="isEmptyServed">Whether an empty one waits for the first to come, and then takes it alone.</param>
    public static double[] Stationary(double arrivals, int capacity, double busy, bool isEmptyServed)
    {
        var came = Poisson(arrivals);
        // The tail falls at least as fast as of M/M/c: far out each state is about busy^(2/c) of the one before.
        var states = (int)Math.Min(StatesMax, came.Length + capacity + (14.0 * capacity / Math.Max(1e-3, 1 - busy)));
        var (now, next) = (new double[states], new double[states]);
        now[0] = 1;
        for (var round = 0; round < RoundsMax; round++)
        {
            Array.Clear(next);
            for (var n = 0; n < states; n++)
            {
                if (now[n] < 1e-18)
                    continue;
                var left = isEmptyServed && n == 0 ? 0 : Math.Max(0, n - capacity);
                for (var k = 0; k < came.Length && left + k < states; k++)
                    next[left + k] += now[n] * came[k];
            }

            var (change, sum) = (0.0, next.Sum());
            for (var n = 0; n < states; n++)
            {
                next[n] /= sum;
                change += Math.Abs(next[n] - now[n]);
            }

            (now, next) = (next, now);
            if (change < 1e-12)
                break;
        }

        return now;
    }

    private static double[] Poisson(double mean)
    {
        var length = (int)(mean + (10 * Math.Sqrt(mean)) + 20);
        var (came, log) = (new double[length], -mean);
        for (var k = 0; k < length; k++)
        {
            came[k] = Math.Exp(log);
            log += Math.Log(mean / (k + 1));
        }

        return came;
    }
}
