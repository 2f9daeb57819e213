using Spillway.Policies.Budgets;

namespace Spillway.Tests.Policies.Budgets;

public sealed class BudgetAccountTests
{
    private static readonly DateTime s_noon = new(2026, 11, 22, 12, 0, 0, DateTimeKind.Utc);

    [Fact]
    public void Money_is_set_aside_and_what_was_not_spent_comes_back()
    {
        var account = Account(limit: 100, slice: 1);
        Assert.Equal(BudgetSays.NotDrawn, account.Check(new(40), At()).Says);
        Draw(account, At());
        var cell = account.Reserve(new(40), At());
        Assert.Equal((0L, 40L), Numbers(account));
        account.Settle(cell, new(40), new(25));
        Assert.Equal((25L, 0L), Numbers(account));
    }

    [Fact]
    public void Nobody_gets_more_than_the_limit_and_the_refusal_says_when_it_is_filled_up()
    {
        var account = Account(limit: 100, slice: 1);
        Draw(account, At());
        account.Reserve(new(61), At());
        var verdict = account.Check(new(40), At());
        Assert.Equal((BudgetSays.Exhausted, 39L), (verdict.Says, verdict.Left.Nano));
        Assert.Equal(TimeSpan.FromHours(12), verdict.RetryAfter);
        Assert.Equal(BudgetSays.Passed, account.Check(new(39), At()).Says);
    }

    [Fact]
    public void What_is_drawn_reaches_a_slice_ahead_and_never_over_the_limit()
    {
        var account = Account(limit: 100, slice: 0.1);
        Assert.Equal(10, Draw(account, At()));
        Assert.Equal(BudgetSays.NotDrawn, account.Check(new(11), At()).Says);
        // What is wanted is drawn, also where it is more than a slice.
        Assert.Equal(11, Draw(account, At()));
        account.Settle(account.Reserve(new(11), At()), new(11), new(11));
        Assert.Equal(21, Draw(account, At()));
        Assert.Equal(0, Draw(account, At()));
        account.Check(new(89), At());
        Assert.Equal(100, Draw(account, At()));
    }

    [Fact]
    public void Under_another_limit_what_is_spent_and_reserved_stays()
    {
        var account = Account(limit: 100, slice: 1);
        Draw(account, At());
        var cell = account.Reserve(new(60), At());

        account.Use(account.Options with { Limit = 50e-9 });
        var verdict = account.Check(new(1), At());
        Assert.Equal((BudgetSays.Exhausted, 0L), (verdict.Says, verdict.Left.Nano));
        account.Settle(cell, new(60), new(45));
        Assert.Equal((45L, 0L), Numbers(account));
        Assert.Equal(BudgetSays.Passed, account.Check(new(5), At()).Says);
        Assert.Equal(BudgetSays.Exhausted, account.Check(new(6), At()).Says);

        account.Use(account.Options with { Limit = 200e-9 });
        Assert.Equal(BudgetSays.NotDrawn, account.Check(new(155), At()).Says);
        Draw(account, At());
        Assert.Equal(BudgetSays.Passed, account.Check(new(155), At()).Says);
        Assert.Equal(BudgetSays.Exhausted, account.Check(new(156), At()).Says);
    }

    [Fact]
    public void After_a_crash_what_was_drawn_counts_as_spent_until_the_window_ends()
    {
        var account = Account(limit: 100, slice: 0.1);
        account.Load(new(account.Look(At()).Cell, Drawn: new(30), Spent: new(24)), At());
        var state = account.Look(At());
        Assert.Equal((30L, 6L), (state.Spent.Nano, state.Lost.Nano));
        Assert.Equal(BudgetSays.Exhausted, account.Check(new(71), At()).Says);
        Assert.Equal(BudgetSays.Exhausted, account.Check(new(71), At(hours: 11)).Says);
        Assert.Equal(BudgetSays.NotDrawn, account.Check(new(71), At(hours: 12)).Says);
        Assert.Equal(0, account.Look(At(hours: 12)).Lost.Nano);
    }

    [Fact]
    public void Clean_end_gives_back_what_was_drawn_and_not_spent()
    {
        var account = Account(limit: 100, slice: 0.5);
        Draw(account, At());
        account.Settle(account.Reserve(new(7), At()), new(7), new(5));
        List<Draw> plan = [];
        account.Plan(At(), ends: true, plan);
        Assert.Equal((5L, 5L), (Assert.Single(plan).Drawn.Nano, plan[0].Spent.Nano));
    }

    [Fact]
    public void Spending_beyond_the_reservation_is_charged_and_told()
    {
        var account = Account(limit: 100, slice: 0.1);
        Draw(account, At());
        var settled = account.Settle(account.Reserve(new(10), At()), new(10), new(110));
        Assert.Equal(100, settled.Over.Nano);
        Assert.Equal(110, account.Look(At()).Spent.Nano);
        Assert.Equal(BudgetSays.Exhausted, account.Check(new(1), At()).Says);
        Assert.Equal(110, Draw(account, At()));
    }

    [Fact]
    public void Soft_thresholds_are_told_once_each_and_the_part_that_is_gone_is_shown()
    {
        var account = Account(limit: 100, slice: 1);
        Draw(account, At());
        Assert.Equal(0, Spend(account, 79));
        Assert.Equal(0, account.Warning(At()));
        Assert.Equal(0.8, Spend(account, 1));
        Assert.Equal(0, Spend(account, 1));
        Assert.Equal(0.81, account.Warning(At()), 6);
        Assert.Equal(0.95, Spend(account, 19));
        Assert.Equal(0, Spend(account, 0));
    }

