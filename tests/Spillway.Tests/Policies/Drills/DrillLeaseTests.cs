using Spillway.Policies.Drills;

namespace Spillway.Tests.Policies.Drills;

/// <summary>Nothing that a drill broke outlives whoever broke it.</summary>
public sealed class DrillLeaseTests
{
    private static readonly DrillOrder s_order = new(DrillKind.Steps, "r") { Steps = 1, StepNames = ["a"] };
    private static readonly TimeSpan s_ttl = TimeSpan.FromSeconds(3);

    [Fact]
    public void What_is_not_renewed_ends_by_itself()
    {
        var lease = Begun();
        Assert.Null(lease.Expire(At(2.999)));
        Assert.Equal("one", lease.Expire(At(3))!.Id);
        Assert.Null(lease.Running);
        Assert.Contains("not renewed in time", lease.Renew("one", At(3)).Fault!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Renewing_holds_on_but_not_for_ever()
    {
        var lease = Begun();
        var now = 0.0;
        for (; lease.Renew("one", At(now)).Fault is null; now += 1)
            Assert.Null(lease.Expire(At(now)));
        Assert.Equal(DrillLease.TotalMax.TotalSeconds, now);
        Assert.NotNull(lease.Expire(At(now)));
    }

    [Fact]
    public void One_at_a_time_and_the_message_says_which_and_what_to_do()
    {
        var lease = Begun();
        var fault = lease.Begin("two", s_order, "bob", s_ttl, At(1)).Fault!;
        Assert.Equal(FaultKind.InvalidInput, fault.Kind);
        Assert.Equal(
            "The drill one runs already (the step a of r fails). One at a time: wait, or end it with "
            + "`spillway drill stop`.", fault.Message);
        Assert.Null(lease.End("two"));
        Assert.Equal("one", lease.End(null)!.Id);
        Assert.Null(lease.Begin("two", s_order, "bob", s_ttl, At(1)).Fault);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(499)]
    [InlineData(10_001)]
    public void Leases_that_are_too_short_or_too_long_are_refused_with_the_range(double ms)
    {
        var fault = new DrillLease().Begin("one", s_order, "ann", TimeSpan.FromMilliseconds(ms), At(0)).Fault!;
        Assert.Contains("500 to 10000 ms", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_drill_has_a_word_of_its_own()
    {
        Assert.Equal(DrillWords.All.Count(), DrillWords.All.Distinct().Count());
        Assert.All(Enum.GetValues<DrillKind>(), k => Assert.Equal(k, DrillWords.Parse(DrillWords.Of(k))));
        Assert.Null(DrillWords.Parse("earthquake"));
    }

    private static DrillLease Begun()
    {
        var lease = new DrillLease();
        Assert.Null(lease.Begin("one", s_order, "ann", s_ttl, At(0)).Fault);
        return lease;
    }

    private static Instant At(double seconds) => new((long)(seconds * TimeSpan.TicksPerSecond));
}
