using Spillway.Policies.Rollout;

namespace Spillway.Tests.Policies.Rollout;

public sealed class RolloutPolicyTests
{
    private static readonly RolloutOptions s_options = new()
    {
        StepsPercent = [10, 50], StepRequestsMin = 3, StepSecondsMin = 10,
    };

    private readonly RolloutPolicy _policy = New(s_options);

    [Fact]
    public void A_step_ends_with_enough_requests_of_the_challenger_and_enough_time()
    {
        Assert.Equal(10, _policy.Percent);
        Assert.Null(Challenger(at: 1));
        Assert.Null(Challenger(at: 2));
        Assert.Null(_policy.Observe(Good(RolloutSide.Champion), At(11)));
        Assert.Null(Challenger(at: 9));
        var next = Challenger(at: 10);
        Assert.Equal(RolloutEvent.Advanced, next!.What);
        Assert.Contains("4 requests at 10 %", next.Why, StringComparison.Ordinal);
        Assert.Equal((50, 0), (_policy.Percent, _policy.StepRequests));
        Assert.Null(Challenger(at: 30));
        Assert.Null(Challenger(at: 31));
        Assert.Equal(RolloutEvent.Ready, Challenger(at: 32)!.What);
        Assert.Equal(50, _policy.Percent);
        Assert.Null(Challenger(at: 99));
    }

    [Fact]
    public void It_promotes_itself_where_that_is_declared()
    {
        var policy = New(s_options with { StepsPercent = [100], PromotesItself = true, StepSecondsMin = 0 });
        policy.Observe(Good(RolloutSide.Challenger), default);
        policy.Observe(Good(RolloutSide.Challenger), default);
        var change = policy.Observe(Good(RolloutSide.Challenger), default);
        Assert.Equal((RolloutEvent.Promoted, "spillway"), (change!.What, change.Who));
        Assert.Equal("2", policy.State.Champion);
        Assert.Equal(0, policy.Percent);
    }

