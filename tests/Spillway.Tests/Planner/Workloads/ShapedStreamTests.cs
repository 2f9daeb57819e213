using Spillway.Planner.Plans;
using Spillway.Planner.Workloads;

namespace Spillway.Tests.Planner.Workloads;

public sealed class ShapedStreamTests
{
    [Theory]
    [InlineData(ArrivalKind.Constant, 0.0)]
    [InlineData(ArrivalKind.Poisson, 1.0)]
    [InlineData(ArrivalKind.Bursty, 20.0)]
    public void Arrivals_have_their_rate_and_their_index_of_dispersion(ArrivalKind kind, double dispersion)
    {
        var options = new WorkloadOptions { Arrivals = kind, Dispersion = kind is ArrivalKind.Bursty ? dispersion
            : null };
        var counts = Counts(options, perSecond: 100, seconds: 20_000, window: 20);
        var mean = counts.Average();
        var index = counts.Average(c => (c - mean) * (c - mean)) / mean;
        Assert.InRange(mean, 2000 * 0.98, 2000 * 1.02);
        Assert.InRange(index, (dispersion * 0.8) - 0.01, (dispersion * 1.2) + 0.01);
    }

    [Fact]
    public void A_day_has_its_peak_at_the_users_hour_and_its_mean_stays()
    {
        var options = new WorkloadOptions { Arrivals = ArrivalKind.Poisson, Daily =
            new() { PeakHour = 14, PeakFactor = 1.6 } };
        var counts = Counts(options, perSecond: 2, seconds: 86_400, window: 3600, utcOffset: -6);
        Assert.Equal(20, Array.IndexOf(counts, counts.Max()), tolerance: 2);
        Assert.InRange(counts.Average(), 7200 * 0.97, 7200 * 1.03);
        Assert.InRange(counts.Max() / counts.Average(), 1.5, 1.7);
    }

    [Fact]
    public void A_spike_comes_at_once_and_halves_as_it_was_told()
    {
        var options = new WorkloadOptions
        {
            Arrivals = ArrivalKind.Constant,
            Spike = new() { AtSecond = 100, Factor = 9, ForSeconds = 50, HalvesInSeconds = 100 },
        };
        var counts = Counts(options, perSecond: 100, seconds: 400, window: 10);
        Assert.Equal(1000, counts[9], tolerance: 1);
        Assert.Equal(9000, counts[10], tolerance: 1);
        Assert.Equal(9000, counts[14], tolerance: 1);
        Assert.InRange(counts[25], 4_700, 5_100);
    }

    [Fact]
    public void Growth_and_a_ramp_multiply()
    {
        var options = new WorkloadOptions
        {
            Arrivals = ArrivalKind.Constant, GrowthPerMonth = 0.1, MonthsAhead = 12,
            Ramp = new() { FromSecond = 0, ToSecond = 100, Factor = 2 },
        };
        var counts = Counts(options, perSecond: 10, seconds: 300, window: 100);
        Assert.InRange(counts[2], 2 * 1000 * Math.Pow(1.1, 12) * 0.999, 2 * 1000 * Math.Pow(1.1, 12) * 1.001);
    }

    [Fact]
    public void What_repeats_follows_Zipf()
    {
        var keys = new ZipfKeys(new() { Distinct = 1000, Zipf = 1 });
        var chance = new Spillway.Planner.Chance(3, "zipf");
        var counts = new int[1000];
        for (var i = 0; i < 200_000; i++)
            counts[keys.Draw(chance)]++;
        // 1 / H(1000) = 0.1336 for the first, half as much for the second.
        Assert.InRange(counts[0] / 200_000.0, 0.130, 0.137);
        Assert.InRange(counts[1] / (double)counts[0], 0.47, 0.53);
    }

    private static double[] Counts(WorkloadOptions options, double perSecond, double seconds, int window,
        double utcOffset = 0)
    {
        var stream = new ShapedStream(options, new(options, perSecond, 0, utcOffset), seconds, seed: 11, "test");
        var counts = new double[(int)(seconds / window)];
        while (stream.Next(out var arrival))
            counts[Math.Min(counts.Length - 1, (int)(arrival.At.Ticks / TimeSpan.TicksPerSecond / window))]++;
        return counts;
    }
}
