using Spillway.Engine.Billing;
using Spillway.Policies.Pricing;

namespace Spillway.Tests.Engine.Billing;

public sealed class HardwareMeterTests
{
    private static readonly DateTimeOffset s_day = new(2026, 11, 22, 0, 0, 0, TimeSpan.Zero);

    public static TheoryData<int> Seeds() => [.. Enumerable.Range(1, 100)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Busy_and_idle_time_together_are_the_hours_price_to_the_nano_unit(int seed)
    {
        var random = new Random(seed);
        var price = new ModelPrice { PerHour = new(random.NextInt64(1, 100_000_000_000)), Places = random.Next(1, 5) };
        var meter = new HardwareMeter("cpu", Dated.Always(price.PerHour), new(1_000));
        var (now, free, booked) = (1_000L, new long[price.Places], Money.Zero);
        Array.Fill(free, now);
        for (var i = 0; i < 500; i++)
        {
            now += random.NextInt64(1, TimeSpan.TicksPerSecond);
            // On each place one run after another; some are longer than the time between two looks.
            var place = random.Next(price.Places);
            if (random.Next(3) > 0 && free[place] < now)
            {
                var took = TimeSpan.FromTicks(random.NextInt64(1, now - free[place] + 1));
                free[place] = now;
                var cost = price.RunTime(took);
                meter.Ran(cost.Nano);
                booked += cost;
            }

            if (random.Next(10) == 0)
                booked += meter.Look(new(now), s_day, last: false).Idle;
        }

        booked += meter.Look(new(now), s_day, last: true).Idle;
        Assert.Equal((long)((Int128)price.PerHour.Nano * (now - 1_000) / TimeSpan.TicksPerHour), booked.Nano);
    }

    [Fact]
    public void A_clock_that_goes_back_makes_no_time_and_takes_none()
    {
        var meter = new HardwareMeter("cpu", Dated.Always(Amounts.Of(3600)), new(0));
        var second = TimeSpan.TicksPerSecond;
        Assert.Equal(Amounts.Of(1), meter.Look(new(second), s_day, last: false).Idle);
        // The wall clock jumps a year back and two forward; the monotonic one goes on.
        Assert.Equal(Amounts.Of(1), meter.Look(new(2 * second), s_day.AddYears(-1), last: false).Idle);
        Assert.Equal(Amounts.Of(1), meter.Look(new(3 * second), s_day.AddYears(1), last: true).Idle);
    }

    [Fact]
    public void Idle_time_that_a_long_run_claims_at_its_end_is_given_back_at_the_last_look()
    {
        var meter = new HardwareMeter("cpu", Dated.Always(Amounts.Of(3600)), new(0));
        Assert.Equal(Amounts.Of(10), meter.Look(new(10 * TimeSpan.TicksPerSecond), s_day, last: false).Idle);
        meter.Ran(Amounts.Of(12).Nano);
        Assert.Equal(Money.Zero, meter.Look(new(12 * TimeSpan.TicksPerSecond), s_day, last: false).Idle);
        Assert.Equal(Amounts.Of(-10), meter.Look(new(12 * TimeSpan.TicksPerSecond), s_day, last: true).Idle);
    }
}
