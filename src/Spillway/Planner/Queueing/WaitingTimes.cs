namespace Spillway.Planner.Queueing;

/// <summary>
/// Mean waiting times by formula. Each says what it assumes; a load that cannot be served waits for ever. Rates and
/// times in one unit of time.
/// </summary>
internal static class WaitingTimes
{
    private const int ExactServersMax = 64;
    private const double ExactBusyMax = 0.98;

    /// <summary>M/M/c, exact: Poisson arrivals, exponential service, one queue.</summary>
    public static QueueFigures Exponential(double rate, double service, int servers)
    {
        var waits = Erlang.Waits(servers, rate * service);
        var spare = (servers / service) - rate;
        return new(rate, service, servers, waits, spare > 0 ? waits / spare : double.PositiveInfinity);
    }

    /// <summary>M/G/1, exact: Pollaczek and Khinchine.</summary>
    /// <param name="rate">Arrivals by time.</param>
    /// <param name="service">The mean service time.</param>
    /// <param name="variation">The squared coefficient of variation of service times: 0 constant, 1
    /// exponential.</param>
    public static QueueFigures OneServer(double rate, double service, double variation) =>
        Kingman(rate, service, arrivals: 1, variation);

    /// <summary>G/G/1: Kingman's bound, which is exact for Poisson arrivals.</summary>
    /// <param name="rate">Arrivals by time.</param>
    /// <param name="service">The mean service time.</param>
    /// <param name="arrivals">The squared coefficient of variation between arrivals: 1 for Poisson.</param>
    /// <param name="variation">The same of service times.</param>
    public static QueueFigures Kingman(double rate, double service, double arrivals, double variation)
    {
        var busy = rate * service;
        return new(rate, service, 1, arrivals == 1 ? Math.Min(1, busy) : double.NaN,
            busy < 1 ? busy / (1 - busy) * (arrivals + variation) / 2 * service : double.PositiveInfinity);
    }

    /// <summary>
    /// M/D/c: constant service. Exact by Crommelin's recursion up to 64 servers and 98 % busy; else by Cosmetatos,
    /// within 1 % of it.
    /// </summary>
    public static QueueFigures Constant(double rate, double service, int servers) =>
        servers <= ExactServersMax && rate * service / servers <= ExactBusyMax
            ? Crommelin.Of(rate, service, servers) : Cosmetatos(rate, service, servers);

    /// <summary>M/D/c by Cosmetatos' correction of half of M/M/c.</summary>
    /// <remarks>G. Cosmetatos, "Approximate explicit formulae for the average queueing time" (1975).</remarks>
    public static QueueFigures Cosmetatos(double rate, double service, int servers)
    {
        var markov = Exponential(rate, service, servers);
        var busy = markov.Utilisation;
        var correction = (1 - busy) * (servers - 1) * (Math.Sqrt(4 + (5.0 * servers)) - 2) / (16 * busy * servers);
        return markov with { MeanWait = markov.MeanWait / 2 * (1 + correction) };
    }

    /// <summary>G/G/c by Allen and Cunneen: M/M/c times the mean of both variations.</summary>
    /// <param name="rate">Arrivals by time.</param>
    /// <param name="service">The mean service time.</param>
    /// <param name="servers">1 or more.</param>
    /// <param name="arrivals">The squared coefficient of variation between arrivals.</param>
    /// <param name="variation">The same of service times.</param>
    public static QueueFigures AllenCunneen(
        double rate, double service, int servers, double arrivals, double variation)
    {
        var markov = Exponential(rate, service, servers);
        return markov with { MeanWait = markov.MeanWait * (arrivals + variation) / 2 };
    }

    /// <summary>
    /// G/G/c by Sakasegawa: without Erlang's recursion, and with a number of servers that need not be whole.
    /// </summary>
    /// <remarks>H. Sakasegawa, "An approximation formula" (1977); some 7 % high at 80 % busy.</remarks>
    public static double Sakasegawa(double rate, double service, double servers, double arrivals, double variation)
    {
        var busy = rate * service / servers;
        return busy < 1
            ? Math.Pow(busy, Math.Sqrt(2 * (servers + 1)) - 1) / (servers * (1 - busy)) * (arrivals + variation) / 2
                * service
            : double.PositiveInfinity;
    }
}
