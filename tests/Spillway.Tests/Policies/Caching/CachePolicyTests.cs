using Spillway.Policies.Caching;

namespace Spillway.Tests.Policies.Caching;

public sealed class CachePolicyTests
{
    private static readonly CacheOptions s_options = new()
    {
        Enabled = true, TtlMs = 100, StaleWhileRevalidateMs = 50, StaleIfErrorMs = 200, JoinersMax = 3,
        EntryBytesMax = 4096,
    };

    private readonly Asking _cache = new(s_options);

    [Fact]
    public void The_first_leads_and_what_it_stores_answers_the_next_with_its_age()
    {
        var first = _cache.LookUp(7);
        Assert.Equal((CacheStep.Miss, CacheReason.Unknown), (first.Step, first.Reason));
        Assert.Empty(_cache.Store(first, 70, atMs: 5));
        var second = _cache.LookUp(7, atMs: 25);
        Assert.Equal((CacheStep.Hit, CacheReason.Fresh), (second.Step, second.Reason));
        Assert.Equal(70, Asking.NumberIn(second.Answer!));
        Assert.Equal(TimeSpan.FromMilliseconds(20), second.Age);
        Assert.Null(second.Lead);
        Assert.Equal(CacheStep.Miss, _cache.LookUp(8, atMs: 25).Step);
        Assert.Equal(CacheStep.Miss, _cache.LookUp(7, atMs: 25, tenant: "b").Step);
    }

    [Fact]
    public void An_old_answer_is_given_while_one_asks_anew_and_a_very_old_one_is_not()
    {
        _cache.Remember(7);
        var leads = _cache.LookUp(7, atMs: 100);
        Assert.Equal((CacheStep.Stale, CacheReason.Revalidating), (leads.Step, leads.Reason));
        Assert.NotNull(leads.Lead);
        var follows = _cache.LookUp(7, atMs: 149);
        Assert.Equal(CacheStep.Stale, follows.Step);
        Assert.Null(follows.Lead);
        // Beyond the window others wait for the one that asks anew.
        Assert.Equal(CacheStep.Join, _cache.LookUp(7, atMs: 150).Step);
        _cache.Store(leads, 71, atMs: 160);
        var fresh = _cache.LookUp(7, atMs: 161);
        Assert.Equal(CacheStep.Hit, fresh.Step);
        Assert.Equal(71, Asking.NumberIn(fresh.Answer!));
    }

    [Fact]
    public void Without_a_window_an_old_answer_is_a_miss()
    {
        var cache = new Asking(s_options with { StaleWhileRevalidateMs = 0, StaleIfErrorMs = 0 });
        cache.Remember(7);
        Assert.Equal(CacheStep.Hit, cache.LookUp(7, atMs: 99.9).Step);
        var late = cache.LookUp(7, atMs: 100);
        Assert.Equal((CacheStep.Miss, CacheReason.Expired), (late.Step, late.Reason));
        Assert.Equal(0, cache.Policy.Counts.Entries);
    }

    [Fact]
    public void An_old_answer_helps_when_the_model_cannot_answer_also_the_one_that_leads()
    {
        _cache.Remember(7);
        var miss = _cache.LookUp(7, atMs: 299);
        Assert.Equal(CacheStep.Miss, miss.Step);
        var rescue = _cache.AfterError(7, atMs: 299);
        Assert.Equal((CacheStep.Stale, CacheReason.AfterError), (rescue.Step, rescue.Reason));
        Assert.Equal(7, Asking.NumberIn(rescue.Answer!));
        Assert.Equal(CacheStep.Bypass, _cache.AfterError(7, atMs: 300).Step);
        Assert.Equal(CacheStep.Bypass, _cache.AfterError(8, atMs: 0).Step);
    }

