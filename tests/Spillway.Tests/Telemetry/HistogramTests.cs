using Spillway.Telemetry;

namespace Spillway.Tests.Telemetry;

public class HistogramTests
{
    [Theory]
    [InlineData(-5, "1")]
    [InlineData(0, "1")]
    [InlineData(1, "1")]
    [InlineData(2, "2")]
    [InlineData(3, "4")]
    [InlineData(1024, "1024")]
    [InlineData(1025, "+Inf")]
    [InlineData(long.MaxValue, "+Inf")]
    public void An_observation_counts_in_the_first_bucket_whose_bound_holds_it(long rows, string bound)
    {
        var registry = new InstrumentRegistry();
        var histogram = Histogram.OfRows();
        registry.Add(this, [new(Instruments.BatchRows, histogram, "d", "1")]);
        histogram.Record(rows);
        var page = Exposition.Parse(registry.Write());
        var first = page.Samples.First(sample => sample.Key.Contains("_bucket", StringComparison.Ordinal) && sample.Value == 1);
        Assert.Contains($"le=\"{bound}\"", first.Key, StringComparison.Ordinal);
        Assert.Equal(Math.Max(0, rows), histogram.Sum);
    }

    [Fact]
    public void Time_bounds_are_inclusive_to_the_tick()
    {
        var histogram = Histogram.OfTimes();
        histogram.Record(TimeSpan.FromMilliseconds(1));
        histogram.Record(TimeSpan.FromMilliseconds(1) + new TimeSpan(1));
        var registry = new InstrumentRegistry();
        registry.Add(this, [new(Instruments.RequestDuration, histogram, "m", "1", "ok")]);
        var page = Exposition.Parse(registry.Write()).Samples;
        const string Head = """spillway_request_duration_seconds_bucket{model="m",version="1",result="ok",le=""";
        Assert.Equal(1, page[Head + "\"0.001\"}"]);
        Assert.Equal(2, page[Head + "\"0.0025\"}"]);
    }

    [Fact]
    public void Bounds_that_do_not_rise_are_refused() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new Histogram([1, 1], scale: 1));

    [Fact]
    public async Task No_recording_of_many_threads_is_lost()
    {
        var histogram = Histogram.OfRows();
        var counter = new Counter();
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
        {
            for (var i = 0; i < 50_000; i++)
            {
                histogram.Record(i % 40);
                counter.Add(2);
            }
        })));
        Assert.Equal(200_000, histogram.Count);
        Assert.Equal(4 * 50_000 / 40 * (39 * 40 / 2), histogram.Sum);
        Assert.Equal(400_000, counter.Value);
    }

    [Fact]
    public void A_counter_does_not_fall()
    {
        var counter = new Counter();
        counter.Add(5);
        counter.Add(-3);
        Assert.Equal(5, counter.Value);
    }
}
