using Spillway.Policies.Pricing;

namespace Spillway.Tests.Policies.Pricing;

public sealed class SharesTests
{
    public static TheoryData<int> Seeds() => [.. Enumerable.Range(1, 200)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Shares_add_up_to_the_whole_and_none_is_more_than_one_off(int seed)
    {
        var random = new Random(seed);
        var whole = random.NextInt64(-1_000_000_000_000, long.MaxValue / 4);
        var weights = Enumerable.Range(0, random.Next(1, 64)).Select(_ => random.NextInt64(1, 1L << random.Next(1,
            30)));
        long[] parts = [.. weights];
        var all = parts.Sum();
        var (before, sum) = (0L, 0L);
        foreach (var own in parts)
        {
            var share = Shares.Of(whole, before, own, all);
            var fair = (decimal)whole * own / all;
            Assert.InRange(share, fair - 1, fair + 1);
            (before, sum) = (before + own, sum + share);
        }

        Assert.Equal(whole, sum);
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Bills_and_waste_of_a_run_add_up_to_its_price(int seed)
    {
        var random = new Random(seed);
        var price = new ModelPrice
        {
            PerHour = new(random.NextInt64(0, 50_000_000_000)), Places = random.Next(1, 9),
            PerRun = new(random.NextInt64(0, 1_000_000)), PerRow = new(random.NextInt64(0, 1000)),
            PerRequest = new(random.NextInt64(0, 1000)),
        };
        var time = TimeSpan.FromTicks(random.NextInt64(1, TimeSpan.TicksPerMinute));
        int[] rows = [.. Enumerable.Range(0, random.Next(1, 33)).Select(_ => random.Next(1, 5))];
        var (before, sum, busy) = (0L, Money.Zero, TimeSpan.Zero);
        foreach (var own in rows)
        {
            var share = price.Share(time, before, own, rows.Sum());
            // Every third request was given up: what ran for it is waste; the others pay their lines.
            sum += before % 3 == 0 ? share.Total
                : price.Price(new(own, own), share).Total - (price.PerRow * own) - price.PerRequest;
            (before, busy) = (before + own, busy + share.Busy);
        }

        Assert.Equal(price.RunTime(time) + price.PerRun, sum);
        Assert.Equal(time, busy);
    }
}
