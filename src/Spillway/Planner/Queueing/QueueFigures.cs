namespace Spillway.Planner.Queueing;

/// <summary>The long-run figures of a queue by a formula. All times in the unit of the rates.</summary>
/// <param name="Rate">Arrivals by time.</param>
/// <param name="Service">The mean service time.</param>
/// <param name="Servers">How many serve.</param>
/// <param name="WaitProbability">The part of arrivals that waits, 0 to 1; NaN where a formula does not tell.</param>
/// <param name="MeanWait">The mean time in the queue, of all; infinite where more comes than can be served.</param>
internal readonly record struct QueueFigures(
    double Rate, double Service, int Servers, double WaitProbability, double MeanWait)
{
    /// <summary>The busy part of each server; 1 or more has no steady state.</summary>
    public double Utilisation => Rate * Service / Servers;

    /// <summary>Whether there is a steady state: less comes than can be served.</summary>
    public bool IsStable => Utilisation < 1;

    /// <summary>The mean time in the system.</summary>
    public double MeanTime => MeanWait + Service;

    /// <summary>The mean number in the system, by Little's law.</summary>
    public double MeanInSystem => Little.InSystem(Rate, MeanTime);

    /// <summary>The mean number in the queue, by Little's law.</summary>
    public double MeanInQueue => Little.InSystem(Rate, MeanWait);

    /// <summary>
    /// The time in the queue that a part of arrivals does not exceed. Exact for exponential service; for others the
    /// tail is taken as exponential with the mean of those who wait, which is near at high utilisation.
    /// </summary>
    /// <param name="part">Between 0 and 1, as 0.95.</param>
    public double WaitPercentile(double part)
    {
        if (!IsStable)
            return double.PositiveInfinity;
        var waits = double.IsNaN(WaitProbability) ? 1 : WaitProbability;
        return waits <= 1 - part ? 0 : MeanWait / waits * Math.Log(waits / (1 - part));
    }

    /// <summary>The probability to wait longer than a time, under the same assumption.</summary>
    public double WaitsLongerThan(double time)
    {
        var waits = double.IsNaN(WaitProbability) ? 1 : WaitProbability;
        return !IsStable ? 1 : MeanWait > 0 ? waits * Math.Exp(-time * waits / MeanWait) : 0;
    }
}
