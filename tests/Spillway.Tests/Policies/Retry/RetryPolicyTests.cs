using Spillway.Policies.Retry;

namespace Spillway.Tests.Policies.Retry;

public sealed class RetryPolicyTests
{
    private static readonly RetryOptions s_options = new();

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 20)];

    [Fact]
    public void Only_what_the_other_side_may_mend_is_tried_again()
    {
        FaultKind[] mendable =
        [
            FaultKind.RuntimeFailed, FaultKind.UpstreamUnreachable, FaultKind.UpstreamFailed,
            FaultKind.UpstreamThrottled, FaultKind.UpstreamTimeout, FaultKind.TargetsOpen,
        ];
        Assert.Equal(mendable, Enum.GetValues<FaultKind>().Where(kind => RetryTable.Of(kind) is not Mending.Never));
        Assert.All(Enum.GetValues<FaultKind>(), kind =>
            Assert.Equal(mendable.Contains(kind), Decide(New(), new(kind, 1, false, At(60_000))).Again));
    }

    [Theory]
    [InlineData(1, true, 60_000, 0, false, nameof(RetryReason.FirstByteSent))]
    [InlineData(3, false, 60_000, 0, false, nameof(RetryReason.AttemptsUsed))]
    [InlineData(1, false, 60_000, 0, true, nameof(RetryReason.ToldNot))]
    [InlineData(1, false, 0, 0, false, nameof(RetryReason.Transient))]
    [InlineData(1, false, -1, 0, false, nameof(RetryReason.NoTime))]
    [InlineData(1, false, 99, 100, false, nameof(RetryReason.NoTime))]
    [InlineData(1, false, 100, 100, false, nameof(RetryReason.Transient))]
    [InlineData(2, false, 60_000, 0, false, nameof(RetryReason.Transient))]
    public void Decision_says_why(
        int attempts, bool firstByte, double leftMs, double retryAfterMs, bool toldNot, string reason)
    {
        var ask = new RetryAsk(
            FaultKind.UpstreamFailed, attempts, firstByte, At(leftMs), TimeSpan.FromMilliseconds(retryAfterMs),
            ToldNot: toldNot);
        var policy = New();
        var decision = Decide(policy, ask);
        Assert.Equal(reason, decision.Reason.ToString());
        Assert.Equal(decision.TakesBudget ? 1 : 0, policy.Budget.InFlight);
        Assert.NotEmpty(policy.Explain(decision, ask));
    }

    [Fact]
    public void Time_that_the_attempt_itself_needs_is_kept_free()
    {
        var ask = new RetryAsk(
            FaultKind.UpstreamFailed, 1, false, At(200), Expected: TimeSpan.FromMilliseconds(201));
        Assert.Equal(RetryReason.NoTime, Decide(New(), ask).Reason);
    }

    [Fact]
    public void Waiting_for_a_target_takes_no_attempt_and_nothing_of_the_budget()
    {
        var policy = New(new() { BudgetFloor = 0 });
        var ask = new RetryAsk(FaultKind.TargetsOpen, 7, false, At(500), TimeSpan.FromMilliseconds(300));
        var decision = Decide(policy, ask);
        Assert.Equal((true, RetryReason.AwaitsTarget, false),
            (decision.Again, decision.Reason, decision.TakesBudget));
        Assert.InRange(decision.Wait.TotalMilliseconds, 300, 500);
        Assert.Equal(0, policy.Budget.InFlight);
        Assert.Equal(RetryReason.NoTime,
            Decide(policy, ask with { RetryAfter = TimeSpan.FromMilliseconds(501) }).Reason);
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Wait_is_between_what_was_asked_for_and_the_bound_and_always_before_the_deadline(int seed)
    {
        var random = new Random(seed);
        for (var i = 0; i < 1000; i++)
        {
            var (attempt, left) = (random.Next(1, 60), random.NextDouble() * 40_000);
            var asked = random.Next(2) == 0 ? 0 : random.NextDouble() * 5000;
            var wait = Backoff.Next(
                TimeSpan.FromMilliseconds(50), TimeSpan.FromSeconds(20), attempt,
                TimeSpan.FromMilliseconds(asked), TimeSpan.FromMilliseconds(left), random);
            if (asked > left)
            {
                Assert.Equal(TimeSpan.MaxValue, wait);
                continue;
            }

            var bound = Math.Min(20_000, 50 * Math.Pow(2, attempt - 1));
            Assert.InRange(wait.TotalMilliseconds, asked - 0.001, Math.Min(asked + bound, left) + 0.001);
        }
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void In_any_ten_seconds_retries_stay_below_the_part_of_successes_or_the_floor(int seed)
    {
        var random = new Random(seed);
        var budget = new RetryBudget(s_options);
        List<double> successes = [], retries = [];
        var failing = false;
        for (var ms = 0.0; ms < 120_000; ms += random.NextDouble() * 10)
        {
            failing = random.Next(500) == 0 ? !failing : failing;
            if (!failing)
            {
                budget.Succeeded(At(ms));
                successes.Add(ms);
            }
            else if (budget.TryTake(At(ms)))
            {
                retries.Add(ms);
                // They fail at once, which a floor of attempts at once alone would not bound.
                budget.Ended();
                var (spent, earned) = (retries.Count(at => at > ms - 10_000), successes.Count(at => at > ms - 10_000));
                Assert.True(spent <= Math.Max(0.2 * earned, 30), $"{spent} retries on {earned} successes at {ms} ms");
            }
        }

        Assert.NotEmpty(retries);
    }

    [Fact]
    public void Floor_lets_a_quiet_route_try_again_and_only_so_many_at_once()
    {
        var budget = new RetryBudget(s_options);
        Assert.Equal([true, true, true, false], Enumerable.Range(0, 4).Select(_ => budget.TryTake(At(0))));
        budget.Ended();
        Assert.True(budget.TryTake(At(1)));
        Assert.Equal(3, budget.InFlight);
    }

    [Fact]
    public void Spent_budget_is_said_and_nothing_is_taken()
    {
        var policy = New(new() { BudgetFloor = 0 });
        var ask = new RetryAsk(FaultKind.UpstreamThrottled, 1, false, Instant.Never);
        Assert.Equal(RetryReason.BudgetSpent, Decide(policy, ask).Reason);
        for (var i = 0; i < 5; i++)
            policy.Budget.Succeeded(At(0));
        Assert.Equal(RetryReason.Throttled, Decide(policy, ask).Reason);
        Assert.Equal(RetryReason.BudgetSpent, Decide(policy, ask).Reason);
    }

    [Fact]
    public void Decisions_allocate_nothing()
    {
        var (policy, random) = (New(), new Random(1));
        var ask = new RetryAsk(FaultKind.UpstreamFailed, 1, false, At(60_000));
        Decide();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
            Decide();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Decide()
        {
            policy.Budget.Succeeded(At(1));
            if (policy.Decide(ask, At(1), random).TakesBudget)
                policy.Budget.Ended();
        }
    }

    private static RetryPolicy New(RetryOptions? options = null) =>
        new(options ?? s_options, new(options ?? s_options));

    private static RetryDecision Decide(RetryPolicy policy, in RetryAsk ask) =>
        policy.Decide(ask, At(0), new Random(1));

    private static Instant At(double ms) => new((long)(ms * TimeSpan.TicksPerMillisecond));
}
