using Spillway.Policies.Batching;

namespace Spillway.Tests.Policies.Batching;

/// <summary>Times that are learned for each bucket of lengths.</summary>
public sealed class BucketTimesTests
{
    private static readonly BucketCurve[] s_curves =
    [
        new([new(1, Ms(10)), new(4, Ms(16))], 100), new([new(1, Ms(30)), new(4, Ms(120))], 200),
        new([new(1, Ms(90))], 400),
    ];

    [Fact]
    public void Each_bucket_has_its_own_curve()
    {
        var times = new ServiceTimes(4, s_curves);
        Assert.Equal(10, times.Predict(1, 100, 0).TotalMilliseconds, 1e-3);
        Assert.Equal(16, times.Predict(4, 400, 0).TotalMilliseconds, 1e-3);
        Assert.Equal(120, times.Predict(4, 800, 1).TotalMilliseconds, 1e-3);
        Assert.Equal(45, times.Predict(1, 200, 2).TotalMilliseconds, 1e-3);
    }

    [Fact]
    public void What_one_bucket_learns_holds_for_others_until_they_learn_for_themselves()
    {
        var times = new ServiceTimes(4, s_curves);
        for (var i = 0; i < 40; i++)
            times.Observe(1, 100, Ms(20), 0);
        Assert.Equal(60, times.Predict(1, 200, 1).TotalMilliseconds, 1);
        for (var i = 0; i < 40; i++)
            times.Observe(1, 200, Ms(30), 1);
        Assert.Equal(30, times.Predict(1, 200, 1).TotalMilliseconds, 1);
        Assert.Equal(20, times.Predict(1, 100, 0).TotalMilliseconds, 1);
        // A size that this bucket never ran follows its bucket, not the others.
        Assert.Equal(32, times.Predict(4, 400, 0).TotalMilliseconds, 1);
    }

    [Fact]
    public void A_bucket_that_was_not_measured_borrows_the_nearest()
    {
        var (low, high) = (s_curves[0], s_curves[2]);
        var curves = BucketCurve.Complete([null, low, null, null, null, high]);
        Assert.Equal([low, low, low, low, high, high], curves);
    }

    private static TimeSpan Ms(double ms) => TimeSpan.FromMilliseconds(ms);
}
