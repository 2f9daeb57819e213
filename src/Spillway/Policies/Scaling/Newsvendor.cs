namespace Spillway.Policies.Scaling;

/// <summary>
/// How much to keep for a demand that is not known: up to the quantile where one more would cost as much idle as it
/// saves when it is missing.
/// </summary>
/// <remarks>
/// K. Arrow, T. Harris, J. Marschak, "Optimal inventory policy" (1951). The demand in a lead time is Poisson, or
/// negative binomial where counts vary more than a Poisson's: index of dispersion above 1.
/// </remarks>
internal static class Newsvendor
{
    private const double NormalFrom = 10_000;

    /// <summary>The part of cases that is worth covering: missing / (missing + idle).</summary>
    public static double Quantile(double missingCost, double idleCost) => missingCost / (missingCost + idleCost);

    /// <summary>The least whole number that the demand does not exceed with the given probability.</summary>
    /// <param name="mean">The mean demand; 0 or more.</param>
    /// <param name="dispersion">Variance by mean; what is below 1 counts as 1, a Poisson's.</param>
    /// <param name="probability">Between 0 and 1.</param>
    public static double Demand(double mean, double dispersion, double probability)
    {
        if (!(mean > 0))
            return 0;
        // Sums of that many terms are normal to well below a percent, and the recursion would be long.
        if (mean * Math.Max(1, dispersion) > NormalFrom)
            return Math.Ceiling(mean + (NormalQuantile(probability) * Math.Sqrt(mean * Math.Max(1, dispersion))));
        return dispersion > 1.001 ? Binomial(mean, dispersion, probability) : Poisson(mean, probability);
    }

    /// <summary>Replicas that cover a demand, beyond what is there.</summary>
    /// <param name="demand">Requests within the lead time.</param>
    /// <param name="there">Requests that ready replicas answer within the lead time.</param>
    /// <param name="each">Requests that one replica answers within the lead time; above zero.</param>
    public static int Replicas(double demand, double there, double each) =>
        (int)Math.Clamp(Math.Ceiling((demand - there) / each), 0, int.MaxValue / 2);

    // In logarithms: e^-mean is zero for a mean above 745.
    private static double Poisson(double mean, double probability)
    {
        var (log, sum) = (-mean, Math.Exp(-mean));
        var k = 0;
        while (sum < probability && k < 10 * NormalFrom)
        {
            log += Math.Log(mean / ++k);
            sum += Math.Exp(log);
        }

        return k;
    }

    private static double Binomial(double mean, double dispersion, double probability)
    {
        var size = mean / (dispersion - 1);
        var failure = (dispersion - 1) / dispersion;
        var log = -size * Math.Log(dispersion);
        var sum = Math.Exp(log);
        var k = 0;
        while (sum < probability && k < 10 * NormalFrom)
        {
            log += Math.Log((size + k) / (k + 1) * failure);
            k++;
            sum += Math.Exp(log);
        }

        return k;
    }

    // Abramowitz and Stegun, "Handbook of Mathematical Functions", 26.2.23: within 4.5e-4.
    private static double NormalQuantile(double probability)
    {
        var tail = Math.Clamp(probability < 0.5 ? probability : 1 - probability, 1e-12, 0.5);
        var t = Math.Sqrt(-2 * Math.Log(tail));
        var z = t - ((2.515517 + (t * (0.802853 + (t * 0.010328))))
            / (1 + (t * (1.432788 + (t * (0.189269 + (t * 0.001308)))))));
        return probability < 0.5 ? -z : z;
    }
}
