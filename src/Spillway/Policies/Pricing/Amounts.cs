using System.Globalization;

namespace Spillway.Policies.Pricing;

/// <summary>Amounts as people write them, to and from integer nano-units. Pure.</summary>
public static class Amounts
{
    /// <summary>Nano-units in one unit.</summary>
    public const long NanoPerUnit = 1_000_000_000;

    /// <summary>The exact amount; false for one that has more than nine decimals or is too large to count.</summary>
    /// <param name="units">Currency units, with up to 15 digits that mean something, as a double has.</param>
    /// <param name="amount">The amount; nothing when false.</param>
    public static bool TryParse(double units, out Money amount)
    {
        amount = default;
        if (!double.IsFinite(units) || Math.Abs(units) > 1e9)
            return false;
        var nano = (decimal)units * NanoPerUnit;
        if (nano != decimal.Truncate(nano))
            return false;
        amount = new((long)nano);
        return true;
    }

    /// <summary>The amount of a validated option; throws for one that <see cref="TryParse"/> refuses.</summary>
    public static Money Of(double units) => TryParse(units, out var amount)
        ? amount
        : throw new ArgumentOutOfRangeException(nameof(units), units, "Not a whole number of nano-units.");

    /// <summary>A day as prices are dated, "2026-01-31".</summary>
    public static bool TryDay(string text, out DateOnly day) =>
        DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out day);
}
