using Spillway.Policies.Rates;

namespace Spillway.Tests.Policies.Rates;

public sealed class RateStateTests
{
    private static readonly RateAsk s_one = new("local", 1, 1, 10);

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 20)];

    [Fact]
    public void Burst_passes_at_once_and_then_the_rate_holds()
    {
        var state = new RateState(new() { RequestsPerSecond = 10, BurstSeconds = 0.5 });
        var passed = Enumerable.Range(0, 20).Count(_ => TryTake(state, s_one, At(0)));
        Assert.Equal(5, passed);
        Assert.False(TryTake(state, s_one, At(99)));
        Assert.True(TryTake(state, s_one, At(100)));
        Assert.False(TryTake(state, s_one, At(150)));
    }

    [Fact]
    public void Refusal_says_when_the_next_one_passes_and_it_is_true()
    {
        var state = new RateState(new() { RequestsPerSecond = 3 });
        while (TryTake(state, s_one, At(0)))
        {
        }

        var wait = state.Check(s_one, At(7)).Wait;
        Assert.False(state.Check(s_one, At(7) + wait - new TimeSpan(1)).Passed);
        Assert.True(state.Check(s_one, At(7) + wait).Passed);
    }

    [Theory]
    [InlineData(RateUnit.Requests)]
    [InlineData(RateUnit.Items)]
    [InlineData(RateUnit.Bytes)]
    [InlineData(RateUnit.Concurrency)]
    public void Each_number_limits_by_itself_and_is_named(RateUnit unit)
    {
        var state = new RateState(new()
        {
            RequestsPerSecond = unit is RateUnit.Requests ? 2 : null,
            ItemsPerSecond = unit is RateUnit.Items ? 8 : null,
            BytesPerSecond = unit is RateUnit.Bytes ? 200 : null,
            Concurrency = unit is RateUnit.Concurrency ? 2 : null,
        });
        var ask = new RateAsk("local", 1, Items: 4, Bytes: 100);
        Assert.True(TryTake(state, ask, At(0)));
        Assert.True(TryTake(state, ask, At(0)));
        var verdict = state.Check(ask, At(0));
        Assert.Equal((unit, false), (verdict.Unit, verdict.Passed));
        Assert.Equal((unit, 0L), (state.Look(ask, At(0)).Unit, state.Look(ask, At(0)).Left));
    }

    [Fact]
    public void Place_is_free_again_when_somebody_leaves()
    {
        var state = new RateState(new() { Concurrency = 1 });
        Assert.True(TryTake(state, s_one, At(0)));
        Assert.Equal(TimeSpan.MaxValue, state.Check(s_one, At(10_000)).Wait);
        Assert.True(state.Leave("local"));
        Assert.True(state.Check(s_one, At(10_000)).Passed);
    }

    [Fact]
    public void Request_larger_than_the_bucket_passes_when_it_is_full_and_is_paid_for_afterwards()
    {
        var state = new RateState(new() { ItemsPerSecond = 10 });
        Assert.True(TryTake(state, new("local", 1, Items: 30, Bytes: 0), At(0)));
        // 20 owed and 1 asked for.
        Assert.Equal(TimeSpan.FromSeconds(2.1), state.Check(new("local", 1, Items: 1, Bytes: 0), At(0)).Wait);
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void In_no_stretch_of_time_more_passes_than_burst_and_rate(int seed)
    {
        var random = new Random(seed);
        var (rate, burst) = (random.Next(1, 50), random.Next(1, 30) / 10.0);
        var fair = random.Next(2) == 0;
        var state = new RateState(new() { RequestsPerSecond = rate, BurstSeconds = burst, FairShares = fair });
        List<double> passed = [];
        for (var ms = 0.0; ms < 60_000; ms += random.NextDouble() * 40)
        {
            if (TryTake(state, new($"t{random.Next(3)}", 1 + random.Next(3), 1, 0), At(ms)))
                passed.Add(ms / 1000);
        }

        var size = Math.Max(1, rate * burst);
        for (var i = 0; i < passed.Count; i++)
        {
            for (var j = i; j < passed.Count; j++)
            {
                var most = size + (rate * (passed[j] - passed[i])) + 1e-6;
                Assert.True(j - i + 1 <= most, $"{j - i + 1} between {passed[i]} s and {passed[j]} s; {most} may");
            }
        }
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Flooding_tenant_does_not_take_the_polite_ones_part_of_a_rate(int seed)
    {
        var random = new Random(seed);
        var state = new RateState(new() { RequestsPerSecond = 100, BurstSeconds = 0.2, FairShares = true });
        var (flooded, polite, asked) = (0, 0, 0);
        var next = 0.0;
        for (var ms = 0.0; ms < 60_000; ms += 1)
        {
            for (var i = 0; i < 2; i++)
                flooded += TryTake(state, new("flood", 1, 1, 0), At(ms)) ? 1 : 0;
            if (ms < next)
                continue;
            // 45 a second on average, of the 50 that are its part.
            next = ms + (random.NextDouble() * 2 * 1000 / 45);
            asked++;
            polite += TryTake(state, new("polite", 1, 1, 0), At(ms)) ? 1 : 0;
        }

        Assert.True(polite >= 0.95 * asked, $"polite {polite} of {asked}");
        Assert.True(flooded + polite >= 0.98 * 6000, $"{flooded + polite} of 6000 were used");
    }

    [Fact]
    public void Tenant_alone_has_all_of_a_shared_rate()
    {
        var state = new RateState(new() { RequestsPerSecond = 100, FairShares = true });
        var passed = 0;
        for (var ms = 0; ms <= 10_000; ms++)
            passed += TryTake(state, s_one, At(ms)) ? 1 : 0;
        Assert.InRange(passed, 1090, 1101);
    }

    [Fact]
    public void Weights_divide_a_contended_rate()
    {
        var state = new RateState(new() { RequestsPerSecond = 100, BurstSeconds = 0.1, FairShares = true });
        var passed = new int[2];
        for (var ms = 0; ms < 60_000; ms += 2)
        {
            passed[0] += TryTake(state, new("gold", 3, 1, 0), At(ms)) ? 1 : 0;
            passed[1] += TryTake(state, new("tin", 1, 1, 0), At(ms)) ? 1 : 0;
        }

        Assert.InRange(passed[0] / (double)passed[1], 2.8, 3.2);
    }

    [Fact]
    public void Shared_places_are_kept_for_a_tenant_that_was_there_of_late()
    {
        var state = new RateState(new() { Concurrency = 10, FairShares = true });
        RateAsk flood = new("flood", 1, 1, 0), polite = new("polite", 1, 1, 0);
        Assert.True(TryTake(state, polite, At(0)));
        state.Leave("polite");
        var taken = Enumerable.Range(0, 20).Count(_ => TryTake(state, flood, At(1)));
        Assert.Equal(5, taken);
        Assert.Equal(5, Enumerable.Range(0, 20).Count(_ => TryTake(state, polite, At(2))));
        // Silent for longer, it is kept nothing.
        for (var i = 0; i < 5; i++)
            state.Leave("polite");
        Assert.Equal(5, Enumerable.Range(0, 20).Count(_ => TryTake(state, flood, At(20_000))));
    }

    private static bool TryTake(RateState state, in RateAsk ask, Instant now)
    {
        if (!state.Check(ask, now).Passed)
            return false;
        state.Take(ask, now);
        return true;
    }

    private static Instant At(double ms) => new((long)(ms * TimeSpan.TicksPerMillisecond));
}
