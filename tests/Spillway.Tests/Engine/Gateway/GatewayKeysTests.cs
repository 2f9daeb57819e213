using Spillway.Engine.Gateway;

namespace Spillway.Tests.Engine.Gateway;

/// <summary>Keys of an upstream that are refused, and replaced while requests are on their way.</summary>
public sealed class GatewayKeysTests
{
    private static readonly Instant s_now = new(1_000_000);

    [Fact]
    public void A_refused_key_rests_and_the_next_one_takes_its_place()
    {
        var keys = new GatewayKeys(["a", "b"]);
        Assert.Equal((0, "a"), keys.Take(s_now));
        Assert.True(keys.Refused(0, "a", s_now));
        Assert.Equal((1, "b"), keys.Take(s_now));
        Assert.False(keys.Refused(1, "b", s_now));
        Assert.Equal((0, "a"), keys.Take(s_now + TimeSpan.FromMinutes(1)));
    }

    [Fact]
    public void Who_is_refused_with_a_key_of_before_asks_again_with_a_new_one_which_does_not_rest()
    {
        var keys = new GatewayKeys(["old"]);
        var (index, text) = keys.Take(s_now);
        Assert.True(keys.Replace(["new"]));

        Assert.True(keys.Refused(index, text, s_now));

        Assert.Equal((0, "new"), keys.Take(s_now));
        Assert.False(keys.Refused(0, "new", s_now));
    }

    [Fact]
    public void The_same_keys_again_change_nothing_and_the_refused_one_rests_on()
    {
        var keys = new GatewayKeys(["a", "b"]);
        keys.Refused(0, "a", s_now);
        Assert.False(keys.Replace(["a", "b"]));
        Assert.Equal((1, "b"), keys.Take(s_now));
    }

    [Fact]
    public void Keys_may_come_and_go()
    {
        var keys = new GatewayKeys([]);
        Assert.Equal((-1, ""), keys.Take(s_now));
        Assert.False(keys.Refused(-1, "", s_now));
        Assert.True(keys.Replace(["a"]));
        Assert.Equal((0, "a"), keys.Take(s_now));
        Assert.True(keys.Replace([]));
        Assert.False(keys.Refused(0, "a", s_now));
        Assert.Equal((-1, ""), keys.Take(s_now));
    }
}
