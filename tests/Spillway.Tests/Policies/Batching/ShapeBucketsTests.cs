using Spillway.Policies.Batching;

namespace Spillway.Tests.Policies.Batching;

public sealed class ShapeBucketsTests
{
    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 30)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Nobody_is_padded_beyond_the_bound_and_inside_the_range_everybody_has_a_bucket(int seed)
    {
        var random = new Random(seed);
        var (min, step, waste) = (random.Next(1, 400), random.Next(1, 33), 0.02 + (random.NextDouble() * 0.6));
        var max = min + random.Next(0, 4000);
        var fits = ShapeBuckets.StepFits(min, step, waste);
        var buckets = new ShapeBuckets(ShapeBuckets.Derive(min, max, step, waste, most: 5000), waste);

        for (var length = 1; length < 2 * max; length++)
        {
            var fit = buckets.Fit(length);
            Assert.True(fit.Length >= length, $"{length} does not fit {fit}, seed {seed}");
            Assert.True(ShapeBuckets.Waste(length, fit.Length) <= waste, $"{length} to {fit.Length}, seed {seed}");
            Assert.InRange(fit.Bucket, 0, buckets.Lengths.Count - 1);
            if (fits && length >= min && length <= max && length > buckets.Lengths[0])
                Assert.Contains((int)fit.Length, buckets.Lengths);
        }

        Assert.All(buckets.Lengths, length => Assert.Equal(0, length % step));
        Assert.Equal(buckets.Lengths.Order().Distinct(), buckets.Lengths);
        Assert.True(buckets.Lengths[^1] >= max);
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void A_ladder_with_one_bucket_less_would_break_the_bound(int seed)
    {
        var random = new Random(seed);
        var (min, waste) = (random.Next(20, 200), 0.05 + (random.NextDouble() * 0.4));
        var lengths = ShapeBuckets.Derive(min, min * random.Next(2, 12), 1, waste, most: 5000);
        for (var i = 1; i + 1 < lengths.Count; i++)
        {
            var without = ShapeBuckets.Waste(lengths[i - 1] + 1, lengths[i + 1]);
            Assert.True(without > waste, $"{lengths[i]} is one too many, seed {seed}");
        }
    }

    [Fact]
    public void The_ladder_of_the_line_recogniser_has_thirteen_steps_and_seven_percent_waste_over_even_widths()
    {
        var buckets = new ShapeBuckets(ShapeBuckets.Derive(160, 960, 8, 0.15), 0.15);
        Assert.Equal([160, 184, 216, 248, 288, 336, 392, 456, 536, 624, 728, 856, 960], buckets.Lengths);
        var widths = Enumerable.Range(160, 801).ToArray();
        var run = widths.Sum(width => buckets.Fit(width).Length);
        Assert.InRange((run - widths.Sum()) / (double)run, 0.05, 0.08);
    }

    [Fact]
    public void What_is_longer_than_the_last_bucket_runs_unpadded_and_borrows_its_times() =>
        Assert.Equal(new BucketFit(1, 999), new ShapeBuckets([100, 200], 0.5).Fit(999));

    [Fact]
    public void What_is_far_below_its_bucket_runs_unpadded()
    {
        var buckets = new ShapeBuckets([100, 200], 0.5);
        Assert.Equal(new BucketFit(0, 49), buckets.Fit(49));
        Assert.Equal(new BucketFit(0, 100), buckets.Fit(50));
        Assert.Equal(new BucketFit(1, 200), buckets.Fit(101));
    }

    [Fact]
    public void Too_many_buckets_end_one_above_the_limit() => Assert.Equal(
        PaddingOptions.BucketsMax + 1, ShapeBuckets.Derive(1, PaddingOptions.LengthMax, 1, 0.01).Count);
}
