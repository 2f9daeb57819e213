namespace Spillway.Planner.Economics;

/// <summary>
/// How often long work on machines that may be taken away should be saved. Times in one unit; every formula assumes
/// that the time between interruptions is exponential.
/// </summary>
internal static class Checkpoints
{
    /// <summary>Young's interval between checkpoints: the square root of 2 C M.</summary>
    /// <remarks>J. Young, "A first order approximation to the optimum checkpoint interval" (1974).</remarks>
    /// <param name="cost">C: the time that a checkpoint takes.</param>
    /// <param name="between">M: the mean time between interruptions.</param>
    public static double Young(double cost, double between) => Math.Sqrt(2 * cost * between);

    /// <summary>Daly's interval, of higher order; M itself where a checkpoint takes 2 M and more.</summary>
    /// <remarks>J. Daly, "A higher order estimate of the optimum checkpoint interval" (2006).</remarks>
    public static double Daly(double cost, double between) => cost >= 2 * between
        ? between
        : (Young(cost, between) * (1 + (Math.Sqrt(cost / (2 * between)) / 3) + (cost / (2 * between) / 9))) - cost;

    /// <summary>The interval that serves best where a failure and the return from it take time of their own.</summary>
    /// <remarks>arXiv 2410.18124: T = Ts + sqrt(2 (Tf + Tr) Ts + Ts²).</remarks>
    /// <param name="save">The time that a checkpoint takes.</param>
    /// <param name="between">The mean time between failures.</param>
    /// <param name="restore">The time to return from a failure.</param>
    public static double ForAvailability(double save, double between, double restore) =>
        save + Math.Sqrt((2 * (between + restore) * save) + (save * save));

    /// <summary>
    /// The part of the time that is lost: to checkpoints, to work that is done again, and to restarts.
    /// </summary>
    /// <param name="cost">The time that a checkpoint takes; 0 with <paramref name="interval"/> 0 for none.</param>
    /// <param name="interval">Between checkpoints; above zero.</param>
    /// <param name="between">The mean time between interruptions.</param>
    /// <param name="restart">The time until it goes on after one.</param>
    public static double Waste(double cost, double interval, double between, double restart = 0) =>
        Math.Min(1, (cost / interval) + (interval / (2 * between)) + (restart / between));
}
