using Spillway.App.Load.Statistics;

namespace Spillway.Tests.App.Load.Statistics;

public sealed class StatisticsTests
{
    [Theory]
    [InlineData(0, 10, 0.5, 0.0009765625)]
    [InlineData(5, 10, 0.5, 0.623046875)]
    [InlineData(2, 20, 0.1, 0.676926805)]
    [InlineData(9, 10, 0.9, 0.6513215599)]
    public void Binomial_tails_agree_with_published_tables(long k, long n, double p, double expected)
    {
        Assert.Equal(expected, Binomial.AtMost(k, n, p), 9);
        Assert.Equal(1 - expected, Binomial.AtLeast(k + 1, n, p), 9);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Binomial_tails_agree_with_the_sum_of_their_terms(int seed)
    {
        var random = new Random(seed);
        for (var i = 0; i < 50; i++)
        {
            var (n, p) = (random.Next(1, 3000), (random.NextDouble() * 0.98) + 0.01);
            var k = random.Next(n + 1);

            // Each term from the one before, in logarithms: nothing in common with the continued fraction.
            var (logTerm, sum) = (n * Math.Log(1 - p), 0.0);
            for (var j = 0; j <= k; j++)
            {
                sum += Math.Exp(logTerm);
                logTerm += Math.Log((n - j) / (j + 1.0)) + Math.Log(p / (1 - p));
            }

            Assert.Equal(Math.Min(1, sum), Binomial.AtMost(k, n, p), 8);
        }
    }

    [Theory]
    [InlineData(5, null)]
    [InlineData(6, 0.96875)]
    [InlineData(10, 0.978515625)]
    [InlineData(20, 0.95861053467)]
    public void The_sign_interval_has_its_tabled_coverage_and_needs_six_pairs(int count, double? coverage)
    {
        var interval = MedianInterval.OfPairs(Enumerable.Range(1, count).Select(i => (double)i), 0.95);

        Assert.Equal(coverage is null, interval is null);
        if (interval is { } known)
            Assert.Equal(coverage!.Value, known.Confidence, 8);
    }

    [Fact]
    public void The_sign_interval_of_ten_reaches_from_the_second_to_the_ninth()
    {
        var interval = MedianInterval.OfPairs([10, 3, 5, 1, 2, 4, 9, 8, 7, 6], 0.95)!.Value;

        Assert.Equal((5.5, 2.0, 9.0), (interval.Middle, interval.Low, interval.High));
    }

    /// <summary>Critical values of U, two-sided at 5 % (Mann and Whitney's table).</summary>
    [Theory]
    [InlineData(4, 4, 0)]
    [InlineData(5, 5, 2)]
    [InlineData(6, 8, 8)]
    [InlineData(8, 8, 13)]
    [InlineData(10, 10, 23)]
    [InlineData(20, 20, 127)]
    public void The_rank_distribution_has_the_tabled_critical_values(int n, int m, int critical)
    {
        var distribution = MedianInterval.RankSums(n, m);

        Assert.Equal(1, distribution.Sum(), 9);
        Assert.True(2 * distribution.Take(critical + 1).Sum() <= 0.05);
        Assert.True(2 * distribution.Take(critical + 2).Sum() > 0.05);
    }

    [Theory]
    [InlineData(11)]
    [InlineData(12)]
    [InlineData(13)]
    public void Both_intervals_hold_the_truth_as_often_as_they_say(int seed)
    {
        var random = new Random(seed);
        var (pairs, ratios) = (0, 0);
        const int Trials = 1000;
        for (var trial = 0; trial < Trials; trial++)
        {
            // Skewed values whose true ratio is 1.3.
            double[] from = [.. Enumerable.Range(0, 8).Select(_ => Skewed(random))];
            double[] to = [.. Enumerable.Range(0, 8).Select(_ => 1.3 * Skewed(random))];
            var paired = MedianInterval.OfPairs(to.Zip(from, (t, f) => t / f), 0.95)!.Value;
            var apart = MedianInterval.OfRatio(from, to, 0.95)!.Value;
            pairs += paired.Low <= 1.3 && 1.3 <= paired.High ? 1 : 0;
            ratios += apart.Low <= 1.3 && 1.3 <= apart.High ? 1 : 0;
        }

        // 95 % less four standard deviations of a thousand trials.
        Assert.True(pairs >= 922, $"{pairs}");
        Assert.True(ratios >= 922, $"{ratios}");

        static double Skewed(Random random) => Math.Exp(random.NextDouble() * random.NextDouble());
    }
}
