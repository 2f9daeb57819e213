using Spillway.Planner.Economics;
using Spillway.Planner.Queueing;

namespace Spillway.Tests.Planner.Economics;

public sealed class EconomicsTests
{
    [Theory]
    [InlineData(60, 21_600, 1609.97, 1570.22, 0.07454)]
    [InlineData(30, 7200, 657.27, 637.42, 0.09129)]
    [InlineData(120, 86_400, 4553.68, 4474.03, 0.05270)]
    [InlineData(300, 36_000, 4647.58, 4449.73, 0.12910)]
    public void Checkpoints_by_Young_and_Daly(double cost, double between, double young, double daly, double waste)
    {
        Assert.Equal(young, Checkpoints.Young(cost, between), 0.005);
        Assert.Equal(daly, Checkpoints.Daly(cost, between), 0.005);
        Assert.Equal(waste, Checkpoints.Waste(cost, Checkpoints.Young(cost, between), between), 1e-5);
    }

    [Fact]
    public void Daly_ends_where_a_checkpoint_takes_longer_than_the_machine_lives()
    {
        Assert.Equal(100, Checkpoints.Daly(250, 100));
        Assert.Equal(1, Checkpoints.Waste(250, 100, 100));
        Assert.Equal(60 + Math.Sqrt((2 * (21_600 + 30.0) * 60) + 3600), Checkpoints.ForAvailability(60, 21_600, 30), 9);
    }

    [Fact]
    public void Spot_is_worth_it_until_the_waste_is_the_discount()
    {
        var spot = new SpotPrice(Spot: 0.4, OnDemand: 1);
        Assert.Equal(0.6, spot.BreakEvenWaste, 9);
        Assert.True(spot.IsWorth(0.599));
        Assert.False(spot.IsWorth(0.6001));
        Assert.Equal(0.5, spot.Effective(0.2), 9);
        Assert.Equal(double.PositiveInfinity, spot.Effective(1));
        Assert.Equal(1 - (0.5 * 0.4 / 0.8), spot.BatchSaving(0.2, onlineUse: 0.4, batchUse: 0.8), 9);
    }

    [Fact]
    public void Largest_pool_may_vanish()
    {
        Assert.Equal(6, SpotPrice.Floor(needed: 10, [6, 4]));
        Assert.Equal(10, SpotPrice.Floor(needed: 10, []));
        Assert.Equal(0, SpotPrice.Floor(needed: 10, [10, 10]));
        Assert.True(SpotPrice.Drains(TimeSpan.FromSeconds(40), TimeSpan.FromSeconds(120)));
        Assert.False(SpotPrice.Drains(TimeSpan.FromSeconds(40), TimeSpan.FromSeconds(30)));
    }

    [Theory]
    [InlineData(6.88, 15_220, 0.12557)]
    [InlineData(13.76, 4205, 0.90898)]
    [InlineData(2.836, 441.8, 1.7833)]
    public void Million_tokens_at_full_use(double perHour, double tokensPerSecond, double perMillion)
    {
        var curve = new CostCurve(perHour, tokensPerSecond);
        Assert.Equal(perMillion, curve.PerMillion(1), 3e-4);
        Assert.Equal(4 * perMillion, curve.PerMillion(0.25), 12e-4);
    }

    /// <summary>Fixed cost for an hour divided by use: no price of a thousand is a constant.</summary>
    [Fact]
    public void Same_server_price_gives_ten_times_the_cost_for_a_tenth_of_the_work()
    {
        const double PerServerHour = 500_000 / 8760.0;
        Assert.Equal(57.08, PerServerHour, 0.005);
        var (cloud, edge) = (new CostCurve(10 * PerServerHour, 1000), new CostCurve(100 * PerServerHour, 1000));
        Assert.Equal(0.1585, cloud.PerThousand(1), 1e-4);
        Assert.Equal(1.5855, edge.PerThousand(1), 1e-4);
        var use = 10e9 / CostCurve.SecondsPerYear / 1000;
        Assert.Equal(0.317, use, 0.001);
        Assert.Equal(0.5, cloud.PerThousand(use), 0.001);
        Assert.Equal(5, edge.PerThousand(use), 0.01);
        // Functions at 0.10 for a thousand are cheaper than the cloud even at full use: never broken even.
        Assert.True(cloud.BreakEvenUse(0.10 / 1000) > 1);
    }

    [Fact]
    public void Functions_cost_what_the_providers_example_says()
    {
        var lambda = new ServerlessPrice(0.2e-6, 0.00001667);
        // Free 400,000 GB-s and a million requests less.
        Assert.Equal(18.74, lambda.Of(3e6, 1000, 0.5) - (400_000 * 0.00001667) - 0.2, 0.005);
        Assert.Equal(5.99, new ServerlessPrice(0.2e-6, 0.0000166667).GbSecondsFor(0.0001), 0.005);
        Assert.Equal(5000, ServerlessPrice.Concurrency(10_000, 0.5));
        Assert.Equal(lambda.Of(1, 1, 1), lambda.Of(1, 0.2, 1));
    }

    [Fact]
    public void Thousandth_for_each_request_is_dearer_than_the_servers_it_should_replace()
    {
        Assert.Equal(525_600, 0.001 * 200 * 3600 * CostCurve.HoursPerMonth, 1);
        var now = CostCurve.PerMonth(10_000, 200);
        Assert.Equal(0.019, now.BreakEvenUse(0.001), 0.0005);
        Assert.Equal(3.8, now.BreakEvenUse(0.001) * 200, 0.01);
        Assert.Equal(0.0059, CostCurve.PerMonth(14_800, 950).PerThousand(1), 5e-5);
    }

    [Theory]
    [InlineData(15, 4.5, 22.5, 37.5)]
    [InlineData(30, 9, 45, 75)]
    public void Doubled_load_on_busy_servers_until_twice_as_many_help(
        double dead, double wait, double drain, double recovery)
    {
        var spike = new DeadTime(Busy: 0.8, Growth: 2, dead, Capacity: 2);
        Assert.Equal(1.6, spike.Overload, 9);
        Assert.Equal(wait, spike.LongestWait, 9);
        Assert.Equal(drain, spike.Drain, 9);
        Assert.Equal(recovery, spike.Recovery, 9);
        Assert.Equal(double.PositiveInfinity, (spike with { Growth = 3 }).Drain);
        Assert.Equal(0, (spike with { Growth = 1.2 }).Recovery);
    }
}
