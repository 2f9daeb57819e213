namespace Spillway.App.Load.Statistics;

/// <summary>A ratio with its interval.</summary>
/// <param name="Middle">The estimate.</param>
/// <param name="Low">Lower end.</param>
/// <param name="High">Upper end.</param>
/// <param name="Confidence">The exact coverage, at least what was asked.</param>
internal readonly record struct Interval(double Middle, double Low, double High, double Confidence);

/// <summary>
/// Intervals that assume no shape of a distribution, because latencies have none that one could name, and are exact for
/// a handful of rounds, where a bootstrap is too narrow.
/// </summary>
internal static class MedianInterval
{
    /// <summary>
    /// The sign test turned round: between the k-th smallest and the k-th largest of n paired values lies their median
    /// with probability 1 - 2 P(Bin(n, 1/2) ≤ k - 1). Null with too few values (6 for 95 %).
    /// </summary>
    public static Interval? OfPairs(IEnumerable<double> values, double confidence)
    {
        double[] sorted = [.. values.Order()];
        var k = 0;
        while (k + 1 <= sorted.Length / 2 && Coverage(k + 1) >= confidence)
            k++;
        return k == 0 ? null : new(Median(sorted), sorted[k - 1], sorted[^k], Coverage(k));

        double Coverage(int rank) => 1 - (2 * Binomial.AtMost(rank - 1, sorted.Length, 0.5));
    }

    /// <summary>
    /// The Mann-Whitney test turned round (Hodges and Lehmann): of all n m quotients of a value of
    /// <paramref name="to"/> by one of <paramref name="from"/>, the median, and between the k-th smallest and largest
    /// their true ratio with probability 1 - 2 P(U ≤ k - 1). Null with too few values (4 and 4 for 95 %). All above 0.
    /// </summary>
    public static Interval? OfRatio(IReadOnlyList<double> from, IReadOnlyList<double> to, double confidence)
    {
        double[] sorted = [.. to.SelectMany(t => from.Select(f => t / f)).Order()];
        if (sorted.Length == 0)
            return null;
        var distribution = RankSums(from.Count, to.Count);
        var (k, tail, below) = (0, 0.0, 0.0);
        while (k + 1 <= sorted.Length / 2 && 1 - (2 * (below + distribution[k])) >= confidence)
        {
            below += distribution[k++];
            tail = below;
        }

        return k == 0 ? null : new(Median(sorted), sorted[k - 1], sorted[^k], 1 - (2 * tail));
    }

    /// <summary>P(U = u) for u from 0 to n m when both samples come from one distribution without ties.</summary>
    public static double[] RankSums(int n, int m)
    {
        // The largest of all belongs to one sample or the other: in the first it beats everything of the second.
        var table = Enumerable.Range(0, n + 1).Select(_ => (double[])[1]).ToArray();
        for (var second = 1; second <= m; second++)
        {
            for (var first = 1; first <= n; first++)
            {
                var (less, same) = (table[first - 1], table[first]);
                var next = new double[(first * second) + 1];
                var share = first / (double)(first + second);
                for (var u = 0; u < less.Length; u++)
                    next[u + second] += share * less[u];
                for (var u = 0; u < same.Length; u++)
                    next[u] += (1 - share) * same[u];
                table[first] = next;
            }
        }

        return table[n];
    }

    private static double Median(double[] sorted) => sorted.Length % 2 == 1 ? sorted[sorted.Length / 2]
        : (sorted[(sorted.Length / 2) - 1] + sorted[sorted.Length / 2]) / 2;
}
