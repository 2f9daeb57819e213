using Spillway.Policies.Rollout;

namespace Spillway.Tests.Policies.Rollout;

public sealed class SequentialTestsTests
{
    /// <summary>
    /// The formula of Johari et al. at V = 0.5, t² = 0.01, a difference of 0.05, worked out apart from this code.
    /// </summary>
    [Theory]
    [InlineData(1000, 2.3600697, 0.4237163, 0.0688759)]
    [InlineData(5000, 23592.4, 4.23866e-5, 0.0327302)]
    public void The_mixture_gives_the_known_numbers(int n, double likelihood, double p, double radius)
    {
        var found = MeanTest.Likelihood(0.05, 0.5 / n, 0.01);
        Assert.Equal(1, found / likelihood, 1e-4);
        Assert.Equal(1, 1 / found / p, 1e-5);
        Assert.Equal(radius, MeanTest.Radius(0.5 / n, 0.01, 0.05), 1e-6);
    }

    [Fact]
    public void Walds_ratios_of_one_percent_against_two_are_the_known_ones()
    {
        var (yes, no) = ShareTest.LogRatios(0.01, 0.02);
        Assert.Equal(0.6931472, yes, 1e-7);
        Assert.Equal(-0.0101524, no, 1e-7);
    }

    [Theory]
    [InlineData(0, 0.5)]
    [InlineData(-2.326348, 0.01)]
    [InlineData(1.959964, 0.975)]
    [InlineData(-6, 9.8659e-10)]
    public void The_normal_distribution_is_known_to_a_millionth(double at, double below) =>
        Assert.Equal(below, Normal.Below(at), 1e-6);

    [Theory]
    [InlineData(50, 50, 3)]
    [InlineData(1, 99, 2)]
    [InlineData(99, 1, 7)]
    [InlineData(5, 95, 98)]
    [InlineData(100, 0, 5)]
    [InlineData(30, 70, 100)]
    public void Where_both_fail_alike_the_mean_ratio_of_a_block_is_one(int challengers, int champions, int failures)
    {
        foreach (var odds in new[] { 1.5, 3, 30 })
        {
            double mean = 0, all = 0, last = double.NegativeInfinity;
            for (var x = Math.Max(0, failures - champions); x <= Math.Min(failures, challengers); x++)
            {
                var chance = Math.Exp(
                    LogChoose(challengers, x) + LogChoose(champions, failures - x) - LogChoose(100, failures));
                var ratio = OddsTest.LogRatio(challengers, champions, failures, x, odds);
                Assert.True(ratio > last);
                (mean, all, last) = (mean + (chance * Math.Exp(ratio)), all + chance, ratio);
            }

            Assert.Equal(1, all, 1e-9);
            Assert.Equal(1, mean, 1e-9);
        }
    }

    [Fact]
    public void A_challenger_that_is_better_is_never_held_against_it()
    {
        var (mean, odds) = (new MeanTest(0), new OddsTest());
        var random = new Random(1);
        for (var i = 0; i < 20_000; i++)
        {
            var side = (RolloutSide)(i % 2);
            mean.Add(side, random.NextDouble() - (side is RolloutSide.Challenger ? 0.3 : 0));
            odds.Add(side, random.Next(side is RolloutSide.Challenger ? 100 : 20) > 0);
        }

        Assert.True(mean.PValue > 0.3, $"{mean.PValue}");
        Assert.True(odds.PValue > 0.3, $"{odds.PValue}");
        Assert.Equal(-0.3, mean.Difference, 0.02);
    }

    [Fact]
    public void A_day_that_slows_down_while_the_share_grows_is_not_the_challengers_fault()
    {
        var (stratified, naive) = (new MeanTest(0), new MeanTest(0));
        var random = new Random(1);
        foreach (var (share, level) in new[] { (0.05, 0.0), (0.5, 1.0) })
        {
            for (var i = 0; i < 4000; i++)
            {
                var side = random.NextDouble() < share ? RolloutSide.Challenger : RolloutSide.Champion;
                var value = level + random.NextDouble();
                stratified.Add(side, value);
                naive.Add(side, value);
            }

            stratified.NextStratum();
        }

        Assert.True(stratified.PValue > 0.05, $"{stratified.PValue}");
        Assert.True(naive.PValue < 0.001, $"{naive.PValue}");
    }

    [Fact]
    public void Answers_that_differ_too_often_are_seen_and_those_that_may_are_not()
    {
        var (good, bad) = (new ShareTest(0.02), new ShareTest(0.02));
        var random = new Random(3);
        for (var i = 0; i < 2000; i++)
        {
            good.Add(random.NextDouble() < 0.02);
            bad.Add(random.NextDouble() < 0.06);
        }

        Assert.True(good.PValue > 0.05, $"{good.PValue}");
        Assert.True(bad.PValue < 0.001, $"{bad.PValue}");
        var never = new ShareTest(0);
        never.Add(happened: true);
        Assert.True(never.PValue < 0.001);
    }

    [Fact]
    public void Constant_values_break_nothing()
    {
        var test = new MeanTest(0);
        for (var i = 0; i < 200; i++)
            test.Add((RolloutSide)(i % 2), 5);
        Assert.Equal(1, test.PValue);
        Assert.Equal(0, test.Difference);
    }

    private static double LogChoose(int n, int k)
    {
        double log = 0;
        for (var i = 0; i < k; i++)
            log += Math.Log(n - i) - Math.Log(i + 1);
        return log;
    }
}
