using Spillway.Policies.Pricing;

namespace Spillway.Tests.Policies.Pricing;

/// <summary>What tokens cost, and that nothing costs more than was reserved for it.</summary>
public sealed class TokenPriceTests
{
    [Fact]
    public void Each_line_has_its_own_price_and_they_add_up()
    {
        var price = new TokenPrice
        {
            Input = new(2_500_000_000), Cached = new(1_250_000_000), Output = new(10_000_000_000),
            Reasoning = new(5_000_000_000), PerRequest = new(7),
        };

        var bill = price.Price(new(1000, 100) { Cached = 400, Reasoning = 10 });

        Assert.Equal(
            new TokenBill(new(1_500_000), new(500_000), new(900_000), new(50_000), new(7)), bill);
        Assert.Equal(new Money(2_950_007), bill.Total);
    }

    [Fact]
    public void A_part_of_a_nano_unit_is_rounded_up() =>
        Assert.Equal(new Money(1), new TokenPrice { Input = new(1) }.Price(new(1, 0)).Total);

    [Fact]
    public void What_an_upstream_says_of_its_parts_is_at_most_the_whole() => Assert.Equal(
        new Money(10), new TokenPrice { Input = new(9_000_000), Cached = new(1_000_000), Output = new(0) }
            .Price(new(10, 0) { Cached = 99 }).Total);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Nothing_costs_more_than_its_upper_bound_seed(int seed)
    {
        var random = new Random(seed);
        for (var i = 0; i < 5000; i++)
        {
            var price = new TokenPrice
            {
                Input = new(random.Next(3_000_000)), Cached = new(random.Next(3_000_000)),
                Output = new(random.Next(3_000_000)), Reasoning = new(random.Next(3_000_000)),
                PerRequest = new(random.Next(3)),
            };
            var (input, output) = (random.Next(5000), random.Next(5000));
            var used = new TokenUsage(random.Next(input + 1), random.Next(output + 1))
            {
                Cached = random.Next(input + 1), Reasoning = random.Next(output + 1),
            };

            Assert.True(price.Price(used).Total.Nano <= price.AtMost(input, output).Nano);
        }
    }
}
