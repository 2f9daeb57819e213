using Spillway.App.Load;

namespace Spillway.Tests.App.Load;

public sealed class LatencyHistogramTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Quantiles_are_within_the_stated_error_of_the_exact_ones(int seed)
    {
        var random = new Random(seed);
        var histogram = new LatencyHistogram();
        var values = new long[20_000];
        for (var i = 0; i < values.Length; i++)
        {
            // Over nine decades, so that every doubling is met.
            values[i] = (long)Math.Pow(10, random.NextDouble() * 12);
            histogram.Record(values[i]);
        }

        Array.Sort(values);
        foreach (var q in (double[])[0, 0.001, 0.1, 0.5, 0.9, 0.95, 0.99, 0.999, 1])
        {
            var exact = values[Math.Clamp((int)Math.Ceiling(q * values.Length), 1, values.Length) - 1];
            var error = Math.Abs(histogram.Quantile(q) - exact) / (double)exact;
            Assert.True(error <= LatencyHistogram.RelativeErrorMax, $"q {q}: {histogram.Quantile(q)} for {exact}");
        }

        Assert.Equal(values[^1], histogram.Max);
        Assert.Equal(values.Average(), histogram.Mean, 3);
        Assert.Equal(values.Length, histogram.CountBetween(0, long.MaxValue));
    }

    [Fact]
    public void Adding_is_the_same_as_recording_everything_in_one()
    {
        var (one, two, both) = (new LatencyHistogram(), new LatencyHistogram(), new LatencyHistogram());
        for (var i = 1; i < 10_000; i++)
        {
            (i % 3 == 0 ? one : two).Record(i * 997L);
            both.Record(i * 997L);
        }

        one.Add(two);

        Assert.Equal(both.Count, one.Count);
        Assert.Equal(both.Quantile(0.37), one.Quantile(0.37));
        Assert.Equal((both.Min, both.Max), (one.Min, one.Max));
    }

    [Fact]
    public void Values_beyond_the_range_are_kept_at_its_ends()
    {
        var histogram = new LatencyHistogram();
        histogram.Record(-5);
        histogram.Record(long.MaxValue);

        Assert.Equal(0, histogram.Min);
        Assert.Equal(long.MaxValue, histogram.Max);
        Assert.Equal(2, histogram.Count);
    }

    [Fact]
    public void Empty_has_no_latencies() => Assert.Null(LatencyReport.Of(new LatencyHistogram()));
}
