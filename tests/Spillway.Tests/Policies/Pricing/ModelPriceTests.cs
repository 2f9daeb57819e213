using Spillway.Policies.Pricing;

namespace Spillway.Tests.Policies.Pricing;

public sealed class ModelPriceTests
{
    private static readonly ModelPrice s_price = new()
    {
        PerHour = Amounts.Of(3.6), Places = 2, PerRun = new(700), PerRow = new(30), PerRequest = new(5),
    };

    [Fact]
    public void A_run_pays_one_place_of_the_hours_price_for_its_time() =>
        // 3.6 an hour is a thousandth a second; half of it, because two runs go side by side.
        Assert.Equal(new Money(500_000), s_price.RunTime(TimeSpan.FromSeconds(1)));

    [Fact]
    public void A_bill_has_a_line_for_time_run_rows_and_request_that_add_up()
    {
        var bill = s_price.Price(new(3, 12), s_price.Share(TimeSpan.FromSeconds(1), before: 1, rows: 3, all: 4));
        Assert.Equal(new(375_000), bill.Time);
        Assert.Equal(new(525), bill.Run);
        Assert.Equal(new(90), bill.Rows);
        Assert.Equal(new(5), bill.Request);
        Assert.Equal(new(375_620), bill.Total);
    }

    [Fact]
    public void What_ran_nothing_costs_nothing() =>
        Assert.Equal(default, s_price.Price(default, s_price.Share(TimeSpan.FromSeconds(1), 0, 1, 1)));

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void No_bill_is_above_what_is_reserved_for_it(int seed)
    {
        var random = new Random(seed);
        for (var i = 0; i < 1000; i++)
        {
            var (rows, others) = (random.Next(1, 9), random.Next(0, 30));
            var time = TimeSpan.FromTicks(random.NextInt64(0, TimeSpan.TicksPerSecond));
            var bill = s_price.Price(new(rows, rows), s_price.Share(time, random.Next(0, others + 1), rows, rows
                + others));
            Assert.True(bill.Total.Nano <= s_price.AtMost(rows, time).Nano);
        }
    }

    [Theory]
    [InlineData(0.38, 380_000_000)]
    [InlineData(0.000000001, 1)]
    [InlineData(123456.789012345, 123_456_789_012_345)]
    public void Amounts_are_exact_to_the_nano_unit(double units, long nano)
    {
        Assert.True(Amounts.TryParse(units, out var amount));
        Assert.Equal(nano, amount.Nano);
    }

    [Theory]
    [InlineData(0.0000000001)]
    [InlineData(1.0000000005)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(1e30)]
    public void An_amount_that_cannot_be_counted_is_refused(double units) => Assert.False(Amounts.TryParse(units,
        out _));

    [Fact]
    public void A_price_holds_from_its_day_until_the_next_begins()
    {
        var prices = new Dated<int>([(new(2026, 1, 1), 1), (new(2026, 3, 1), 2), (new(2026, 3, 2), 3)]);
        Assert.Equal(1, prices.At(new(2026, 2, 28, 23, 59, 59, TimeSpan.Zero)));
        Assert.Equal(2, prices.At(new(2026, 3, 1, 0, 0, 0, TimeSpan.Zero)));
        // Midnight is UTC's: in New York it is still the day before.
        Assert.Equal(3, prices.At(new(2026, 3, 1, 20, 0, 0, TimeSpan.FromHours(-5))));
        Assert.Equal(3, prices.At(new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero)));
    }

    [Fact]
    public void A_clock_that_jumps_before_the_first_price_does_not_make_work_free() =>
        Assert.Equal(7, new Dated<int>([(new(2026, 1, 1), 7)]).At(DateTimeOffset.UnixEpoch));
}
