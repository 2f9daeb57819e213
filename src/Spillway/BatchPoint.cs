namespace Spillway;

/// <summary>One point of a batch curve: the time of a run of that many rows of the typical shape.</summary>
/// <param name="Rows">Rows in the run, from 1.</param>
/// <param name="Time">Time of the whole run.</param>
public readonly record struct BatchPoint(int Rows, TimeSpan Time)
{
    /// <summary>
    /// Ticks of a run of that many rows: linear between the points, in proportion below the first and beyond the last.
    /// </summary>
    /// <param name="curve">At least one point, rows ascending.</param>
    /// <param name="rows">At least 1.</param>
    public static double TicksAt(IReadOnlyList<BatchPoint> curve, int rows)
    {
        var before = curve[0];
        if (rows <= before.Rows)
            return before.Time.Ticks * (rows / (double)before.Rows);
        foreach (var after in curve)
        {
            if (after.Rows >= rows)
            {
                var share = (rows - before.Rows) / (double)(after.Rows - before.Rows);
                return before.Time.Ticks + (share * (after.Time.Ticks - before.Time.Ticks));
            }

            before = after;
        }

        return before.Time.Ticks * (rows / (double)before.Rows);
    }
}
