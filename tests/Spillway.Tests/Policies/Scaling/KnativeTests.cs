using Spillway.Policies.Scaling;

namespace Spillway.Tests.Policies.Scaling;

public sealed class KnativeTests
{
    [Fact]
    public void Burst_of_twice_the_ready_ones_panics()
    {
        var verdict = new KnativeRule(new(), ready: 1, At(0)).Decide(1, stable: 100, panic: 200, At(2));
        Assert.Equal((3, true), (verdict.Replicas, verdict.Panics));
    }

    [Fact]
    public void Without_requests_the_number_halves_down_to_none()
    {
        var rule = new KnativeRule(new(), ready: 1, At(0));
        var ready = 10;
        var seen = new List<int>();
        for (var tick = 1; tick <= 4; tick++)
            seen.Add(ready = rule.Decide(ready, stable: 0, panic: 0, At(2 * tick)).Replicas);
        Assert.Equal([5, 2, 1, 0], seen);
    }

    [Fact]
    public void Panic_never_shrinks_until_a_stable_window_has_passed()
    {
        var rule = new KnativeRule(new(), ready: 1, At(0));
        Assert.Equal(6, rule.Decide(1, 100, 400, At(0)).Replicas);
        Assert.Equal(6, rule.Decide(6, 100, 70, At(30)).Replicas);
        Assert.Equal(6, rule.Decide(6, 100, 70, At(60)).Replicas);
        Assert.Equal(3, rule.Decide(6, 100, 70, At(60.1)).Replicas);
    }

    [Fact]
    public void Who_begins_with_several_replicas_begins_in_a_panic() =>
        Assert.Equal(4, new KnativeRule(new(), ready: 4, At(0)).Decide(4, 0, 0, At(2)).Replicas);

    [Theory]
    [InlineData(3, 39)]
    [InlineData(2, -61)]
    public void Room_for_a_burst_decides_whether_a_proxy_holds_requests(int ready, double excess) =>
        Assert.Equal(excess, new KnativeRule(new(), 1, At(0)).Decide(ready, 50, 50, At(2)).ExcessBurst);

    [Fact]
    public void Not_reachable_may_fall_to_none_at_once() =>
        Assert.Equal(0, new KnativeRule(new(), 1, At(0)).Decide(10, 0, 0, At(2), reachable: false).Replicas);

    [Fact]
    public void Delay_of_shrinking_keeps_the_highest_wish()
    {
        var rule = new KnativeRule(new() { ScaleDownDelayMs = 60_000 }, 1, At(0));
        Assert.Equal(3, rule.Decide(3, 200, 200, At(0)).Replicas);
        Assert.Equal(3, rule.Decide(3, 0, 0, At(60)).Replicas);
        Assert.Equal(1, rule.Decide(3, 0, 0, At(61)).Replicas);
    }

    [Fact]
    public void Policy_sees_a_burst_in_its_panic_window_long_before_the_stable_one()
    {
        var policy = new KnativePolicy(new());
        for (var tick = 0; tick <= 30; tick++)
            policy.Decide(Seen(1, 10), At(2 * tick));
        // 800 requests for 4 s are 536 over 6 s, but 64 over the minute.
        policy.Decide(Seen(1, 800), At(62));
        var decision = policy.Decide(Seen(1, 800), At(64));
        Assert.Equal(8, decision.Replicas);
        Assert.Contains("panics", decision.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Last_replica_stays_for_the_grace_period()
    {
        var policy = new KnativePolicy(new());
        policy.Decide(Seen(1, 0), At(0));
        Assert.Equal(1, policy.Decide(Seen(1, 0), At(28)).Replicas);
        Assert.Equal(0, policy.Decide(Seen(1, 0), At(30)).Replicas);
    }

    private static ScalingObservation Seen(int replicas, double ongoing) =>
        new() { Wanted = replicas, Ready = replicas, InFlight = ongoing };

    private static Instant At(double seconds) => new((long)(seconds * TimeSpan.TicksPerSecond));
}
