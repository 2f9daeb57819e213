namespace Spillway.App.Load;

/// <summary>
/// When requests arrive: an endless (or, for a trace, finite) sequence of gaps in seconds. All randomness comes from
/// the seed, so that every endpoint of a round meets exactly the same arrivals.
/// </summary>
internal abstract class Arrivals
{
    /// <summary>
    /// Seconds from the previous arrival (from the start, for the first) to the next; negative: no more.
    /// </summary>
    public abstract double NextGap();

    /// <summary>Gaps of exactly 1/rate.</summary>
    public sealed class Constant(double rate) : Arrivals
    {
        public override double NextGap() => 1 / rate;
    }

    /// <summary>A Poisson process: independent exponential gaps (MLPerf's server scenario).</summary>
    public sealed class Poisson(double rate, Random random) : Arrivals
    {
        public override double NextGap() => Exponential(random) / rate;
    }

    /// <summary>Recorded arrivals, in seconds from the first, ascending; divided by a speed.</summary>
    public sealed class Trace(double[] seconds, double speed) : Arrivals
    {
        private int _next;

        public override double NextGap()
        {
            if (_next >= seconds.Length)
                return -1;
            var previous = _next == 0 ? 0 : seconds[_next - 1];
            return (seconds[_next++] - previous) / speed;
        }
    }

    /// <summary>An exponential variable of mean 1.</summary>
    protected static double Exponential(Random random) => -Math.Log(1 - random.NextDouble());
}
