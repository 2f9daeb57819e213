using Spillway.Policies.Pricing;

namespace Spillway.Tests.Policies.Pricing;

public sealed class UsageCurveTests
{
    /// <summary>A day of a server at 1.20 an hour that is 12 % busy, 30 % in its busiest hour.</summary>
    private static readonly HardwareUse s_day = new(
        Busy: Amounts.Of(1.2 * 24 * 0.12), Idle: Amounts.Of(1.2 * 24 * 0.88), Other: Money.Zero, Answers: 100_000,
        PeakBusyShare: 0.30);

    [Fact]
    public void At_twelve_per_cent_an_answer_costs_eight_times_what_it_would_at_ninety_five() =>
        Assert.Equal(0.95 / 0.12, UsageCurve.TimesFull(s_day), 3);

    [Fact]
    public void What_was_paid_is_the_cost_of_an_answer_times_the_answers() =>
        Assert.Equal(
            (s_day.Busy + s_day.Idle).Nano / s_day.Answers, UsageCurve.At(s_day, s_day.BusyShare).Nano, tolerance: 1.0);

    [Fact]
    public void The_curve_falls_with_use_and_holds_the_measured_point()
    {
        var points = UsageCurve.Points(s_day);
        Assert.Contains(points, p => p.BusyShare == s_day.BusyShare);
        Assert.Equal(points.OrderBy(p => p.BusyShare), points);
        Assert.All(points.Zip(points.Skip(1)), p => Assert.True(p.First.Answer.Nano > p.Second.Answer.Nano));
    }

    [Fact]
    public void What_does_not_depend_on_hardware_does_not_grow_with_idleness()
    {
        var calls = s_day with { Busy = new(1), Idle = Money.Zero, Other = Amounts.Of(100) };
        Assert.Equal(UsageCurve.At(calls, 0.01), UsageCurve.At(calls, 0.95));
    }

    [Fact]
    public void The_right_size_follows_from_the_busiest_hour_and_not_from_the_mean()
    {
        Assert.Equal(0.30 / 0.70, UsageCurve.RightSize(s_day), 9);
        Assert.Equal(1.2 * 24 * (1 - (0.30 / 0.70)), (double)UsageCurve.Saving(s_day).Nano / 1e9, 6);
        Assert.True(UsageCurve.Saving(s_day with { PeakBusyShare = 0.99 }).Nano < 0,
            "It is too small, and that costs more.");
    }

    [Fact]
    public void Nothing_is_claimed_where_nothing_was_answered()
    {
        var idle = s_day with { Answers = 0, Busy = Money.Zero };
        Assert.Empty(UsageCurve.Points(idle));
        Assert.Equal(0, UsageCurve.TimesFull(idle));
    }
}
