namespace Spillway.Planner.Fleet;

/// <summary>Run times from a batch curve, in proportion to the sizes, with a uniform spread.</summary>
/// <param name="curve">At least one point, rows ascending.</param>
/// <param name="spread">0.1 is ±10 %.</param>
/// <param name="chance">Of this replica.</param>
internal sealed class SpreadTimes(IReadOnlyList<BatchPoint> curve, double spread, Chance chance) : IRunTimes
{
    /// <inheritdoc/>
    public TimeSpan Next(int runner, int rows, long elements)
    {
        var factor = spread <= 0 ? 1 : 1 + (spread * ((2 * chance.Next()) - 1));
        var size = elements / (rows * (double)BatchServer.ElementsPerRow);
        return new(Math.Max(1, (long)(BatchPoint.TicksAt(curve, rows) * size * factor)));
    }
}
