using Spillway.Policies.Breaking;

namespace Spillway.Tests.Policies.Breaking;

public sealed class BreakerTests
{
    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 20)];

    [Fact]
    public void Opens_at_half_of_ten_and_not_before()
    {
        var breaker = new Breaker(new());
        for (var i = 0; i < 9; i++)
            Send(breaker, i % 2 == 0 ? FaultKind.UpstreamFailed : null, At(i));
        Assert.Equal(BreakerState.Closed, breaker.StateAt(At(9)));
        Send(breaker, null, At(9));
        // A success is no reason to open; the next failure makes six of eleven.
        Assert.Equal(BreakerState.Closed, breaker.StateAt(At(9)));
        Send(breaker, FaultKind.UpstreamTimeout, At(10));
        Assert.Equal(BreakerState.Open, breaker.StateAt(At(10)));
        Assert.Equal((At(260), 1L), (breaker.FreeAt(At(10)), breaker.Opened));
        Assert.Contains("250 ms more", breaker.Explain(At(10)), StringComparison.Ordinal);
    }

    [Fact]
    public void Opens_after_five_failures_in_a_row_whatever_the_part()
    {
        var breaker = new Breaker(new());
        for (var i = 0; i < 1000; i++)
            Send(breaker, null, At(i));
        for (var i = 0; i < 4; i++)
            Send(breaker, FaultKind.UpstreamUnreachable, At(1000));
        Send(breaker, null, At(1000));
        for (var i = 0; i < 4; i++)
            Send(breaker, FaultKind.UpstreamUnreachable, At(1001));
        Assert.True(breaker.MayPass(At(1001)));
        Send(breaker, FaultKind.UpstreamUnreachable, At(1002));
        Assert.False(breaker.MayPass(At(1002)));
    }

    [Fact]
    public void Faults_of_callers_and_of_this_server_say_nothing_about_a_target()
    {
        var breaker = new Breaker(new());
        for (var i = 0; i < 100; i++)
        {
            Send(breaker, FaultKind.Cancelled, At(i));
            Send(breaker, FaultKind.InvalidInput, At(i));
        }

        Assert.True(breaker.MayPass(At(100)));
    }

    [Fact]
    public void Retry_after_is_obeyed_exactly_extended_and_never_shortened()
    {
        var breaker = new Breaker(new());
        var (first, second, third) = (breaker.Enter(At(0)), breaker.Enter(At(0)), breaker.Enter(At(0)));
        breaker.Ended(first, FaultKind.UpstreamThrottled, TimeSpan.FromSeconds(3), At(1));
        Assert.Equal(At(3001), breaker.FreeAt(At(1)));
        Assert.Contains("as it asked", breaker.Explain(At(2)), StringComparison.Ordinal);
        // Those sent before still come back: a shorter wait changes nothing, a longer one extends.
        breaker.Ended(second, FaultKind.UpstreamThrottled, TimeSpan.FromSeconds(1), At(500));
        Assert.Equal(At(3001), breaker.FreeAt(At(500)));
        breaker.Ended(third, FaultKind.UpstreamThrottled, TimeSpan.FromSeconds(5), At(600));
        Assert.Equal(At(5600), breaker.FreeAt(At(600)));
        Assert.False(breaker.MayPass(At(5599.9)));
        Assert.True(breaker.MayPass(At(5600)));
    }

    [Fact]
    public void Absurd_retry_after_is_cut_and_none_counts_as_a_failure()
    {
        var breaker = new Breaker(new());
        breaker.Ended(breaker.Enter(At(0)), FaultKind.UpstreamThrottled, TimeSpan.FromDays(365), At(0));
        Assert.Equal(At(600_000), breaker.FreeAt(At(0)));

        var other = new Breaker(new());
        for (var i = 0; i < 10; i++)
            Send(other, FaultKind.UpstreamThrottled, At(i));
        Assert.False(other.MayPass(At(10)));
    }

    [Fact]
    public void One_probe_tries_it_out_then_two_and_two_successes_bring_it_back()
    {
        var breaker = Opened(new());
        Assert.Equal(BreakerState.HalfOpen, breaker.StateAt(At(250)));
        var a = breaker.Enter(At(250));
        Assert.True(a.IsProbe);
        Assert.False(breaker.MayPass(At(250)));
        Assert.Equal(At(250) + Breaker.ProbeWait, breaker.FreeAt(At(250)));
        breaker.Ended(a, null, null, At(260));
        Assert.Equal(BreakerState.HalfOpen, breaker.StateAt(At(260)));
        var (b, c) = (breaker.Enter(At(260)), breaker.Enter(At(260)));
        Assert.False(breaker.MayPass(At(260)));
        breaker.Ended(c, FaultKind.Cancelled, null, At(265));
        breaker.Ended(b, null, null, At(270));
        Assert.Equal(BreakerState.Closed, breaker.StateAt(At(270)));
    }

    [Fact]
    public void Probe_that_says_nothing_gives_its_place_back()
    {
        var breaker = Opened(new() { Probes = 1 });
        var probe = breaker.Enter(At(300));
        Assert.False(breaker.MayPass(At(300)));
        breaker.Ended(probe, FaultKind.Cancelled, null, At(310));
        Assert.True(breaker.WantsProbe(At(310)));
    }

    [Fact]
    public void Failed_probes_double_the_wait_up_to_its_cap()
    {
        var breaker = Opened(new());
        List<double> waits = [];
        var now = At(250);
        for (var i = 0; i < 5; i++)
        {
            Send(breaker, FaultKind.UpstreamUnreachable, now);
            waits.Add((breaker.FreeAt(now) - now).TotalMilliseconds);
            now = breaker.FreeAt(now);
        }

        Assert.Equal([500, 1000, 1000, 1000, 1000], waits);
    }

    [Fact]
    public void One_that_was_well_for_long_begins_with_the_first_wait_again_one_that_flaps_does_not()
    {
        var breaker = Opened(new() { Probes = 1 });
        Send(breaker, null, At(250));
        Fail(breaker, At(300));
        Assert.Equal(At(800), breaker.FreeAt(At(300)));
        Send(breaker, null, At(800));
        Fail(breaker, At(20_000));
        Assert.Equal(At(20_250), breaker.FreeAt(At(20_000)));
    }

    [Fact]
    public void Results_of_requests_sent_before_it_opened_change_nothing()
    {
        var breaker = new Breaker(new());
        var late = Enumerable.Range(0, 20).Select(_ => breaker.Enter(At(0))).ToArray();
        Fail(breaker, At(1));
        var until = breaker.FreeAt(At(1));
        for (var i = 0; i < late.Length; i++)
            breaker.Ended(late[i], i % 2 == 0 ? FaultKind.UpstreamUnreachable : null, null, At(100));
        Assert.Equal(until, breaker.FreeAt(At(100)));
        Assert.Equal(BreakerState.HalfOpen, breaker.StateAt(At(251)));
    }

    [Fact]
    public void Soonest_of_several_is_found()
    {
        Breaker[] all = [Opened(new() { CoolMs = 900 }), Opened(new()), Opened(new() { CoolMs = 500 })];
        Assert.Equal((1, At(250)), Breaker.SoonestOf(all, At(0)));
        Assert.Equal((0, At(5)), Breaker.SoonestOf([new Breaker(new())], At(5)));
        Assert.Equal((-1, Instant.Never), Breaker.SoonestOf([], At(0)));
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Whatever_happens_probes_are_bounded_waits_never_shrink_and_it_is_never_shut_for_good(int seed)
    {
        var random = new Random(seed);
        var options = new BreakerOptions { Probes = random.Next(1, 4), CoolMs = 1 + random.Next(500) };
        var breaker = new Breaker(options);
        List<BreakerPass> flying = [];
        var now = At(0);
        for (var i = 0; i < 20_000; i++)
        {
            now += TimeSpan.FromMilliseconds(random.NextDouble() * 20);
            var free = breaker.FreeAt(now);
            if (breaker.MayPass(now) && random.Next(2) == 0)
            {
                flying.Add(breaker.Enter(now));
                var era = flying[^1].Era;
                Assert.True(flying.Count(p => p.IsProbe && p.Era == era) <= options.Probes, $"seed {seed}, step {i}");
            }
            else if (flying.Count > 0)
            {
                var at = random.Next(flying.Count);
                var (pass, state) = (flying[at], breaker.StateAt(now));
                flying.RemoveAt(at);
                FaultKind? fault = random.Next(5) switch
                {
                    0 => null, 1 => FaultKind.UpstreamFailed, 2 => FaultKind.Cancelled,
                    3 => FaultKind.UpstreamUnreachable, _ => FaultKind.UpstreamThrottled,
                };
                TimeSpan? wait = random.Next(2) == 0 ? null : TimeSpan.FromMilliseconds(random.Next(900));
                breaker.Ended(pass, fault, wait, now);
                if (state is BreakerState.Open)
                    Assert.True(breaker.FreeAt(now) >= free, $"seed {seed}, step {i}: the wait was shortened");
            }
        }

        foreach (var pass in flying)
            breaker.Ended(pass, null, null, now);
        Assert.True(breaker.MayPass(now + TimeSpan.FromSeconds(2)), $"seed {seed}: shut for good");
    }

    private static Breaker Opened(BreakerOptions options)
    {
        var breaker = new Breaker(options);
        Fail(breaker, At(0));
        return breaker;
    }

    private static void Fail(Breaker breaker, Instant now)
    {
        for (var i = 0; i < 5; i++)
            Send(breaker, FaultKind.UpstreamUnreachable, now);
        Assert.Equal(BreakerState.Open, breaker.StateAt(now));
    }

    private static void Send(Breaker breaker, FaultKind? fault, Instant now) =>
        breaker.Ended(breaker.Enter(now), fault, null, now);

    private static Instant At(double ms) => new((long)(ms * TimeSpan.TicksPerMillisecond));
}
