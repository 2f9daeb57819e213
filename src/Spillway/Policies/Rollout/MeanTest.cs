namespace Spillway.Policies.Rollout;

/// <summary>
/// Whether the challenger's mean is above the champion's by more than a tolerance, looked at after every observation.
/// The mixture sequential probability ratio test of Johari, Koomen, Pekelis and Walsh, "Always Valid Inference:
/// Continuous Monitoring of A/B Tests", Operations Research 70(3), 2022: with the difference D and its variance V,
/// <code>L = sqrt(V / (V + t²)) · exp(t² D² / (2 V (V + t²)))</code>
/// which is their formula with V for (σx² + σy²) / n, so that both sides may have had different numbers; and
/// p = min(p, 1 / L). Here the mixture has positive effects only, which doubles L and multiplies it by the normal
/// distribution's Φ(t D / sqrt(V (V + t²))): a challenger that is better never makes L grow. Pure, one owner.
/// </summary>
/// <remarks>
/// Each step of a rollout is a stratum of its own, or a day that becomes slower while the share grows would look like a
/// slower challenger. Strata are joined by their information 1 / V, in which D / V is a Brownian motion.
/// The variances are estimated, so a stratum counts from <see cref="SamplesMin"/> on each side.
/// </remarks>
/// <param name="tolerance">What the challenger may have more.</param>
/// <param name="effect">t, the size of effects that the test is made for.</param>
internal sealed class MeanTest(double tolerance, double effect = 0.1)
{
    /// <summary>Observations of each side from which on a stratum counts: the estimated variance is near.</summary>
    public const int SamplesMin = 30;

    private Moments _champion;
    private Moments _challenger;
    private double _bankedScore;
    private double _bankedInformation;

    /// <summary>The always-valid p-value.</summary>
    public double PValue { get; private set; } = 1;

    /// <summary>The estimated difference of the means, challenger less champion; 0 before there is one.</summary>
    public double Difference
    {
        get
        {
            var (score, information) = Sums();
            return information > 0 ? (score / information) + tolerance : 0;
        }
    }

    /// <summary>L of the paper, for two-sided effects.</summary>
    public static double Likelihood(double difference, double variance, double effectSquared) =>
        Math.Sqrt(variance / (variance + effectSquared))
        * Math.Exp(effectSquared * difference * difference / (2 * variance * (variance + effectSquared)));

    /// <summary>Half the width of the interval that holds the difference at every look with 1 - alpha.</summary>
    public static double Radius(double variance, double effectSquared, double alpha) => Math.Sqrt(
        variance * (variance + effectSquared) / effectSquared
        * (Math.Log((variance + effectSquared) / variance) - (2 * Math.Log(alpha))));

    /// <summary>One more.</summary>
    public void Add(RolloutSide side, double value)
    {
        if (side is RolloutSide.Challenger)
            _challenger.Add(value);
        else
            _champion.Add(value);
        var (score, information) = Sums();
        // Below zero Φ falls faster than L grows: their product never passes 1, and the factors would overflow.
        if (score <= 0)
            return;
        var (variance, squared) = (1 / information, effect * effect);
        var difference = score / information;
        var likelihood = 2 * Likelihood(difference, variance, squared)
            * Normal.Below(effect * difference / Math.Sqrt(variance * (variance + squared)));
        PValue = Math.Min(PValue, 1 / likelihood);
    }

    /// <summary>The share changes: what comes is a stratum of its own.</summary>
    public void NextStratum()
    {
        (_bankedScore, _bankedInformation) = Sums();
        (_champion, _challenger) = (default, default);
    }

    private (double Score, double Information) Sums()
    {
        if (_champion.Count < SamplesMin || _challenger.Count < SamplesMin)
            return (_bankedScore, _bankedInformation);
        var variance = (_champion.Variance / _champion.Count) + (_challenger.Variance / _challenger.Count);
        // Two constants: as if they were measured to a part in a million.
        var information = 1 / Math.Max(variance, 1e-12);
        return (
            _bankedScore + ((_challenger.Mean - _champion.Mean - tolerance) * information),
            _bankedInformation + information);
    }

    /// <summary>
    /// Count, mean and variance as they come: Welford, "Note on a Method for Calculating Corrected Sums of Squares and
    /// Products", Technometrics 4(3), 1962.
    /// </summary>
    private struct Moments
    {
        private double _squares;

        public int Count { get; private set; }

        public double Mean { get; private set; }

        public readonly double Variance => _squares / (Count - 1);

        public void Add(double value)
        {
            var before = value - Mean;
            Mean += before / ++Count;
            _squares += before * (value - Mean);
        }
    }
}
