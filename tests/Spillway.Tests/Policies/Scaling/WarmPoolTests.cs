using Spillway.Policies.Scaling;

namespace Spillway.Tests.Policies.Scaling;

public sealed class WarmPoolTests
{
    [Fact]
    public void Poisson_demand_of_twenty_needs_six_replicas_of_five_for_95_percent()
    {
        Assert.Equal(0.95, Newsvendor.Quantile(missingCost: 19, idleCost: 1), 12);
        var demand = Newsvendor.Demand(20, 1, 0.95);
        Assert.Equal(28, demand);
        Assert.Equal(6, Newsvendor.Replicas(demand, there: 0, each: 5));
        Assert.Equal(2, Newsvendor.Replicas(demand, there: 20, each: 5));
    }

    [Fact]
    public void Bursts_need_more_than_a_poisson_of_the_same_mean()
    {
        Assert.InRange(Newsvendor.Demand(20, 10, 0.95), 40, 60);
        // By the normal law and by the recursion, on both sides of the border between them.
        Assert.Equal(Newsvendor.Demand(9_999, 1, 0.95), Newsvendor.Demand(10_001, 1, 0.95), tolerance: 5);
        Assert.Equal(0, Newsvendor.Demand(0, 1, 0.95));
    }

    [Fact]
    public void Pool_covers_what_may_come_while_a_replica_starts()
    {
        var policy = new WarmPoolPolicy(new(), new FixedPolicy(1));
        ScalingDecision decision = default;
        // 2 requests a second, evenly; 10 s to start; half a request a second each: 20 in the lead time, 5 by each.
        for (var second = 0; second <= 60; second++)
            decision = policy.Decide(Seen(rate: 2), At(second));
        Assert.Equal(6, decision.Replicas);
        Assert.Contains("28 requests may come in the 10 s", decision.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Pool_grows_with_bursts_of_the_same_mean()
    {
        var policy = new WarmPoolPolicy(new(), new FixedPolicy(1));
        ScalingDecision decision = default;
        for (var second = 0; second <= 60; second++)
            decision = policy.Decide(Seen(rate: second % 10 == 0 ? 20 : 0), At(second));
        Assert.InRange(decision.Replicas, 9, 20);
    }

    private static ScalingObservation Seen(double rate) => new()
    {
        Wanted = 1,
        Ready = 1,
        RatePerSecond = rate,
        ReplicaPerSecond = 0.5,
        LoadDelay = TimeSpan.FromSeconds(10),
    };

    private static Instant At(double seconds) => new((long)(seconds * TimeSpan.TicksPerSecond));
}
