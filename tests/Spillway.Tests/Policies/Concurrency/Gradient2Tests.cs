using Spillway.Policies.Concurrency;

namespace Spillway.Tests.Policies.Concurrency;

public sealed class Gradient2Tests
{
    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 20)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Limit_stays_near_what_the_target_does_at_once_however_long_every_place_is_taken(int seed)
    {
        var random = new Random(seed);
        var capacity = random.Next(5, 60);
        var limit = new Gradient2(new());
        var (sum, most) = (0L, 0);
        for (var i = 0; i < 50_000; i++)
        {
            limit.Observe(TimeOf(limit.Limit, capacity, random), limit.Limit);
            if (i >= 5000)
                (sum, most) = (sum + limit.Limit, Math.Max(most, limit.Limit));
        }

        Assert.InRange(sum / 45_000.0 / capacity, 1, 3);
        Assert.True(most < (2.5 * capacity) + 24, $"seed {seed}: {most} at once where {capacity} are served");
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Limit_follows_a_target_that_loses_most_of_its_machines(int seed)
    {
        var random = new Random(seed);
        var limit = new Gradient2(new());
        for (var i = 0; i < 5000; i++)
            limit.Observe(TimeOf(limit.Limit, 60, random), limit.Limit);
        var before = limit.Limit;
        for (var i = 0; i < 100; i++)
            limit.Observe(TimeOf(limit.Limit, 10, random), limit.Limit);
        Assert.True(limit.Limit < before / 2, $"seed {seed}: {before} before, {limit.Limit} after 100 slow answers");
    }

    [Fact]
    public void Idle_target_earns_no_limit()
    {
        var limit = new Gradient2(new());
        for (var i = 0; i < 1000; i++)
            limit.Observe(TimeSpan.FromMilliseconds(5), inFlight: 9);
        Assert.Equal(20, limit.Limit);
        limit.Observe(TimeSpan.FromMilliseconds(5), inFlight: 11);
        limit.Observe(TimeSpan.FromMilliseconds(5), inFlight: 11);
        Assert.Equal(21, limit.Limit);
        Assert.Contains("first delta 5 ms", limit.Explain(), StringComparison.Ordinal);
    }

    [Fact]
    public void Refusals_and_time_outs_bring_it_down_to_one_and_it_comes_back()
    {
        var limit = new Gradient2(new());
        for (var i = 0; i < 100; i++)
            limit.Dropped();
        Assert.Equal(1, limit.Limit);
        for (var i = 0; i < 100; i++)
            limit.Observe(TimeSpan.FromMilliseconds(5), limit.Limit);
        Assert.True(limit.Limit > 20);
    }

    [Fact]
    public void Times_of_zero_and_absurd_bounds_do_no_harm()
    {
        var limit = new Gradient2(new() { Min = 50, Max = 10 });
        for (var i = 0; i < 100; i++)
            limit.Observe(i % 3 == 0 ? TimeSpan.Zero : TimeSpan.MaxValue, 1000);
        Assert.Equal(50, limit.Limit);
    }

    [Fact]
    public void Switched_off_it_stays_at_the_most()
    {
        var limit = new Gradient2(new() { Enabled = false, Max = 7 });
        limit.Dropped();
        limit.Observe(TimeSpan.FromSeconds(9), 7);
        Assert.Equal((7, "limit 7, fixed"), (limit.Limit, limit.Explain()));
    }

    private static TimeSpan TimeOf(int inFlight, int capacity, Random random) => TimeSpan.FromMilliseconds(
        20 * Math.Max(1, inFlight / (double)capacity) * (0.9 + (0.2 * random.NextDouble())));
}
