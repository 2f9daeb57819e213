using Spillway.App.Load.Search;

namespace Spillway.Tests.App.Load.Search;

public sealed class EarlyStoppingTests
{
    /// <summary>
    /// MLPerf's own minima: 64 queries for its 90th percentile (single stream) and 662 for its 99th (multi-stream),
    /// each with one over; 459 is the well-known n of 0.99^n ≤ 0.01.
    /// </summary>
    [Theory]
    [InlineData(0.9, 0, 44)]
    [InlineData(0.9, 1, 64)]
    [InlineData(0.99, 0, 459)]
    [InlineData(0.99, 1, 662)]
    [InlineData(0.95, 0, 90)]
    public void A_percentile_needs_as_many_queries_as_mlperf_says(double share, long over, long needed)
    {
        var rule = new EarlyStopping(share, 0.99, looks: 1);

        Assert.Equal(needed, rule.RequestsNeeded(over));
        Assert.Equal(Verdict.Holds, rule.Judge(needed - over, over));
        Assert.Equal(Verdict.Undecided, rule.Judge(needed - over - 1, over));
    }

    [Fact]
    public void A_flood_is_broken_long_before_its_end_and_nothing_shows_nothing()
    {
        var rule = new EarlyStopping(0.99, 0.99, EarlyStopping.LooksMax);

        Assert.Equal(Verdict.Broken, rule.Judge(40, 10));
        Assert.Equal(Verdict.Undecided, rule.Judge(98, 2));
        Assert.Equal(Verdict.Undecided, rule.Judge(0L, 0L));
    }

    /// <summary>Asked four times of a stream that breaks its bound by a hair: wrong in at most 1 of 100 runs.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Looking_four_times_does_not_raise_the_error_above_what_was_asked(int seed)
    {
        var random = new Random(seed);
        var rule = new EarlyStopping(0.99, 0.99, EarlyStopping.LooksMax);
        var wrong = 0;
        for (var run = 0; run < 2000; run++)
        {
            var over = 0;
            for (var n = 1; n <= 4000; n++)
            {
                over += random.NextDouble() < 0.0101 ? 1 : 0;
                if (n % 1000 == 0 && rule.Judge(n - over, over) == Verdict.Holds)
                {
                    wrong++;
                    break;
                }
            }
        }

        // 1 % of 2,000 and four standard deviations; a rule without the correction is wrong about twice as often.
        Assert.True(wrong <= 38, $"{wrong} of 2000");
    }

    [Fact]
    public void The_upper_rank_is_the_order_statistic_of_the_binomial()
    {
        Assert.Null(EarlyStopping.UpperRank(458, 0.99, 0.99));
        Assert.Equal(459, EarlyStopping.UpperRank(459, 0.99, 0.99));
        Assert.Equal(661, EarlyStopping.UpperRank(662, 0.99, 0.99));
        Assert.Null(EarlyStopping.UpperRank(0, 0.5, 0.9));
    }

    [Fact]
    public void A_look_counts_only_requests_whose_bound_has_passed_and_the_lost_ones_among_them()
    {
        const long Ms = 1_000_000;
        var cohorts = new Cohorts([50 * Ms], seconds: 2);
        cohorts.Begin(1000 * Ms);
        for (var due = 1000; due < 1200; due++)
            cohorts.Offer(due * Ms);
        for (var due = 1000; due < 1150; due++)
            cohorts.Answer(due * Ms, due % 10 == 0 ? 51 * Ms : 20 * Ms);

        // At 160 ms those of the first 110 are decided: 11 of them late.
        Assert.Equal((99L, 11L), cohorts.Decided(0, 160 * Ms));
        // At the end the 50 that were never answered are over as well.
        Assert.Equal((135L, 65L), cohorts.Decided(0, long.MaxValue));
        Assert.Equal((0L, 0L), cohorts.Decided(0, 30 * Ms));
    }
}
