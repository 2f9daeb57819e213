namespace Spillway.App.Load;

/// <summary>
/// A two-state Markov-modulated Poisson process: a fifth of the time the rate is three times the mean, the rest of
/// the time half of it. How long the states last follows from the wanted index of dispersion of counts (variance over
/// mean of the number of arrivals in a long window; a Poisson process has 1). For leaving rates σ1, σ2 and S = σ1+σ2
/// (Heffes and Lucantoni 1986, the limit of the index):
/// <code>I = 1 + 2 (λ1-λ2)² σ1 σ2 / (S² (λ1 σ2 + λ2 σ1)) = 1 + 2 (h-l)² p (1-p) λ / S</code>
/// With h = 3, l = 1/2, p = 1/5 this is I = 1 + 2 λ / S, so bursts last (I-1) / (1.6 λ) seconds on average and the
/// pauses between them four times as long: at 100 requests a second and I = 20 bursts of 119 ms with 36 requests.
/// The index of a window of t seconds is I - (I-1)(1-e^(-St))/(St): windows much shorter than 1/S show less.
/// </summary>
internal sealed class BurstyArrivals : Arrivals
{
    private const double FastShare = 0.2;
    private const double FastFactor = 3;
    private const double SlowFactor = 0.5;

    private readonly Random _random;
    private readonly double _rate;
    private readonly double _leaveFast;
    private readonly double _leaveSlow;
    private bool _fast;

    /// <param name="rate">Mean arrivals per second, above 0.</param>
    /// <param name="dispersion">Index of dispersion of counts, above 1.</param>
    /// <param name="random">Seeded.</param>
    public BurstyArrivals(double rate, double dispersion, Random random)
    {
        (_rate, _random) = (rate, random);
        Switching = SwitchingRate(rate, dispersion);
        _leaveFast = (1 - FastShare) * Switching;
        _leaveSlow = FastShare * Switching;
        _fast = random.NextDouble() < FastShare;
    }

    /// <summary>S: the sum of the two leaving rates, per second; 1/S is the time scale of the bursts.</summary>
    public double Switching { get; }

    /// <summary>The mean length of a burst in seconds, for the report.</summary>
    public static double BurstSeconds(double rate, double dispersion) =>
        1 / ((1 - FastShare) * SwitchingRate(rate, dispersion));

    public override double NextGap()
    {
        var gap = 0.0;
        while (true)
        {
            // Memoryless: in each state the next arrival races the next change of state.
            var arrival = Exponential(_random) / (_rate * (_fast ? FastFactor : SlowFactor));
            var change = Exponential(_random) / (_fast ? _leaveFast : _leaveSlow);
            if (arrival <= change)
                return gap + arrival;
            gap += change;
            _fast = !_fast;
        }
    }

    private static double SwitchingRate(double rate, double dispersion)
    {
        var difference = FastFactor - SlowFactor;
        return 2 * difference * difference * FastShare * (1 - FastShare) * rate / (dispersion - 1);
    }
}
