using Spillway.Policies.Scaling;

namespace Spillway.Tests.Policies.Scaling;

public sealed class HpaTests
{
    [Theory]
    [InlineData(50, 90, 75, 60)]
    // A ratio of 1.067 is within the tolerance.
    [InlineData(10, 80, 75, 10)]
    // A ratio of exactly 1.1 is not: |1 - 1.1| is 0.10000000000000009.
    [InlineData(10, 110, 100, 11)]
    [InlineData(10, 91, 100, 10)]
    [InlineData(10, 50, 100, 5)]
    public void Replicas_follow_the_ratio_outside_the_tolerance(int ready, double mean, double target, int replicas) =>
        Assert.Equal(replicas, HpaRule.Replicas(new(ready, ready), mean, target, 0.1));

    [Fact]
    public void Unready_pods_count_as_idle_and_may_turn_the_direction_which_keeps_what_there_is() =>
        Assert.Equal(6, HpaRule.Replicas(new(Current: 6, Ready: 4, Unready: 2), 130, 100, 0.1));

    [Theory]
    // Up: the silent ones are idle, (4 * 200 + 0) / 6 = 133.
    [InlineData(4, 2, 200, 8)]
    // Down: the silent ones are at their target, (4 * 20 + 2 * 100) / 6 = 47.
    [InlineData(4, 2, 20, 3)]
    public void Silent_pods_are_assumed_to_hold_the_change_back(int ready, int silent, double mean, int replicas) =>
        Assert.Equal(replicas,
            HpaRule.Replicas(new(ready + silent, ready, Missing: silent), mean, 100, 0.1));

    [Fact]
    public void From_none_there_is_no_tolerance() =>
        Assert.Equal(3, HpaRule.Replicas(new(0, 0), 205, 100, 0.1));

    [Theory]
    [InlineData(10, 104, 10, 10)]
    [InlineData(10, 150, 10, 15)]
    [InlineData(0, 5, 10, 1)]
    public void Value_for_all_pods_is_shared(int current, double total, double each, int replicas) =>
        Assert.Equal(replicas, HpaRule.ForTotal(current, total, each, 0.1));

    [Fact]
    public void Of_several_metrics_the_most_counts_and_a_failed_one_forbids_fewer()
    {
        Assert.Equal(7, HpaRule.Of([3, 7, 5], 4));
        Assert.Equal(4, HpaRule.Of([3, null], 4));
        Assert.Equal(6, HpaRule.Of([6, null], 4));
        Assert.Equal(4, HpaRule.Of([null], 4));
    }

    [Theory]
    [InlineData(1, 5)]
    [InlineData(10, 20)]
    public void Growth_is_the_larger_of_four_pods_and_doubling(int current, int ceiling) =>
        Assert.Equal(ceiling, Behaviour().Ceiling(current, At(0)));

    [Fact]
    public void Growth_counts_from_the_periods_begin()
    {
        var behaviour = Behaviour();
        Assert.Equal(5, behaviour.Limit(1, 100, At(0)));
        Assert.Equal(5, behaviour.Limit(5, 100, At(10)));
        Assert.Equal(10, behaviour.Limit(5, 100, At(15)));
    }

    [Fact]
    public void Shrinking_truncates_a_percentage()
    {
        var behaviour = new HpaBehaviour(new(), new() { Policies = [new() { Value = 10 }] });
        Assert.Equal(8, behaviour.Floor(9, At(0)));
        Assert.Equal(9, new HpaBehaviour(new(), new() { SelectPolicy = "disabled" }).Floor(9, At(0)));
    }

    [Fact]
    public void Highest_wish_of_five_minutes_holds_a_shrinking_back()
    {
        var behaviour = Behaviour();
        behaviour.Stabilise(10, 10, At(0));
        behaviour.Stabilise(10, 6, At(100));
        behaviour.Stabilise(10, 8, At(200));
        Assert.Equal(10, behaviour.Stabilise(10, 4, At(299)));
        Assert.Equal(8, behaviour.Stabilise(10, 4, At(450)));
    }

    [Fact]
    public void Policy_grows_at_once_shrinks_late_and_says_why()
    {
        var policy = new HpaPolicy(new());
        var up = policy.Decide(Seen(4, 1.0), At(0));
        Assert.Equal(5, up.Replicas);
        Assert.Contains("utilisation 1 of 0.8 over 4 ready asks for 5", up.Reason, StringComparison.Ordinal);

        var held = policy.Decide(Seen(5, 0.2), At(15));
        Assert.Equal(5, held.Replicas);
        Assert.Contains("stabilisation window", held.Reason, StringComparison.Ordinal);
        Assert.Equal(2, policy.Decide(Seen(5, 0.2), At(331)).Replicas);
    }

    [Fact]
    public void Policy_holds_what_there_is_where_nothing_was_measured() =>
        Assert.Equal(4, new HpaPolicy(new()).Decide(Seen(4, double.NaN), At(0)).Replicas);

    private static HpaBehaviour Behaviour() => new(new HpaOptions().ScaleUp, new HpaOptions().ScaleDown);

    private static ScalingObservation Seen(int replicas, double busy) =>
        new() { Wanted = replicas, Ready = replicas, Utilisation = busy };

    private static Instant At(double seconds) => new((long)(seconds * TimeSpan.TicksPerSecond));
}