    [Fact]
    public void Promoted_versions_change_places_and_a_rollback_changes_them_back()
    {
        var change = _policy.Promote("ann", "it is good").Value;
        Assert.Equal(("2", "1", RolloutPhase.Promoted), Where(_policy.State));
        Assert.Equal(("ann", "it is good"), (change.Who, change.Why));
        Assert.Equal(RolloutSide.Champion, _policy.Decide("anybody", 0).Side);
        Assert.Null(_policy.Promote("ann", "").Fault is null ? "promoted twice" : null);
        Assert.Equal(RolloutEvent.RolledBack, _policy.Rollback("bob", "it is not").Value.What);
        Assert.Equal(("1", "2", RolloutPhase.RolledBack), Where(_policy.State));
        Assert.Contains("Nothing was promoted", _policy.Rollback("bob", "").Fault!.Message, StringComparison.Ordinal);
        Assert.Contains("Start another one", _policy.Abort("bob", "").Fault!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_rollback_of_a_rollout_that_runs_aborts_it_and_late_outcomes_change_nothing()
    {
        Assert.Equal(RolloutEvent.Aborted, _policy.Rollback("bob", "enough").Value.What);
        Assert.Equal(("1", "2", RolloutPhase.Aborted), Where(_policy.State));
        Assert.Null(_policy.Observe(new(RolloutSide.Challenger, false, default), default));
        Assert.Null(_policy.Observe(agrees: false));
        for (ulong i = 0; i < 1000; i++)
            Assert.Equal(RolloutSide.Champion, _policy.Decide($"caller {i}", i).Side);
    }

    [Fact]
    public void A_challenger_that_fails_is_stopped_and_the_reason_says_the_numbers()
    {
        var policy = New(s_options with { StepRequestsMin = 1_000_000 });
        RolloutChange? change = null;
        var requests = 0;
        for (; change is null && requests < 1000; requests++)
        {
            var side = requests % 10 == 0 ? RolloutSide.Challenger : RolloutSide.Champion;
            change = policy.Observe(Good(side) with { Succeeded = side is RolloutSide.Champion }, default);
        }

        Assert.Equal((RolloutEvent.Aborted, "spillway"), (change!.What, change.Who));
        Assert.StartsWith("it fails in 100 % of its requests, the champion in 0 %", change.Why,
            StringComparison.Ordinal);
        Assert.InRange(requests, 100, 200);
    }

    [Fact]
    public void A_challenger_whose_answers_differ_or_that_costs_more_is_stopped()
    {
        var policy = New(s_options with { ShadowPercent = 10 });
        RolloutChange? change = null;
        for (var i = 0; change is null && i < 100; i++)
            change = policy.Observe(agrees: i % 2 == 0);
        Assert.Contains("of its copies agree", change!.Why, StringComparison.Ordinal);

        policy = New(s_options with { CostTolerance = 0.1, StepRequestsMin = 1_000_000 });
        change = null;
        for (var i = 0; change is null && i < 1000; i++)
        {
            var side = (RolloutSide)(i % 2);
            change = policy.Observe(
                Good(side) with { Cost = new(100 + (i % 7) + (side is RolloutSide.Challenger ? 50 : 0)) }, default);
        }

        Assert.Contains("dearer, and may be 10 %", change!.Why, StringComparison.Ordinal);
    }

    [Fact]
    public void A_decision_says_why_and_copies_are_a_share_of_the_champions_requests()
    {
        var policy = New(s_options with { ShadowPercent = 20 });
        var (copies, challengers) = (0, 0);
        for (ulong i = 0; i < 10_000; i++)
        {
            var decision = policy.Decide($"caller {i % 500}", i);
            Assert.Equal(decision.Side, policy.Decide($"caller {i % 500}", i + 77).Side);
            copies += decision.Copies ? 1 : 0;
            challengers += decision.Side is RolloutSide.Challenger ? 1 : 0;
            Assert.False(decision is { Copies: true, Side: RolloutSide.Challenger });
        }

        Assert.InRange(copies, 1600, 2000);
        Assert.InRange(challengers, 500, 1500);
        Assert.Equal(
            "champion: share 10 %, bucket 42.07, with a copy to the challenger",
            new RolloutDecision(RolloutSide.Champion, Copies: true, 4207, 10).Reason);
    }

    [Fact]
    public void What_cannot_begin_says_why()
    {
        Assert.Contains("is its champion", RolloutPolicy.Begin("tiny", "1", "1", "s").Fault!.Message,
            StringComparison.Ordinal);
        Assert.Null(RolloutPolicy.Check(new()));
        Assert.Contains("empty", RolloutPolicy.Check(new() { StepsPercent = [] }), StringComparison.Ordinal);
        Assert.Contains("from 5 to 5", RolloutPolicy.Check(new() { StepsPercent = [1, 5, 5] }),
            StringComparison.Ordinal);
    }

    [Fact]
    public void After_a_restart_it_goes_on_in_its_step_also_when_fewer_are_declared()
    {
        var state = RolloutPolicy.Begin("tiny", "1", "2", "s").Value with { Step = 4 };
        Assert.Equal(50, new RolloutPolicy(s_options, state, default).Percent);
    }

    private static RolloutPolicy New(RolloutOptions options) =>
        new(options, RolloutPolicy.Begin("tiny", "1", "2", "salt").Value, default);

    private static (string Champion, string Challenger, RolloutPhase Phase) Where(RolloutState state) =>
        (state.Champion, state.Challenger, state.Phase);

    private static RolloutOutcome Good(RolloutSide side) => new(side, Succeeded: true, TimeSpan.FromMilliseconds(5));

    private static Instant At(double seconds) => default(Instant) + TimeSpan.FromSeconds(seconds);

    private RolloutChange? Challenger(double at) => _policy.Observe(Good(RolloutSide.Challenger), At(at));
}
