using Spillway.App.Load.Search;

namespace Spillway.Tests.App.Load.Search;

public sealed class MaxRateSearchTests
{
    private const double ServiceSeconds = 0.01;
    private const double BoundSeconds = 0.05;

    /// <summary>
    /// The search against a simulated M/D/1 queue, compared with the exact answer of queueing theory (Erlang,
    /// Crommelin), which shares nothing with it.
    /// </summary>
    [Theory]
    [InlineData(1, 4)]
    [InlineData(2, 50)]
    [InlineData(3, 700)]
    [InlineData(4, 61)]
    [InlineData(5, 0.5)]
    public void The_rate_found_is_just_below_what_queueing_theory_allows(int seed, double first)
    {
        var search = new MaxRateSearch(first, resolution: 0.05);
        var rule = new EarlyStopping(0.99, 0.99, looks: 1);
        var random = new Random(seed);
        var steps = 0;

        while (search.Next() is var (rate, kind))
        {
            var (inside, over) = Simulate(rate, requests: 60_000, random);
            search.Observe(rate, kind, rule.Judge(inside, over));
            Assert.True(++steps < 40);
        }

        var exact = ExactRate();
        Assert.InRange(exact, 40, 70);
        Assert.True(search.Confirmed);
        Assert.InRange(search.Rate!.Value, exact * 0.85, exact * 1.03);
        Assert.True(search.Broken > search.Rate);
    }

    [Fact]
    public void A_server_that_never_holds_ends_the_search_without_a_rate()
    {
        var search = new MaxRateSearch(100, 0.05);
        var steps = 0;
        while (search.Next() is var (rate, kind))
        {
            search.Observe(rate, kind, Verdict.Undecided);
            Assert.True(++steps < 40);
        }

        Assert.Null(search.Rate);
        Assert.False(search.Confirmed);
    }

    [Fact]
    public void A_search_does_not_descend_to_rates_at_which_nothing_can_be_shown()
    {
        var search = new MaxRateSearch(100, 0.05, lowest: 30);
        search.Observe(100, StepKind.Bracket, Verdict.Broken);
        Assert.Equal((50.0, StepKind.Bracket), search.Next()!.Value);

        search.Observe(50, StepKind.Bracket, Verdict.Undecided);

        Assert.Null(search.Next());
        Assert.Null(search.Rate);
    }

    [Fact]
    public void A_rate_that_is_not_confirmed_gives_way_to_a_lower_one()
    {
        var search = new MaxRateSearch(100, 0.05);
        var confirmations = 0;
        while (search.Next() is var (rate, kind))
        {
            // Flattered by chance up to 150 while it searches, and really good only up to 135.
            if (kind == StepKind.Confirm)
                confirmations++;
            var holds = kind == StepKind.Confirm ? rate <= 135 : rate <= 150;
            search.Observe(rate, kind, holds ? Verdict.Holds : Verdict.Broken);
        }

        Assert.True(search.Confirmed);
        Assert.InRange(search.Rate!.Value, 128, 135);
        Assert.InRange(confirmations, 2, 5);
    }

    [Fact]
    public void A_generator_that_cannot_go_higher_confirms_what_it_could_offer()
    {
        var search = new MaxRateSearch(100, 0.05);
        search.Observe(100, StepKind.Bracket, Verdict.Holds);
        search.Cap(200);
        search.Observe(200, StepKind.Bracket, Verdict.Undecided);

        Assert.Equal((100.0, StepKind.Confirm), search.Next()!.Value);
    }

    /// <summary>Lindley's recursion: requests inside and over the bound.</summary>
    private static (long Inside, long Over) Simulate(double rate, int requests, Random random)
    {
        var (wait, over) = (0.0, 0L);
        for (var i = 0; i < requests; i++)
        {
            over += wait + ServiceSeconds > BoundSeconds ? 1 : 0;
            wait = Math.Max(0, wait + ServiceSeconds + (Math.Log(1 - random.NextDouble()) / rate));
        }

        return (requests - over, over);
    }

    private static double ExactRate()
    {
        var (low, high) = (1.0, 99.9);
        while (high - low > 1e-6)
        {
            var middle = (low + high) / 2;
            if (WaitAtMost(BoundSeconds - ServiceSeconds, middle) >= 0.99)
                low = middle;
            else
                high = middle;
        }

        return low;
    }

    /// <summary>P(W ≤ t) = (1-ρ) Σ_{k=0}^{⌊t/D⌋} (λ(kD-t))^k / k! · e^{-λ(kD-t)}.</summary>
    private static double WaitAtMost(double t, double rate)
    {
        var (sum, factorial) = (0.0, 1.0);
        for (var k = 0; k <= (int)Math.Floor((t / ServiceSeconds) + 1e-9); k++)
        {
            factorial *= Math.Max(1, k);
            var x = rate * ((k * ServiceSeconds) - t);
            sum += Math.Pow(x, k) / factorial * Math.Exp(-x);
        }

        return (1 - (rate * ServiceSeconds)) * sum;
    }
}