    [Fact]
    public void Who_asks_the_same_waits_and_is_told_in_order()
    {
        var leads = _cache.LookUp(7);
        var first = _cache.Join(7);
        var second = _cache.Join(7);
        var third = _cache.Join(7);
        Assert.Equal(CacheReason.TooManyJoin, _cache.LookUp(7).Reason);
        Assert.True(CachePolicy.Leave(second));
        Assert.False(CachePolicy.Leave(second));
        Assert.Equal([first, third], _cache.Store(leads, 70));
        Assert.False(CachePolicy.Leave(first));
        Assert.Equal(CacheStep.Hit, _cache.LookUp(7).Step);
    }

    [Fact]
    public void When_the_leader_fails_the_one_that_waited_longest_leads_until_three_have_failed()
    {
        var leads = _cache.LookUp(7);
        CacheWaiter[] waiters = [_cache.Join(7), _cache.Join(7), _cache.Join(7)];
        Assert.Null(Fail(leads.Lead!.Value, LeadEnd.Failed, out var second));
        Assert.Same(waiters[0], second!.Value.Waiter);
        // The one that failed has no say any more.
        Assert.Null(Fail(leads.Lead.Value, LeadEnd.Hopeless, out var nobody));
        Assert.Null(nobody);
        Assert.Null(Fail(second.Value.Lead, LeadEnd.Failed, out var third));
        Assert.Same(waiters[1], third!.Value.Waiter);
        var told = Asking.Listed(Fail(third.Value.Lead, LeadEnd.Failed, out nobody));
        Assert.Null(nobody);
        Assert.Equal([waiters[2]], told);
        Assert.Equal(CacheStep.Miss, _cache.LookUp(7).Step);
    }

    [Fact]
    public void A_leader_that_only_left_counts_as_no_failure_and_a_hopeless_one_ends_it_at_once()
    {
        var lead = _cache.LookUp(7).Lead!.Value;
        for (var i = 0; i < 10; i++)
        {
            _cache.Join(7);
            Assert.Null(Fail(lead, LeadEnd.Left, out var next));
            lead = next!.Value.Lead;
        }

        var waiter = _cache.Join(7);
        Assert.Equal([waiter], Asking.Listed(Fail(lead, LeadEnd.Hopeless, out var nobody)));
        Assert.Null(nobody);
        Assert.Equal(0, _cache.Policy.Counts.Bytes);
    }

    [Fact]
    public void A_refresh_reads_nothing_and_its_answer_takes_the_place_of_an_older_one_only()
    {
        _cache.Remember(7);
        var refresh = _cache.LookUp(7, atMs: 10, refreshes: true);
        Assert.Equal((CacheStep.Refresh, CacheReason.Asked), (refresh.Step, refresh.Reason));
        var later = _cache.LookUp(7, atMs: 11, refreshes: true);
        _cache.Store(later, 72, atMs: 12);
        _cache.Store(refresh, 71, atMs: 20);
        Assert.Equal(72, Asking.NumberIn(_cache.LookUp(7, atMs: 21).Answer!));
        Assert.Equal(1, _cache.Policy.Counts.Entries);

        var unknown = _cache.LookUp(8, refreshes: true);
        _cache.Store(unknown, 80);
        Assert.Equal(80, Asking.NumberIn(_cache.LookUp(8).Answer!));
        var failing = _cache.LookUp(9, refreshes: true);
        var before = _cache.Policy.Counts.Bytes;
        Assert.Null(Fail(failing.Lead!.Value, LeadEnd.Failed, out _));
        Assert.True(_cache.Policy.Counts.Bytes < before);
    }

    [Fact]
    public void A_refresh_does_not_disturb_those_that_wait_for_another()
    {
        var leads = _cache.LookUp(7);
        var waiter = _cache.Join(7);
        Assert.Empty(_cache.Store(_cache.LookUp(7, atMs: 1, refreshes: true), 71, atMs: 2));
        Assert.Equal(CacheStep.Hit, _cache.LookUp(7, atMs: 3).Step);
        Assert.Equal([waiter], _cache.Store(leads, 70, atMs: 4));
        Assert.Equal(71, Asking.NumberIn(_cache.LookUp(7, atMs: 5).Answer!));
    }

