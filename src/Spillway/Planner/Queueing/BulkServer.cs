namespace Spillway.Planner.Queueing;

/// <summary>What a server that takes batches does in the long run.</summary>
/// <param name="MeanWait">The mean time in the queue; infinite where more comes than it can serve.</param>
/// <param name="MeanBatch">The mean number in a batch.</param>
/// <param name="EmptyProbability">The part of batches that leave nobody behind.</param>
internal readonly record struct BulkFigures(double MeanWait, double MeanBatch, double EmptyProbability);

/// <summary>
/// M/D^[1,b]/1: one server that begins at once with whoever waits, up to a number, and needs the same time for any
/// number. Exact by the chain at the ends of batches. This is dynamic batching without a delay, where a batch costs
/// what one costs.
/// </summary>
/// <remarks>N. Bailey, "On queueing processes with bulk service" (1954).</remarks>
internal static class BulkServer
{
    /// <summary>The figures.</summary>
    /// <param name="rate">Arrivals by time.</param>
    /// <param name="service">The time of a batch.</param>
    /// <param name="batchMax">The most in a batch; 1 or more.</param>
    public static BulkFigures Of(double rate, double service, int batchMax)
    {
        var came = rate * service;
        if (came >= batchMax)
            return new(double.PositiveInfinity, batchMax, 0);
        var chain = Crommelin.Stationary(came, batchMax, came / batchMax, isEmptyServed: true);
        var (queue, batch, time) = (0.0, 0.0, 0.0);
        for (var n = 0; n < chain.Length; n++)
        {
            queue += chain[n] * ((Math.Max(0, n - batchMax) * service) + (came * service / 2));
            batch += chain[n] * Math.Clamp(n, 1, batchMax);
            time += chain[n] * (service + (n == 0 ? 1 / rate : 0));
        }

        return new(queue / time / rate, batch, chain[0]);
    }
}
