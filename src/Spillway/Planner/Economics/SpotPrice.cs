namespace Spillway.Planner.Economics;

/// <summary>
/// What a machine costs that may be taken away with notice. Estimates in money as numbers: what is billed is in
/// <see cref="Money"/>, a plan is never more exact than its prices.
/// </summary>
/// <param name="Spot">The price for an hour.</param>
/// <param name="OnDemand">The price for an hour of the same machine that nobody takes away.</param>
internal readonly record struct SpotPrice(double Spot, double OnDemand)
{
    /// <summary>The part that it is cheaper, 0 to 1.</summary>
    public double Discount => 1 - (Spot / OnDemand);

    /// <summary>The waste from which on it is no longer cheaper: as large as the discount.</summary>
    public double BreakEvenWaste => Discount;

    /// <summary>What an hour of useful work costs.</summary>
    /// <param name="waste">The part of the time that is lost, 0 to below 1.</param>
    public double Effective(double waste) => waste < 1 ? Spot / (1 - waste) : double.PositiveInfinity;

    /// <summary>Whether it is worth it.</summary>
    public bool IsWorth(double waste) => Effective(waste) < OnDemand;

    /// <summary>
    /// The part that batch work saves on spot machines against running it on demand beside the rest.
    /// </summary>
    /// <param name="waste">The part of the time that is lost.</param>
    /// <param name="onlineUse">How busy machines are that answer people, 0 to 1.</param>
    /// <param name="batchUse">How busy machines are that work through a batch, 0 to 1.</param>
    public double BatchSaving(double waste, double onlineUse, double batchUse) =>
        1 - (Effective(waste) / OnDemand * onlineUse / batchUse);

    /// <summary>
    /// Machines on demand to keep beside the spot ones, so that the largest pool may vanish until it is replaced.
    /// </summary>
    /// <param name="needed">Machines that the load needs.</param>
    /// <param name="pools">Spot machines of each pool; a pool is lost as a whole.</param>
    public static int Floor(int needed, IReadOnlyCollection<int> pools) =>
        Math.Max(0, needed - pools.Sum() + pools.DefaultIfEmpty(0).Max());

    /// <summary>Whether what runs can end within the notice.</summary>
    /// <param name="longest">The longest remaining time of a request, as its 99.9th percentile.</param>
    /// <param name="notice">From the notice to the end: two minutes at AWS, half a minute at Google and Azure.</param>
    public static bool Drains(TimeSpan longest, TimeSpan notice) => longest < notice;
}