    [Fact]
    public void Another_version_finds_nothing_and_the_old_one_is_there_when_it_is_served_again()
    {
        _cache.Remember(7);
        Assert.Equal(CacheStep.Miss, _cache.LookUp(7, subject: Asking.Second).Step);
        Assert.Equal(CacheStep.Hit, _cache.LookUp(7).Step);
    }

    [Fact]
    public void Room_is_made_from_what_nobody_asks_again_as_the_answers_of_an_old_version_are()
    {
        var cache = new Asking(s_options, bytesMax: 5 * 700);
        for (var i = 0; i < 3; i++)
            cache.Remember(i, subject: Asking.First);
        cache.Remember(10, subject: Asking.Second);
        cache.LookUp(10, subject: Asking.Second);
        for (var i = 20; i < 30; i++)
        {
            cache.Remember(i, subject: Asking.Second);
            Assert.Equal(CacheStep.Hit, cache.LookUp(10, subject: Asking.Second).Step);
        }

        Assert.True(cache.Policy.Counts.Evictions > 5);
        Assert.Equal(CacheStep.Miss, cache.LookUp(0).Step);
    }

    [Fact]
    public void What_is_too_large_is_answered_and_not_kept_and_questions_in_the_air_are_never_dropped()
    {
        var leads = _cache.LookUp(7);
        var waiter = _cache.Join(7);
        Assert.Equal([waiter], _cache.Store(leads, 70, padding: 5000));
        Assert.Equal(CacheStep.Miss, _cache.LookUp(7).Step);

        var full = new Asking(s_options, bytesMax: 2000);
        List<CacheDecision> air = [];
        CacheDecision next;
        for (var i = 0; (next = full.LookUp(i)).Step is CacheStep.Miss; i++)
            air.Add(next);
        Assert.Equal((CacheStep.Bypass, CacheReason.NoRoom), (next.Step, next.Reason));
        Assert.True(air.Count > 1);
        foreach (var decision in air)
            Assert.Null(full.Policy.Fail(decision.Lead!.Value, LeadEnd.Failed, default, out _));
        Assert.Equal(0, full.Policy.Counts.Bytes);
    }

    [Fact]
    public void Two_questions_of_one_hash_never_get_each_others_answer()
    {
        // A key of zeros gives every question one hash.
        var cache = new Asking(s_options, hash: new(new byte[KeyHash.KeyBytes]));
        cache.Remember(7);
        var other = cache.LookUp(8);
        Assert.Equal((CacheStep.Bypass, CacheReason.Collision), (other.Step, other.Reason));
        Assert.Equal(CacheStep.Hit, cache.LookUp(7).Step);
        Assert.Equal(CacheStep.Bypass, cache.AfterError(8, 0).Step);
    }

    [Fact]
    public void Clearing_forgets_answers_and_nothing_else()
    {
        _cache.Remember(7);
        var leads = _cache.LookUp(8);
        Assert.Equal(1, _cache.Policy.Clear(most: 100));
        Assert.Equal(CacheStep.Miss, _cache.LookUp(7).Step);
        _cache.Store(leads, 8);
        Assert.Equal(CacheStep.Hit, _cache.LookUp(8).Step);
    }

    [Fact]
    public void What_a_fault_says_of_the_question_is_told_from_what_it_says_of_the_caller()
    {
        Assert.Equal(LeadEnd.Hopeless, LeadEnds.Of(FaultKind.InvalidInput));
        Assert.Equal(LeadEnd.Left, LeadEnds.Of(FaultKind.BudgetExhausted));
        Assert.Equal(LeadEnd.Left, LeadEnds.Of(FaultKind.Cancelled));
        Assert.Equal(LeadEnd.Failed, LeadEnds.Of(FaultKind.QueueFull));
    }

    private CacheWaiter? Fail(
        CacheLead lead, LeadEnd end, out (CacheWaiter Waiter, CacheLead Lead)? next) =>
        _cache.Policy.Fail(lead, end, default, out next);
}
