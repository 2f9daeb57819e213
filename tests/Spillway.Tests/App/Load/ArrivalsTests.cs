using Spillway.App.Load;

namespace Spillway.Tests.App.Load;

public sealed class ArrivalsTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Poisson_keeps_its_mean_rate_and_a_dispersion_of_one(int seed)
    {
        var (rate, dispersion) = Measure(new Arrivals.Poisson(200, new Random(seed)), windowSeconds: 1, windows: 4000);

        Assert.InRange(rate, 198, 202);
        Assert.InRange(dispersion, 0.9, 1.1);
    }

    [Fact]
    public void Constant_arrivals_do_not_vary()
    {
        var (rate, dispersion) = Measure(new Arrivals.Constant(200), windowSeconds: 1, windows: 100);

        Assert.InRange(rate, 199, 201);
        Assert.InRange(dispersion, 0, 0.01);
    }

    [Theory]
    [InlineData(1, 20)]
    [InlineData(2, 20)]
    [InlineData(3, 5)]
    public void Bursty_arrivals_have_the_mean_rate_and_the_dispersion_asked_for(int seed, double asked)
    {
        var arrivals = new BurstyArrivals(100, asked, new Random(seed));
        // In windows of 100 time scales the index is 1 % below its limit.
        var (rate, dispersion) = Measure(arrivals, windowSeconds: 100 / arrivals.Switching, windows: 6000);

        Assert.InRange(rate, 98, 102);
        Assert.InRange(dispersion, 0.9 * asked, 1.1 * asked);
    }

    [Fact]
    public void The_same_seed_gives_the_same_arrivals_and_another_seed_others()
    {
        static double[] Draw(int seed)
        {
            var arrivals = new BurstyArrivals(100, 20, new Random(seed));
            return [.. Enumerable.Range(0, 100).Select(_ => arrivals.NextGap())];
        }

        Assert.Equal(Draw(7), Draw(7));
        Assert.NotEqual(Draw(7), Draw(8));
    }

    [Fact]
    public void Phases_multiply_the_rate_and_a_pause_sends_nothing()
    {
        var schedule = new Schedule(new Arrivals.Constant(100), [new(1, 1), new(10, 1), new(0, 5), new(1, 1)]);
        var counts = new int[4];
        var last = 0L;
        while (schedule.TryNext(out var due, out var phase))
        {
            Assert.True(due >= last);
            last = due;
            counts[phase]++;
        }

        Assert.InRange(counts[0], 99, 100);
        Assert.InRange(counts[1], 999, 1001);
        Assert.Equal(0, counts[2]);
        Assert.InRange(counts[3], 99, 101);
        Assert.InRange(last, 7.98e9, 8e9);
    }

    [Fact]
    public void A_trace_is_replayed_at_its_speed_and_ends()
    {
        var schedule = new Schedule(new Arrivals.Trace([0, 0.5, 2], speed: 2), [new(1, 100)]);
        List<long> dues = [];
        while (schedule.TryNext(out var due, out _))
            dues.Add(due);

        Assert.Equal([0, 250_000_000, 1_000_000_000], dues);
    }

    private static (double Rate, double Dispersion) Measure(Arrivals arrivals, double windowSeconds, int windows)
    {
        var counts = new double[windows];
        for (var now = arrivals.NextGap(); now < windows * windowSeconds; now += arrivals.NextGap())
            counts[(int)(now / windowSeconds)]++;
        var mean = counts.Average();
        var variance = counts.Sum(c => (c - mean) * (c - mean)) / (windows - 1);
        return (mean / windowSeconds, variance / mean);
    }
}
