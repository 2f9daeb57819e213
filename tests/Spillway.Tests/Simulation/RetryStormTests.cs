using Xunit.Abstractions;

namespace Spillway.Tests.Simulation;

/// <summary>
/// An upstream is dead for 30 s under load, and comes back: what the policies make of it, beside naive retries in the
/// same world.
/// </summary>
public sealed class RetryStormTests(ITestOutputHelper output)
{
    private const double From = UpstreamWorld.DeadFromMs;
    private const double To = UpstreamWorld.DeadToMs;

    public static TheoryData<int, bool> Worlds
    {
        get
        {
            var worlds = new TheoryData<int, bool>();
            for (var seed = 1; seed <= 10; seed++)
            {
                worlds.Add(seed, false);
                worlds.Add(seed, true);
            }

            return worlds;
        }
    }

    [Theory]
    [MemberData(nameof(Worlds))]
    public void One_of_three_dead_costs_no_answer_little_traffic_and_no_time(int seed, bool hangs)
    {
        var (guarded, naive) = Run(seed, targets: 3, hangs);
        Assert.True(guarded.AttemptsPerRequest(From, To) <= 1.2);
        Assert.True(guarded.Answered(From, To) > 0.995);
        Assert.True(guarded.Percentile(0.99, From, To) < (1.5 * guarded.Percentile(0.99, 0, From)) + 10);
        Assert.Equal(0, guarded.RecoveredMs);
        Assert.True(guarded.BackMs(attempts: 20) < 2000, $"back after {guarded.BackMs(20)} ms");
        Assert.True(naive.AttemptsPerRequest(From, To) > 1.4);
        Assert.True(naive.Percentile(0.99, From, To) > 2 * guarded.Percentile(0.99, From, To));
    }

    [Theory]
    [MemberData(nameof(Worlds))]
    public void The_only_one_dead_is_not_stormed_and_serves_all_within_two_seconds_of_its_return(int seed, bool hangs)
    {
        var (guarded, naive) = Run(seed, targets: 1, hangs);
        Assert.True(guarded.AttemptsPerRequest(From, To) <= 0.2);
        Assert.True(guarded.AttemptsPerRequest(0, UpstreamWorld.EndMs) <= 1.2);
        Assert.True(guarded.RecoveredMs < 2000, $"recovered after {guarded.RecoveredMs} ms");
        Assert.Equal(1, guarded.Answered(To + 2000, UpstreamWorld.EndMs - UpstreamWorld.DeadlineMs));
        Assert.True(naive.AttemptsPerRequest(From, To) > 3.5);
    }

    [Theory]
    [MemberData(nameof(Worlds))]
    public void In_any_ten_seconds_retries_add_at_most_a_fifth(int seed, bool hangs)
    {
        foreach (var targets in (int[])[1, 3])
        {
            var world = Of(seed, targets, hangs, naive: false);
            for (var from = 0.0; from <= UpstreamWorld.EndMs - 10_000; from += 1000)
                Assert.True(world.AttemptsPerRequest(from, from + 10_000) <= 1.2, $"seed {seed}, from {from} ms");
        }
    }

    private (UpstreamWorld Guarded, UpstreamWorld Naive) Run(int seed, int targets, bool hangs)
    {
        var (guarded, naive) = (Of(seed, targets, hangs, naive: false), Of(seed, targets, hangs, naive: true));
        output.WriteLine($"{targets} targets, {(hangs ? "hangs" : "refuses")}: guarded {Text(guarded)}");
        output.WriteLine($"{targets} targets, {(hangs ? "hangs" : "refuses")}: naive   {Text(naive)}");
        return (guarded, naive);
    }

    private static UpstreamWorld Of(int seed, int targets, bool hangs, bool naive)
    {
        var world = new UpstreamWorld(seed, targets, hangs, naive);
        world.Run();
        return world;
    }

    private static string Text(UpstreamWorld world) =>
        $"{world.AttemptsPerRequest(From, To):0.000} attempts a request while dead, {world.Answered(From, To):0.0000} "
        + $"answered, recovered after {world.RecoveredMs:0} ms, p99 before {world.Percentile(0.99, 0, From):0} ms"
        + (world.Answered(From, To) > 0.1 ? $", while dead {world.Percentile(0.99, From, To):0} ms" : "");
}
