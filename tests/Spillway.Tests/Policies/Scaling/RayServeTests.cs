using Spillway.Policies.Scaling;

namespace Spillway.Tests.Policies.Scaling;

public sealed class RayServeTests
{
    [Theory]
    [InlineData(3, 20, 2, 1, 1, 10)]
    [InlineData(3, 20, 2, 0.5, 1, 7)]
    [InlineData(10, 6, 2, 1, 0.5, 7)]
    // A tenth of the way from 4 to 3 rounds up to 4 again; the rule against getting stuck takes one away.
    [InlineData(4, 6, 2, 1, 0.1, 3)]
    [InlineData(2, 3, 2, 1, 1, 2)]
    public void Wish_follows_the_requests_of_each_replica(
        int current, double total, double target, double up, double down, int replicas) =>
        Assert.Equal(replicas, RayServePolicy.Wish(current, total, target, (up, down)));

    [Fact]
    public void Grows_after_decisions_that_agree_for_the_delay()
    {
        var policy = Policy();
        var decision = policy.Decide(Seen(1, 8), At(0));
        for (var tenth = 1; tenth <= 300; tenth++)
        {
            Assert.Equal(1, decision.Replicas);
            decision = policy.Decide(Seen(1, 8), At(tenth));
        }

        Assert.Equal(4, decision.Replicas);
    }

    [Fact]
    public void Decision_to_stay_begins_the_count_again()
    {
        var policy = new RayServePolicy(new() { UpscaleDelayMs = 1000, LookBackMs = 100 }, 1, 10);
        for (var tenth = 1; tenth <= 9; tenth++)
            policy.Decide(Seen(1, 8), At(tenth));
        policy.Decide(Seen(1, 2), At(10));
        for (var tenth = 11; tenth <= 20; tenth++)
            Assert.Equal(1, policy.Decide(Seen(1, 8), At(tenth)).Replicas);
        Assert.Equal(4, policy.Decide(Seen(1, 8), At(21)).Replicas);
    }

    [Fact]
    public void From_none_there_is_no_delay() =>
        Assert.Equal(1, new RayServePolicy(new(), 0, 10).Decide(Seen(0, 3), At(0)).Replicas);

    [Fact]
    public void None_only_from_one()
    {
        var policy = new RayServePolicy(new() { DownscaleDelayMs = 0, LookBackMs = 100 }, 0, 10);
        Assert.Equal(1, policy.Decide(Seen(5, 0), At(0)).Replicas);
        Assert.Equal(0, policy.Decide(Seen(1, 0), At(1)).Replicas);
    }

    private static RayServePolicy Policy() => new(new(), 1, 100);

    private static ScalingObservation Seen(int replicas, double ongoing) =>
        new() { Wanted = replicas, Ready = replicas, InFlight = ongoing };

    private static Instant At(int tenths) => new(tenths * TimeSpan.TicksPerSecond / 10);
}
