using System.Globalization;

namespace Spillway.Planner.Answers;

/// <summary>Figures as reports write them.</summary>
public static class Figures
{
    /// <summary>An amount with the digits that matter.</summary>
    public static string Money(double amount) => Math.Abs(amount) switch
    {
        >= 100 => amount.ToString("#,##0", CultureInfo.InvariantCulture),
        >= 1 => amount.ToString("0.00", CultureInfo.InvariantCulture),
        _ => amount.ToString("0.######", CultureInfo.InvariantCulture),
    };

    /// <summary>A time with the digits that matter.</summary>
    public static string Ms(double ms) => ms switch
    {
        >= 10_000 => (ms / 1000).ToString("0.#", CultureInfo.InvariantCulture) + " s",
        >= 100 => ms.ToString("0", CultureInfo.InvariantCulture) + " ms",
        >= 10 => ms.ToString("0.#", CultureInfo.InvariantCulture) + " ms",
        _ => ms.ToString("0.##", CultureInfo.InvariantCulture) + " ms",
    };
}
