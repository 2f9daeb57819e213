namespace Spillway.App.Load.Statistics;

/// <summary>
/// Tails of the binomial distribution through the regularised incomplete beta function (continued fraction after
/// Lentz, Numerical Recipes 6.4; logarithm of the gamma function after Lanczos with g = 7, n = 9). Good to about 1e-12.
/// </summary>
internal static class Binomial
{
    private const int TermsMax = 10_000;
    private const double Tiny = 1e-300;
    private const double Precision = 1e-15;

    private static readonly double[] s_lanczos =
    [
        0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
        12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
    ];

    /// <summary>P(X ≤ k) of n trials that succeed with probability p.</summary>
    public static double AtMost(long k, long n, double p) => k < 0 ? 0 : k >= n ? 1 : Beta(1 - p, n - k, k + 1.0);

    /// <summary>P(X ≥ k) of n trials that succeed with probability p.</summary>
    public static double AtLeast(long k, long n, double p) => k <= 0 ? 1 : k > n ? 0 : Beta(p, k, n - k + 1.0);

    /// <summary>I_x(a, b), for a and b above 0 and x from 0 to 1.</summary>
    public static double Beta(double x, double a, double b)
    {
        if (x <= 0 || x >= 1)
            return x <= 0 ? 0 : 1;
        var front = Math.Exp(LogGamma(a + b) - LogGamma(a) - LogGamma(b) + (a * Math.Log(x)) + (b * Math.Log(1 - x)));
        // The fraction converges fast on one side of the mean; the other side follows by symmetry.
        return x < (a + 1) / (a + b + 2) ? front * Fraction(x, a, b) / a : 1 - (front * Fraction(1 - x, b, a) / b);
    }

    private static double Fraction(double x, double a, double b)
    {
        var (c, d) = (1.0, 1 / Away(1 - ((a + b) * x / (a + 1))));
        var value = d;
        for (var m = 1; m <= TermsMax; m++)
        {
            var even = m * (b - m) * x / ((a + (2 * m) - 1) * (a + (2 * m)));
            d = 1 / Away(1 + (even * d));
            c = Away(1 + (even / c));
            value *= d * c;
            var odd = -(a + m) * (a + b + m) * x / ((a + (2 * m)) * (a + (2 * m) + 1));
            d = 1 / Away(1 + (odd * d));
            c = Away(1 + (odd / c));
            value *= d * c;
            if (Math.Abs((d * c) - 1) < Precision)
                break;
        }

        return value;
    }

    private static double Away(double value) => Math.Abs(value) < Tiny ? Tiny : value;

    private static double LogGamma(double x)
    {
        var sum = s_lanczos[0];
        for (var i = 1; i < s_lanczos.Length; i++)
            sum += s_lanczos[i] / (x - 1 + i);
        var t = x + 6.5;
        return (0.5 * Math.Log(2 * Math.PI)) + ((x - 0.5) * Math.Log(t)) - t + Math.Log(sum);
    }
}
