namespace Spillway.Planner.Queueing;

/// <summary>
/// What happens when the load grows at once and new replicas need a time to start: a queue as a fluid, which is exact
/// for the mean of large numbers.
/// </summary>
/// <param name="Busy">How busy it was before.</param>
/// <param name="Growth">The load after, as a multiple of the load before.</param>
/// <param name="Dead">The time until the new replicas help, in any unit.</param>
/// <param name="Capacity">The capacity after, as a multiple of the one before.</param>
internal readonly record struct DeadTime(double Busy, double Growth, double Dead, double Capacity)
{
    /// <summary>The load on what there is, before anything helps; above 1 a queue grows.</summary>
    public double Overload => Busy * Growth;

    /// <summary>
    /// What waits when the new replicas begin to help, in the time that the old ones would need for it.
    /// </summary>
    public double Backlog => Math.Max(0, Overload - 1) * Dead;

    /// <summary>The wait of who comes at that moment; the longest of all.</summary>
    public double LongestWait => Backlog / Capacity;

    /// <summary>
    /// The time from then on until nobody waits; infinite where the new capacity does not suffice either.
    /// </summary>
    public double Drain => Backlog <= 0 ? 0
        : Capacity > Overload ? Backlog / (Capacity - Overload) : double.PositiveInfinity;

    /// <summary>From the growth until nobody waits.</summary>
    public double Recovery => Backlog > 0 ? Dead + Drain : 0;
}