    [Fact]
    public void Clock_that_is_set_forward_opens_the_next_window_and_back_again_finds_what_was_spent()
    {
        var account = Account(limit: 100, slice: 1);
        Draw(account, At());
        Spend(account, 90);
        Draw(account, At(hours: 24));
        var cell = account.Reserve(new(60), At(hours: 24));
        Assert.Equal((BudgetSays.Exhausted, 10L), Said(account.Check(new(11), At())));
        account.Settle(cell, new(60), new(60));
        Assert.Equal((BudgetSays.Exhausted, 40L), Said(account.Check(new(41), At(hours: 24))));
        Assert.Equal((BudgetSays.Exhausted, 10L), Said(account.Check(new(11), At())));
    }

    [Fact]
    public void Rolling_window_does_not_care_for_the_walls_clock()
    {
        var account = Account(limit: 100, slice: 1, WindowKind.Rolling);
        Draw(account, At());
        Spend(account, 100);
        Assert.Equal(BudgetSays.Exhausted, account.Check(new(1), new(s_noon.AddYears(1), s_noon)).Says);
        Assert.Equal(BudgetSays.Exhausted, account.Check(new(1), new(s_noon, s_noon.AddHours(23.9))).Says);
        Assert.Equal(BudgetSays.NotDrawn, account.Check(new(1), new(s_noon, s_noon.AddHours(25))).Says);
    }

    [Fact]
    public void Refusal_of_a_rolling_window_says_when_enough_has_rolled_out_and_it_is_true()
    {
        var account = Account(limit: 100, slice: 1, WindowKind.Rolling);
        for (var hour = 0; hour < 10; hour++)
        {
            Draw(account, At(hour));
            account.Settle(account.Reserve(new(10), At(hour)), new(10), new(10));
        }

        var verdict = account.Check(new(25), At(hours: 10));
        Assert.Equal(BudgetSays.Exhausted, verdict.Says);
        var then = At(hours: 10).Steady + verdict.RetryAfter;
        Assert.Equal(BudgetSays.Exhausted, account.Check(new(25), new(then, then.AddTicks(-1))).Says);
        Assert.NotEqual(BudgetSays.Exhausted, account.Check(new(25), new(then, then)).Says);
    }

    [Fact]
    public void Spending_that_a_clock_set_back_left_in_the_future_counts_from_now_on_and_only_once()
    {
        var account = Account(limit: 100, slice: 1, WindowKind.Rolling);
        var later = new BudgetWindow(WindowLength.Day, WindowKind.Rolling, TimeZoneInfo.Utc)
            .CellOf(s_noon.AddYears(1).Ticks);
        account.Load(new(later, Drawn: new(80), Spent: new(80)), At());
        Assert.Equal((BudgetSays.Exhausted, 20L), Said(account.Check(new(21), At())));
        List<Draw> plan = [];
        account.Plan(At(), ends: false, plan);
        Assert.Contains(plan, d => d.IsGone && d.Cell == later);
        Assert.Contains(plan, d => !d.IsGone && d.Drawn.Nano >= 80);
        Assert.NotEqual(BudgetSays.Exhausted, account.Check(new(21), At(hours: 26)).Says);
    }

    [Fact]
    public void Failed_write_is_tried_again()
    {
        var account = Account(limit: 100, slice: 1);
        account.Check(new(5), At());
        List<Draw> plan = [];
        account.Plan(At(), ends: false, plan);
        account.NotDrawn(plan[0]);
        Assert.Equal(BudgetSays.NotDrawn, account.Check(new(5), At()).Says);
        plan.Clear();
        account.Plan(At(), ends: false, plan);
        Assert.Single(plan);
    }

    [Fact]
    public void Who_waits_for_a_slice_is_told_also_when_money_that_came_back_is_enough()
    {
        var account = Account(limit: 1000, slice: 0.1);
        account.Check(new(100), At());
        Draw(account, At());
        var cell = account.Reserve(new(100), At());
        Assert.Equal(BudgetSays.NotDrawn, account.Check(new(10), At()).Says);
        account.Settle(cell, new(100), default);
        Assert.Equal(100, Draw(account, At()));
        Assert.Equal(0, Draw(account, At()));
    }

    private static BudgetAccount Account(long limit, double slice, WindowKind kind = WindowKind.Calendar) => new(
        new() { Limit = limit / 1e9, Slice = slice, Window = WindowLength.Day, Kind = kind },
        new(WindowLength.Day, kind, TimeZoneInfo.Utc));

    private static BudgetTime At(double hours = 0) => new(s_noon.AddHours(hours), s_noon.AddHours(hours));

    /// <summary>What the store would write, and does at once; the drawn number of the last, 0 for none.</summary>
    private static long Draw(BudgetAccount account, in BudgetTime now)
    {
        List<Draw> plan = [];
        account.Plan(now, ends: false, plan);
        foreach (var draw in plan)
            account.Drawn(draw);
        return plan.Count == 0 ? 0 : plan[^1].Drawn.Nano;
    }

    private static double Spend(BudgetAccount account, long nano) =>
        account.Settle(account.Reserve(new(nano), At()), new(nano), new(nano)).Threshold;

    private static (BudgetSays, long) Said(in BudgetVerdict verdict) => (verdict.Says, verdict.Left.Nano);

    private static (long Spent, long Reserved) Numbers(BudgetAccount account) =>
        (account.Look(At()).Spent.Nano, account.Look(At()).Reserved.Nano);
}
