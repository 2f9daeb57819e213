using Spillway.App.Load.Statistics;

namespace Spillway.App.Load.Search;

/// <summary>What a number of requests shows about a bound.</summary>
internal enum Verdict : byte
{
    /// <summary>Too few requests for the wanted confidence in either direction.</summary>
    Undecided,

    /// <summary>At least the wanted share is inside the bound, with the wanted confidence.</summary>
    Holds,

    /// <summary>Less than the wanted share is inside the bound, with the wanted confidence.</summary>
    Broken,
}

/// <summary>
/// The stop rule of MLPerf Inference (LoadGen, "early stopping"): of h + t requests t were over the bound. Were the
/// true share inside it only p, so few over would happen with probability I_p(h, t + 1) = P(Bin(h + t, 1 - p) ≤ t);
/// once that is at most 1 - c, the bound holds with confidence c. LoadGen's tolerance d is 0 here. The opposite
/// question is answered in the same way, so that a flood need not be run to its end.
/// <para>
/// A rule that is asked again and again is sooner or later wrong by chance. It is asked at most
/// <see cref="LooksMax"/> times a step, at planned times, and every look gets an equal part of 1 - c (Bonferroni).
/// It takes requests as independent, as LoadGen does; in a queue neighbours are late together, so that the true
/// confidence near saturation is lower than the stated one. Hence the confirming run at the end.
/// </para>
/// </summary>
/// <param name="share">p, the wanted share inside the bound: 0.99 for a 99th percentile.</param>
/// <param name="confidence">c, for example 0.99.</param>
/// <param name="looks">How often the rule is asked of the same step.</param>
internal readonly struct EarlyStopping(double share, double confidence, int looks)
{
    public const int LooksMax = 4;

    /// <summary>The largest chance of being wrong at one look.</summary>
    public double ErrorMax { get; } = (1 - confidence) / looks;

    /// <param name="inside">h: answered ok within the bound.</param>
    /// <param name="over">t: late, refused, failed or never answered.</param>
    public Verdict Judge(long inside, long over)
    {
        var all = inside + over;
        if (all == 0)
            return Verdict.Undecided;
        if (Binomial.AtMost(over, all, 1 - share) <= ErrorMax)
            return Verdict.Holds;
        return Binomial.AtLeast(over, all, 1 - share) <= ErrorMax ? Verdict.Broken : Verdict.Undecided;
    }

    /// <summary>
    /// The fewest requests, of which <paramref name="over"/> are over, that show that the bound holds.
    /// </summary>
    public long RequestsNeeded(long over)
    {
        var (low, high) = (over, Math.Max(over, 1));
        while (Judge(high - over, over) != Verdict.Holds)
            (low, high) = (high, high * 2);
        while (high - low > 1)
        {
            var middle = low + ((high - low) / 2);
            if (Judge(middle - over, over) == Verdict.Holds)
                high = middle;
            else
                low = middle;
        }

        return high;
    }

    /// <summary>
    /// The rank (from 1) of the order statistic that is, with confidence c, no smaller than the quantile
    /// <paramref name="share"/> of whatever <paramref name="count"/> values were drawn from; null with too few values.
    /// </summary>
    public static long? UpperRank(long count, double share, double confidence)
    {
        // P(Bin(n, p) ≤ k - 1) ≥ c, the smallest such k.
        if (count == 0 || Binomial.AtMost(count - 1, count, share) < confidence)
            return null;
        var (low, high) = (0L, count);
        while (high - low > 1)
        {
            var middle = low + ((high - low) / 2);
            if (Binomial.AtMost(middle - 1, count, share) >= confidence)
                high = middle;
            else
                low = middle;
        }

        return high;
    }
}
