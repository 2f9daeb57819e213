namespace Spillway.Planner;

/// <summary>Run times from a batch curve, in proportion to the elements, with a seeded uniform spread.</summary>
/// <param name="curve">At least one point, rows ascending.</param>
/// <param name="elementsPerRow">Elements of one row of the curve.</param>
/// <param name="spread">0.1 is ±10 %.</param>
/// <param name="seed">Of the spread.</param>
public sealed class CurveTimes(IReadOnlyList<BatchPoint> curve, long elementsPerRow, double spread, int seed)
    : IRunTimes
{
    private readonly Random _random = new(seed);

    /// <inheritdoc/>
    public TimeSpan Next(int runner, int rows, long elements)
    {
        var factor = 1 + (spread * ((2 * _random.NextDouble()) - 1));
        return new((long)(BatchPoint.TicksAt(curve, rows) * elements / (rows * (double)elementsPerRow) * factor));
    }
}
