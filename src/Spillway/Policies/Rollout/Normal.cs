namespace Spillway.Policies.Rollout;

/// <summary>The standard normal distribution.</summary>
internal static class Normal
{
    /// <summary>
    /// The probability below a value, to 1e-7: Abramowitz and Stegun, "Handbook of Mathematical Functions", 26.2.17.
    /// </summary>
    public static double Below(double value)
    {
        var t = 1 / (1 + (0.2316419 * Math.Abs(value)));
        var above = Math.Exp(-value * value / 2) / Math.Sqrt(2 * Math.PI) * t * (0.319381530
            + (t * (-0.356563782 + (t * (1.781477937 + (t * (-1.821255978 + (t * 1.330274429))))))));
        return value >= 0 ? 1 - above : above;
    }
}
