using Spillway.Policies.Scaling;

namespace Spillway.Tests.Policies.Scaling;

public sealed class KeepAliveTests
{
    [Fact]
    public void Pattern_gives_a_window_with_margins()
    {
        var histogram = new IdleHistogram(new());
        for (var times = 0; times < 100; times++)
            histogram.Observe(TimeSpan.FromMinutes(30.5));
        var windows = histogram.Windows();
        // Head and tail are in bin 30: from 30 minutes less a tenth, for 31 minutes and a tenth.
        Assert.Equal(27, windows.PreWarm.TotalMinutes, 6);
        Assert.Equal(34.1, windows.KeepAlive.TotalMinutes, 6);
    }

    [Fact]
    public void No_pattern_keeps_for_the_whole_range()
    {
        var histogram = new IdleHistogram(new());
        Assert.Equal(240, histogram.Windows().KeepAlive.TotalMinutes);
        for (var minute = 0; minute < 240; minute++)
            histogram.Observe(TimeSpan.FromMinutes(minute + 0.5));
        Assert.Equal(0, histogram.Variation());
        Assert.Equal((0, 240), (histogram.Windows().PreWarm.TotalMinutes, histogram.Windows().KeepAlive.TotalMinutes));
    }

    [Fact]
    public void Idle_times_beyond_the_bins_are_forecast()
    {
        var histogram = new IdleHistogram(new());
        for (var times = 0; times < 20; times++)
            histogram.Observe(TimeSpan.FromHours(10));
        var windows = histogram.Windows();
        Assert.Equal(8.5, windows.PreWarm.TotalHours, 6);
        Assert.Equal(3, windows.KeepAlive.TotalHours, 6);
    }

    /// <summary>A check of the arithmetic of a fixed time by Poisson arrivals: exp(-rate * time) are cold.</summary>
    [Fact]
    public void Fixed_time_under_poisson_arrivals_is_cold_as_often_as_the_law_says()
    {
        var random = new Random(11);
        var (cold, all, kept) = (0, 200_000, 0.0);
        for (var times = 0; times < all; times++)
        {
            var idle = -Math.Log(1 - random.NextDouble());
            cold += idle > 1 / 3.0 ? 1 : 0;
            kept += Math.Min(idle, 1 / 3.0);
        }

        Assert.Equal(0.7165, (double)cold / all, 2);
        Assert.Equal(1 - 0.7165, kept / all, 2);
    }

    [Fact]
    public void Policy_lets_go_and_is_warm_again_before_the_next_request()
    {
        var policy = new KeepAlivePolicy(new(), new FixedPolicy(1));
        // A request each 30 minutes, for a day; the replica needs 2 minutes.
        var wishes = new List<(int Second, int Wish)>();
        for (var second = 0; second < 86_400; second += 10)
        {
            var asks = second % 1800 < 10;
            var seen = new ScalingObservation
            {
                Wanted = 1,
                Ready = 1,
                RatePerSecond = asks ? 0.1 : 0,
                InFlight = asks ? 1 : 0,
                LoadDelay = TimeSpan.FromMinutes(2),
            };
            wishes.Add((second, policy.Decide(seen, new(second * TimeSpan.TicksPerSecond)).Replicas));
        }

        // At first it stays; in the last hours it is gone for most of the half hour, but never when somebody asks.
        Assert.All(wishes.Take(180), wish => Assert.Equal(1, wish.Wish));
        var late = wishes.Where(wish => wish.Second > 43_200).ToList();
        Assert.InRange(late.Average(wish => wish.Wish), 0.05, 0.35);
        Assert.All(late.Where(wish => wish.Second % 1800 is < 10 or > 1700), wish => Assert.Equal(1, wish.Wish));
    }
}
