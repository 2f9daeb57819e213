using Spillway.Policies.Measuring;

namespace Spillway.Tests.Policies.Measuring;

public sealed class LatencySketchTests
{
    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 20)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Percentile_is_at_most_an_eighth_too_high_and_never_too_low(int seed)
    {
        var random = new Random(seed);
        var sketch = new LatencySketch();
        var times = Enumerable.Range(0, random.Next(1, 2000))
            .Select(_ => (long)Math.Pow(10, random.NextDouble() * 9)).ToArray();
        foreach (var time in times)
            sketch.Add(new(time));
        Array.Sort(times);
        foreach (var share in (double[])[0, 0.5, 0.9, 0.95, 0.999, 1])
        {
            var exact = times[Math.Clamp((int)Math.Ceiling(share * times.Length) - 1, 0, times.Length - 1)];
            Assert.InRange(sketch.At(share).Ticks, exact, exact * 1.125);
        }
    }

    [Fact]
    public void Old_times_are_forgotten()
    {
        var sketch = new LatencySketch();
        for (var i = 0; i < LatencySketch.GenerationMax; i++)
            sketch.Add(TimeSpan.FromSeconds(9));
        for (var i = 0; i < 2 * LatencySketch.GenerationMax; i++)
            sketch.Add(TimeSpan.FromMilliseconds(1));
        Assert.InRange(sketch.At(1).TotalMilliseconds, 1, 1.125);
        Assert.InRange(sketch.Count, LatencySketch.GenerationMax, 2 * LatencySketch.GenerationMax);
    }

    [Fact]
    public void Extremes_have_a_place()
    {
        var sketch = new LatencySketch();
        Assert.Equal(TimeSpan.Zero, sketch.At(0.95));
        sketch.Add(TimeSpan.FromTicks(-5));
        Assert.Equal(TimeSpan.Zero, sketch.At(1));
        sketch.Add(TimeSpan.MaxValue);
        Assert.Equal(TimeSpan.MaxValue, sketch.At(1));
    }
}
