using Spillway.Flow;

namespace Spillway.Tests.Flow;

/// <summary>Turns on a device: parts by weight, order by priority, groups, nobody starves, no turn idles.</summary>
public sealed class DeviceFlowTests
{
    private static readonly Dictionary<string, int> s_groups = new() { ["one"] = 1, ["two"] = 2 };

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 20)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Weights_of_one_to_three_give_parts_of_one_to_three(int seed)
    {
        foreach (var turns in new[] { 1, 2 })
        {
            var bench = new DeviceBench(new(), seed);
            var small = bench.Add(runMs: 7, weight: 1, runners: turns, turns: turns);
            var large = bench.Add(runMs: 3, weight: 3, runners: turns, turns: turns);
            bench.Run(untilMs: 20_000);
            var part = large.RanMs / (large.RanMs + small.RanMs);
            Assert.True(Math.Abs(part - 0.75) <= 0.0375, $"{part:F3} of the run time on {turns} turns, seed {seed}");
        }
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void No_turn_is_idle_no_group_exceeds_its_limit_and_nobody_starves_under_any_demand(int seed)
    {
        var random = new Random(seed);
        var bench = new DeviceBench(new(s_groups), seed);
        var turns = random.Next(1, 5);
        List<DeviceBench.Taker> takers = [];
        var count = random.Next(2, 9);
        for (var i = 0; i < count; i++)
        {
            takers.Add(bench.Add(
                runMs: Math.Pow(10, (2 * random.NextDouble()) - 1), weight: Math.Pow(2, (2 * random.NextDouble()) - 1),
                runners: random.Next(1, turns + 1), turns: turns,
                group: random.Next(4) switch { 0 => "one", 1 => "two", _ => "" },
                priority: random.Next(1, 4), restMs: random.Next(2) * 20 * random.NextDouble()));
        }

        bench.Run(untilMs: 5_000, s_groups);
        // At the worst a share has a quarter of the weight of each of seven others, in a group of one turn.
        foreach (var taker in takers)
        {
            Assert.True(taker.Runs > 10, $"{taker.Runs} runs of {taker.RunMs:F2} ms, seed {seed}");
            Assert.True(taker.LongestWaitMs < 2_000, $"waited {taker.LongestWaitMs:F0} ms, seed {seed}");
        }
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void One_that_is_due_waits_for_at_most_one_run_of_another(int seed)
    {
        var bench = new DeviceBench(new(), seed);
        bench.Add(runMs: 20, spread: 0.2);
        var light = bench.Add(runMs: 1, restMs: 30);
        bench.Run(untilMs: 20_000);
        Assert.True(light.Runs > 200);
        Assert.True(
            light.LongestWaitMs <= 24,
            $"waited {light.LongestWaitMs:F2} ms behind runs of at most 24 ms, seed {seed}");
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void An_urgent_share_is_earlier_but_gets_no_larger_part(int seed)
    {
        // Two bursty takers of equal demand among a flood; both want less than their part.
        var bench = new DeviceBench(new(), seed);
        bench.Add(runMs: 4);
        var urgent = bench.Add(runMs: 4, priority: 1);
        var background = bench.Add(runMs: 4, priority: 3);
        bench.Run(untilMs: 20_000);
        var parts = new[] { urgent.RanMs, background.RanMs }.Select(ms => ms / 20_000).ToArray();
        // Over twenty seconds the loan of two levels, 120 ms, is all that may be between them.
        Assert.InRange(parts[0] - parts[1], -0.005, 0.012);

        var alone = new DeviceBench(new(), seed);
        alone.Add(runMs: 4);
        var first = alone.Add(runMs: 4, priority: 1, restMs: 20);
        var last = alone.Add(runMs: 4, priority: 3, restMs: 20);
        alone.Run(untilMs: 20_000);
        Assert.True(
            first.LongestWaitMs < last.LongestWaitMs,
            $"{first.LongestWaitMs:F1} and {last.LongestWaitMs:F1} ms, seed {seed}");
    }

    [Fact]
    public void A_newcomer_has_no_credit_for_the_past()
    {
        var bench = new DeviceBench(new(), seed: 1);
        var old = bench.Add(runMs: 5);
        bench.Run(untilMs: 10_000);
        var newcomer = bench.Add(runMs: 5);
        var before = old.RanMs;
        bench.Run(untilMs: 11_000);
        Assert.InRange(newcomer.RanMs, 450, 550);
        Assert.InRange(old.RanMs - before, 450, 550);
    }

    [Fact]
    public void A_taker_alone_never_waits_and_keeps_its_turn()
    {
        var device = new DeviceFlow();
        var share = device.Join(new(), runners: 2, runsAtOnce: 2, TimeSpan.FromMilliseconds(1));
        device.Join(new(), runners: 1, runsAtOnce: 2, TimeSpan.FromMilliseconds(1));
        for (var ms = 0L; ms < 100; ms++)
        {
            Assert.True(device.Ask(share, 0, At(ms)));
            Assert.True(device.Again(share, 0, At(ms)));
            Assert.True(device.Ask(share, 1, At(ms)));
            device.Return(share, 1, ran: true, At(ms));
            device.Return(share, 0, ran: true, At(ms + 1));
            Assert.False(device.HasNext);
        }
    }

    [Fact]
    public void Short_runs_keep_a_turn_for_a_quantum_and_no_longer()
    {
        var device = new DeviceFlow();
        var flood = device.Join(new(), runners: 1, runsAtOnce: 1, TimeSpan.FromMilliseconds(0.1));
        var other = device.Join(new(), runners: 1, runsAtOnce: 1, TimeSpan.FromMilliseconds(0.1));
        Assert.True(device.Ask(flood, 0, At(0)));
        Assert.False(device.Ask(other, 0, At(0.05)));
        Assert.True(device.Again(flood, 0, At(0.1)));
        Assert.True(device.Again(flood, 0, At(0.2)));
        Assert.False(device.Again(flood, 0, At(0.3)));
        Assert.True(device.TryNext(At(0.3), out var grant));
        Assert.Same(other, grant.Share);
    }

    [Fact]
    public void One_that_leaves_hands_its_turns_on_and_is_not_heard_any_more()
    {
        var device = new DeviceFlow(s_groups);
        var leaving = device.Join(new() { Group = "one" }, runners: 1, runsAtOnce: 1, TimeSpan.FromMilliseconds(1));
        var other = device.Join(new() { Group = "one" }, runners: 1, runsAtOnce: 1, TimeSpan.FromMilliseconds(1));
        Assert.True(device.Ask(leaving, 0, At(0)));
        Assert.False(device.Ask(other, 0, At(0)));
        device.Leave(leaving, At(1));
        Assert.True(device.TryNext(At(1), out var grant));
        Assert.Same(other, grant.Share);
        device.Return(leaving, 0, ran: true, At(2));
        device.Leave(leaving, At(2));
        Assert.Equal(1, device.Running);
        device.Return(other, 0, ran: true, At(3));
        Assert.Equal(0, device.Running);
    }

    [Fact]
    public void The_outlook_knows_the_run_in_the_way_and_the_part_that_is_left()
    {
        var device = new DeviceFlow();
        var flood = device.Join(new() { Weight = 3 }, runners: 2, runsAtOnce: 2, TimeSpan.FromMilliseconds(10));
        var mine = device.Join(new(), runners: 2, runsAtOnce: 2, TimeSpan.FromMilliseconds(10));
        Assert.Equal(new(TimeSpan.Zero, 2), device.Outlook(mine, At(0)));
        Assert.True(device.Ask(flood, 0, At(0)));
        Assert.Equal(TimeSpan.Zero, device.Outlook(mine, At(0)).TurnIn);
        Assert.True(device.Ask(flood, 1, At(4)));
        Assert.Equal(TimeSpan.FromMilliseconds(4), device.Outlook(mine, At(6)).TurnIn);
        // A run that takes longer than expected is expected to end now, not in the past.
        Assert.Equal(TimeSpan.Zero, device.Outlook(mine, At(50)).TurnIn);
        Assert.InRange(device.Outlook(mine, At(4)).Turns, 1.9, 2);
        Assert.InRange(device.Outlook(mine, At(5_000)).Turns, 0.5, 0.51);
    }

    [Fact]
    public void A_group_without_a_limit_limits_nothing()
    {
        var device = new DeviceFlow(s_groups);
        var share = device.Join(new() { Group = "unknown" }, runners: 3, runsAtOnce: 3, TimeSpan.FromMilliseconds(1));
        Assert.True(device.Ask(share, 0, At(0)) && device.Ask(share, 1, At(0)) && device.Ask(share, 2, At(0)));
    }

    private static Instant At(double ms) => new((long)(ms * TimeSpan.TicksPerMillisecond));
}
