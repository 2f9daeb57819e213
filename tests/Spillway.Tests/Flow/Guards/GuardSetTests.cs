using Spillway.Flow.Guards;
using Spillway.Policies.Budgets;
using Spillway.Policies.Guarding;
using Spillway.Policies.Rates;

namespace Spillway.Tests.Flow.Guards;

public sealed class GuardSetTests
{
    private static readonly BudgetTime s_noon =
        new(new(2026, 11, 22, 12, 0, 0, DateTimeKind.Utc), new(2026, 11, 22, 12, 0, 0, DateTimeKind.Utc));

    private static readonly RateOptions s_tenASecond =
        new() { RequestsPerSecond = 10, BurstSeconds = 0.1, AtLimit = AtLimit.Queue };

    [Fact]
    public void All_or_nothing_a_refusal_of_the_last_takes_nothing_of_the_first()
    {
        var (rate, budget) = (Rate(new() { Concurrency = 5 }), Budget(limit: 15));
        var set = new GuardSet([rate], [budget]);
        Assert.Equal(GuardSays.Passed, set.Enter(Ask(cost: 10), new()).Says);
        var refused = set.Enter(Ask(cost: 10), new());
        Assert.Equal((GuardSays.Refused, FaultKind.BudgetExhausted), (refused.Says, refused.Fault!.Kind));
        Assert.Equal((1, 10L), (rate.State.Inside, budget.State.Reserved.Nano));
    }

    [Fact]
    public void Ticket_is_settled_once_and_gives_everything_back()
    {
        var (rate, budget) = (Rate(new() { Concurrency = 1 }), Budget(limit: 100));
        var (set, ticket) = (new GuardSet([rate], [budget]), new GuardTicket());
        set.Enter(Ask(cost: 10), ticket);
        set.Settle(ticket, new(3));
        var spent = budget.State.Look(s_noon).Spent.Nano;
        Assert.Equal((0, 0L, 3L), (rate.State.Inside, budget.State.Reserved.Nano, spent));
        Assert.Throws<InvalidOperationException>(() => set.Settle(ticket, new(3)));
    }

    [Fact]
    public void Queueing_rate_takes_the_token_ahead_and_says_how_long_to_wait()
    {
        var set = new GuardSet([Rate(s_tenASecond with { QueueMs = 250 })], []);
        var waits = Enumerable.Range(0, 5).Select(_ => set.Enter(Ask(), new())).ToList();
        Assert.Equal([0, 100, 200, 0, 0], waits.Select(w => w.Wait.TotalMilliseconds));
        Assert.Equal([GuardSays.Passed, GuardSays.Passed, GuardSays.Passed, GuardSays.Refused, GuardSays.Refused],
            waits.Select(w => w.Says));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Refusal_tells_of_the_rule_that_takes_longest_whatever_their_order(bool slowFirst)
    {
        var (fast, slow) = (Rate(new() { RequestsPerSecond = 10, BurstSeconds = 0.1 }),
            Rate(new() { RequestsPerSecond = 0.1, BurstSeconds = 10 }));
        var (set, ticket) = (new GuardSet(slowFirst ? [slow, fast] : [fast, slow], []), new GuardTicket());
        set.Enter(Ask(), new());
        var refused = set.Enter(Ask(), ticket);
        Assert.Equal((GuardSays.Refused, slowFirst ? 0 : 1), (refused.Says, refused.Rate));
        Assert.Equal(10, refused.Fault!.RetryAfter!.Value.TotalSeconds);
        Assert.Equal(10, ticket.Left.Reset.TotalSeconds);
    }

    [Fact]
    public void Rule_that_queues_does_not_make_a_refusal_of_another_longer()
    {
        var (fast, slow) = (Rate(new() { RequestsPerSecond = 10, BurstSeconds = 0.1 }),
            Rate(new() { RequestsPerSecond = 1, BurstSeconds = 1, AtLimit = AtLimit.Queue, QueueMs = 5000 }));
        var set = new GuardSet([fast, slow], []);
        set.Enter(Ask(), new());
        Assert.Equal(100, set.Enter(Ask(), new()).Fault!.RetryAfter!.Value.TotalMilliseconds);
    }

    [Fact]
    public void Nobody_waits_beyond_its_own_patience()
    {
        var set = new GuardSet([Rate(s_tenASecond)], []);
        set.Enter(Ask(), new());
        Assert.Equal(GuardSays.Refused, set.Enter(Ask(patience: TimeSpan.FromMilliseconds(99)), new()).Says);
        Assert.Equal(GuardSays.Passed, set.Enter(Ask(patience: TimeSpan.FromMilliseconds(100)), new()).Says);
    }

    [Fact]
    public void Queueing_budget_waits_for_money_and_refuses_what_no_waiting_helps()
    {
        var set = new GuardSet([], [Budget(limit: 15, AtLimit.Queue)]);
        set.Enter(Ask(cost: 10), new());
        Assert.Equal(GuardSays.Wait, set.Enter(Ask(cost: 10), new()).Says);
        Assert.Equal(GuardSays.Refused, set.Enter(Ask(cost: 16), new()).Says);
    }

    [Fact]
    public void Entering_and_settling_allocate_nothing()
    {
        var set = new GuardSet(
            [Rate(new() { RequestsPerSecond = 1e9, FairShares = true }), Rate(new() { Concurrency = 5 })],
            [Budget(limit: 1_000_000)]);
        var ticket = new GuardTicket();
        List<GuardEvent> events = [];
        Repeat(100);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Repeat(1_000);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Repeat(int times)
        {
            for (var i = 0; i < times; i++)
            {
                if (set.Enter(Ask(cost: 10), ticket).Says is GuardSays.Passed)
                    set.Settle(ticket, new(3), events);
                ticket.Reset();
            }
        }
    }

    private static Named<RateState> Rate(RateOptions options) => new("rate", "", new(options));

    private static Named<BudgetAccount> Budget(long limit, AtLimit atLimit = AtLimit.Refuse)
    {
        var account = new BudgetAccount(
            new() { Limit = limit / 1e9, Slice = 1, AtLimit = atLimit },
            new(WindowLength.Month, WindowKind.Calendar, TimeZoneInfo.Utc));
        List<Draw> plan = [];
        account.Plan(s_noon, ends: false, plan);
        plan.ForEach(draw => account.Drawn(draw));
        return new("budget", "", account);
    }

    private static GuardAsk Ask(long cost = 0, TimeSpan? patience = null) =>
        new(new("local", 1, 1, 0), new(cost), new(0), s_noon, patience ?? TimeSpan.MaxValue);
}
