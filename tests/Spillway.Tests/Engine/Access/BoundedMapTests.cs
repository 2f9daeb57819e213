using Spillway.Engine.Access;

namespace Spillway.Tests.Engine.Access;

public sealed class BoundedMapTests
{
    [Theory]
    [InlineData(16)]
    [InlineData(1000)]
    public void It_never_holds_more_than_its_limit(int max)
    {
        var map = new BoundedMap<int, int>(max);
        for (var i = 0; i < 10 * max; i++)
        {
            map.Set(i, i);
            Assert.InRange(map.Count, 1, max);
            Assert.True(map.TryGet(i, out var value) && value == i);
        }
    }

    [Fact]
    public void What_is_asked_for_stays()
    {
        var map = new BoundedMap<int, string>(100);
        map.Set(-1, "stays");
        for (var i = 0; i < 10_000; i++)
        {
            map.Set(i, "goes");
            Assert.True(map.TryGet(-1, out _), $"{i}");
        }

        Assert.False(map.TryGet(0, out _));
        map.Clear();
        Assert.False(map.TryGet(-1, out _));
    }
}
