using Spillway.Flow;
using Spillway.Policies.Batching;
using Spillway.Telemetry;

namespace Spillway.Tests.Flow;

/// <summary>Requests of different lengths in one deployment, with an explicit now.</summary>
public sealed class LengthsTests
{
    private readonly int[] _batch = new int[8];
    private readonly Drop[] _drops = new Drop[300];

    [Fact]
    public void Lengths_of_one_bucket_run_together_at_its_length_and_the_cut_says_that_another_shape_waits()
    {
        var flow = Make(new([100, 200], 0.5));
        var first = Start(flow, length: 150);
        int[] wide = [Come(flow, 150), Come(flow, 120)];
        var narrow = Come(flow, 90);

        flow.Observe(first, completed: true, At(10));
        var taken = flow.Take(first, _batch, _drops, At(10));
        Assert.Equal(wide, _batch[..taken.Count]);
        Assert.Equal((CutReason.Shape, 200L, 1), (taken.Why, taken.Length, taken.Bucket));
        Assert.Equal((400L, 130L), (taken.Elements, taken.Padding));

        flow.Observe(first, completed: true, At(20));
        taken = flow.Take(first, _batch, _drops, At(20));
        Assert.Equal([narrow], _batch[..taken.Count]);
        Assert.Equal((CutReason.Idle, 100L, 10L), (taken.Why, taken.Length, taken.Padding));
    }

    [Fact]
    public void To_the_longest_a_run_is_no_longer_than_it_must_be()
    {
        var flow = Make(new([100, 200], 0.5, toLongest: true));
        var first = Start(flow, length: 180);
        Come(flow, 120);
        Come(flow, 150);
        flow.Observe(first, completed: true, At(10));
        var taken = flow.Take(first, _batch, _drops, At(10));
        Assert.Equal((2, 150L, 300L, 30L), (taken.Count, taken.Length, taken.Elements, taken.Padding));

        Come(flow, 130);
        flow.Observe(first, completed: true, At(20));
        taken = flow.Take(first, _batch, _drops, At(20));
        Assert.Equal((130L, 0L), (taken.Length, taken.Padding));
    }

    [Fact]
    public void Without_buckets_only_equal_lengths_run_together_and_nothing_is_padded()
    {
        var flow = Make(null);
        var first = Start(flow, length: 150);
        Come(flow, 150);
        Come(flow, 120);
        Come(flow, 150);
        flow.Observe(first, completed: true, At(10));
        var taken = flow.Take(first, _batch, _drops, At(10));
        Assert.Equal((2, 0L, 300L, 0L), (taken.Count, taken.Length, taken.Elements, taken.Padding));
    }

    [Fact]
    public void Other_dimensions_that_differ_keep_requests_apart_though_their_lengths_share_a_bucket()
    {
        var flow = Make(new([100, 200], 0.5));
        var first = Start(flow, length: 150);
        Come(flow, 150, form: new([3]));
        Come(flow, 150, form: new([1]));
        flow.Observe(first, completed: true, At(10));
        Assert.Equal(1, flow.Take(first, _batch, _drops, At(10)).Count);
    }

    [Fact]
    public void Inputs_that_do_not_grow_with_the_length_are_no_padding()
    {
        var flow = Make(new([100, 200], 0.5));
        var runner = Place(flow, 150, elements: 157, fixedElements: 7).Runner;
        var taken = flow.Take(runner, _batch, _drops, At(0));
        Assert.Equal((207L, 50L), (taken.Elements, taken.Padding));
    }

    [Fact]
    public void A_bucket_that_gains_less_has_smaller_batches()
    {
        var flow = new DeploymentFlow(
            new() { BatchRowsMax = 8, SafetyFactor = 1 }, new() { FixedMs = 5_000 },
            [Curve(100, 10, 11, 12, 13), Curve(200, 20, 40)], runners: 1, new([100, 200], 0.5));
        var runner = Start(flow, 150);
        for (var i = 0; i < 8; i++)
            Come(flow, i < 4 ? 150 : 90);
        int[] sizes = [.. Enumerable.Range(1, 5).Select(i =>
        {
            flow.Observe(runner, completed: true, At(i * 50));
            return flow.Take(runner, _batch, _drops, At(i * 50)).Count;
        })];
        Assert.Equal([1, 1, 1, 1, 4], sizes);
    }

    [Fact]
    public void Admission_predicts_with_the_padded_run_of_its_bucket()
    {
        var flow = new DeploymentFlow(
            new() { SafetyFactor = 1 }, new() { FixedMs = 5_000 }, [Curve(100, 10), Curve(200, 50)], runners: 1,
            new([100, 200], 0.5));
        Assert.Equal(10, flow.Place(Claim(60), At(0)).Service.TotalMilliseconds, 1e-3);
        Assert.Equal(50, flow.Place(Claim(101), At(0)).Service.TotalMilliseconds, 1e-3);
        Assert.Equal(100, flow.Place(Claim(400), At(0)).Service.TotalMilliseconds, 1e-3);
    }

    private static DeploymentFlow Make(ShapeBuckets? buckets) => new(
        new() { BatchRowsMax = 8, SafetyFactor = 1 }, new() { FixedMs = 5_000 },
        [.. (buckets?.Lengths ?? [100]).Select(length => Curve(length, 10, 11, 12, 13, 14, 15, 16, 17))],
        runners: 1, buckets);

    private static BucketCurve Curve(int elements, params double[] ms) =>
        new([.. ms.Select((time, i) => new BatchPoint(i + 1, TimeSpan.FromMilliseconds(time)))], elements);

    private static Claim Claim(long length, Shape form = default) =>
        new() { Started = At(0), Rows = 1, Elements = length, Length = length, Form = form };

    private int Start(DeploymentFlow flow, long length)
    {
        var runner = Place(flow, length, length, 0).Runner;
        flow.Take(runner, _batch, _drops, At(0));
        return runner;
    }

    private static Step Place(DeploymentFlow flow, long length, long elements, long fixedElements) => flow.Ready(
        flow.Place(Claim(length) with { Elements = elements, FixedElements = fixedElements }, At(0)).Slot, At(0));

    private static int Come(DeploymentFlow flow, long length, Shape form = default)
    {
        var slot = flow.Place(Claim(length, form), At(0)).Slot;
        Assert.Equal(Launch.Queue, flow.Ready(slot, At(0)).How);
        return slot;
    }

    private static Instant At(double ms) => new((long)(ms * TimeSpan.TicksPerMillisecond));
}
