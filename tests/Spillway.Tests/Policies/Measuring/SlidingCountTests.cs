using Spillway.Policies.Measuring;

namespace Spillway.Tests.Policies.Measuring;

public sealed class SlidingCountTests
{
    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 20)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Counts_lie_on_either_side_of_the_true_one(int seed)
    {
        var random = new Random(seed);
        var span = TimeSpan.FromSeconds(10);
        var count = new SlidingCount(span);
        List<Instant> happened = [];
        var now = new Instant(random.NextInt64(0, 1_000_000_000));
        for (var i = 0; i < 3000; i++)
        {
            now += new TimeSpan(random.Next(50) == 0 ? random.NextInt64(span.Ticks * 2) : random.NextInt64(500_000));
            count.Add(now);
            happened.Add(now);
            var exact = happened.Count(at => now - at < span);
            Assert.InRange(count.Within(now), 1, exact);
            Assert.True(count.WithinAtLeast(now) >= exact, $"seed {seed}: {count.WithinAtLeast(now)} < {exact}");
        }
    }

    [Fact]
    public void Everything_is_forgotten_in_time_and_on_request()
    {
        var count = new SlidingCount(TimeSpan.FromSeconds(1));
        count.Add(new(0));
        Assert.Equal(1, count.Within(new(0)));
        Assert.Equal(0, count.WithinAtLeast(new(TimeSpan.TicksPerSecond * 2)));
        count.Add(new(TimeSpan.TicksPerSecond * 2));
        count.Clear();
        Assert.Equal(0, count.WithinAtLeast(new(TimeSpan.TicksPerSecond * 2)));
    }
}
