namespace Spillway.Planner.Economics;

/// <summary>
/// What an answer costs where machines are paid by the hour: not a number, but the price of an hour divided by what is
/// asked in it. Money as numbers, in the currency of the price.
/// </summary>
/// <param name="PerHour">The price of an hour of everything.</param>
/// <param name="CapacityPerSecond">Requests, or tokens, that it does in a second at full use.</param>
internal readonly record struct CostCurve(double PerHour, double CapacityPerSecond)
{
    /// <summary>Hours of a month as providers count them: 8760 / 12.</summary>
    public const double HoursPerMonth = 730;

    /// <summary>Seconds of a year of 365 days.</summary>
    public const double SecondsPerYear = 365 * 86_400.0;

    /// <summary>What a thousand cost.</summary>
    /// <param name="use">The part of the capacity that is asked for, above 0.</param>
    public double PerThousand(double use) => Each(use) * 1e3;

    /// <summary>What a million cost.</summary>
    public double PerMillion(double use) => Each(use) * 1e6;

    /// <summary>What each costs.</summary>
    public double Each(double use) => PerHour / (CapacityPerSecond * use * 3600);

    /// <summary>The part of the capacity from which on it is cheaper than paying for each; above 1 never.</summary>
    /// <param name="each">What each costs elsewhere.</param>
    public double BreakEvenUse(double each) => PerHour / (CapacityPerSecond * 3600 * each);

    /// <summary>Points for a plot.</summary>
    /// <param name="uses">Parts of the capacity.</param>
    public IReadOnlyList<(double Use, double PerThousand)> Points(IEnumerable<double> uses)
    {
        var curve = this;
        return [.. uses.Select(use => (use, curve.PerThousand(use)))];
    }

    /// <summary>The same by what is asked in a second; the price is of what is needed to do so.</summary>
    public static CostCurve PerMonth(double price, double capacityPerSecond) =>
        new(price / HoursPerMonth, capacityPerSecond);
}
