namespace Spillway.Planner.Outcomes;

/// <summary>A line of a simulated bill: an amount of something at a price.</summary>
/// <param name="Site">Where.</param>
/// <param name="What">What was paid for.</param>
/// <param name="Quantity">How much of it.</param>
/// <param name="Unit">Of what.</param>
/// <param name="Price">Of one unit, in the plan's currency.</param>
public readonly record struct CostLine(string Site, string What, decimal Quantity, string Unit, decimal Price)
{
    /// <summary>Hours of a month as clouds count them: 365 * 24 / 12.</summary>
    public const decimal HoursPerMonth = 730;

    /// <summary>The amount, rounded once to nano-units.</summary>
    public Money Amount => new((long)Math.Round(Quantity * Price * 1_000_000_000m, MidpointRounding.AwayFromZero));
}
