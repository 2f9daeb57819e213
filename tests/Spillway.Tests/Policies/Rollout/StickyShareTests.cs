using System.Globalization;
using Spillway.Policies.Rollout;

namespace Spillway.Tests.Policies.Rollout;

public sealed class StickyShareTests
{
    [Fact]
    public void A_growing_share_adds_callers_and_moves_none()
    {
        double[] shares = [0.01, 1, 5, 25, 50, 99.99, 100];
        for (var caller = 0; caller < 20_000; caller++)
        {
            var bucket = StickyShare.BucketOf("salt", Key(caller));
            var sides = shares.Select(share => StickyShare.IsBelow(bucket, share)).ToArray();
            Assert.Equal(sides.Order(), sides);
            Assert.True(sides[^1]);
            Assert.False(StickyShare.IsBelow(bucket, 0));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(50)]
    public void Similar_keys_are_spread_evenly(double share)
    {
        const int callers = 100_000;
        var below = Enumerable.Range(0, callers)
            .Count(i => StickyShare.IsBelow(StickyShare.BucketOf("salt", Key(i)), share));
        var numbers = Enumerable.Range(0, callers)
            .Count(i => StickyShare.IsBelow(StickyShare.BucketOf((ulong)i), share));
        var spread = 4 * Math.Sqrt(callers * share / 100);
        Assert.InRange(below, (callers * share / 100) - spread, (callers * share / 100) + spread);
        Assert.InRange(numbers, (callers * share / 100) - spread, (callers * share / 100) + spread);
    }

    [Fact]
    public void Every_rollout_begins_with_other_callers()
    {
        var both = Enumerable.Range(0, 10_000).Count(i => StickyShare.BucketOf("one", Key(i)) < 1000
            && StickyShare.BucketOf("other", Key(i)) < 1000);
        Assert.InRange(both, 60, 140);
        Assert.NotEqual(StickyShare.BucketOf("ab", "c"), StickyShare.BucketOf("a", "bc"));
    }

    private static string Key(int caller) => "caller-" + caller.ToString(CultureInfo.InvariantCulture);
}
