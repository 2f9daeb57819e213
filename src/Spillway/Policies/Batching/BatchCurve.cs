namespace Spillway.Policies.Batching;

/// <summary>
/// What a batch curve means: the largest useful batch, and whether batching gains at all. Pure functions.
/// </summary>
public static class BatchCurve
{
    /// <summary>
    /// The largest size that saves at least <paramref name="gainMin"/> of the time per row over the best smaller
    /// useful one. 1 when nothing gains.
    /// </summary>
    public static int UsefulRows(IReadOnlyList<BatchPoint> curve, double gainMin)
    {
        var useful = curve[0];
        foreach (var point in curve)
        {
            if (Gains(useful, point, gainMin))
                useful = point;
        }

        return useful.Rows;
    }

    /// <summary>
    /// True when <paramref name="larger"/> costs enough less per row than <paramref name="smaller"/>.
    /// </summary>
    public static bool Gains(BatchPoint smaller, BatchPoint larger, double gainMin) =>
        larger.Time.Ticks * (double)smaller.Rows <= (1 - gainMin) * smaller.Time.Ticks * larger.Rows;

    /// <summary>
    /// How many runs go on at once. A model that gains from batching has one runner a device, or arriving requests
    /// would always find an idle one and no batch would ever form; one that gains nothing fills the device.
    /// </summary>
    /// <param name="configured">The option; 0 follows the curve.</param>
    /// <param name="usefulRows">Of the curve.</param>
    /// <param name="parallelism">Of the device.</param>
    public static int RunnersPerDevice(int configured, int usefulRows, int parallelism) =>
        configured > 0 ? configured : usefulRows > 1 ? 1 : parallelism;
}
