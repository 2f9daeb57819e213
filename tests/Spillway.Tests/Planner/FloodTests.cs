using Spillway.Flow;
using Spillway.Planner;
using Spillway.Policies.Batching;

namespace Spillway.Tests.Planner;

/// <summary>Floods on virtual time: the production flow, minutes of traffic in milliseconds.</summary>
public sealed class FloodTests
{
    private static readonly BatchPoint[] s_gains = Curve(n => 1 + (2 * n), 1, 2, 4, 8, 16, 32);
    private static readonly BatchPoint[] s_flat = Curve(n => 25 * n, 1, 2);

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 5)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void At_a_tenth_over_capacity_most_of_what_is_offered_is_answered_in_time(int seed)
    {
        var day = Flood(s_flat, runners: 2, seed, (60, 1.1));
        Assert.True(day.Good >= 0.85 * day.Offered, $"{day.Good} of {day.Offered} in time, seed {seed}");
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void A_model_that_gains_from_batching_keeps_its_goodput_over_capacity(int seed)
    {
        var day = Flood(s_gains, runners: 1, seed, (60, 1.1));
        Assert.True(day.Good >= 0.85 * day.Offered, $"{day.Good} of {day.Offered} in time, seed {seed}");
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void At_five_times_capacity_the_goodput_stays_at_capacity(int seed)
    {
        foreach (var (curve, runners) in new[] { (s_flat, 2), (s_gains, 1) })
        {
            var day = Flood(curve, runners, seed, (30, 5));
            var capacity = Capacity(curve, runners) * 30;
            Assert.True(day.Good >= 0.95 * capacity, $"{day.Good} of {capacity:F0} possible, seed {seed}");
        }
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void After_a_tenfold_spike_normal_times_return_within_two_seconds(int seed)
    {
        var day = Flood(s_flat, runners: 2, seed, (20, 0.5), (10, 10), (20, 0.5));
        var before = P95(day.Answers, 5, 20);
        var after = P95(day.Answers, 32, 50);
        Assert.True(after <= 1.25 * before, $"p95 {before:F1} ms before, {after:F1} ms from two seconds after the spike on, seed {seed}");
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Every_request_has_exactly_one_outcome_and_nothing_stays_behind(int seed)
    {
        var random = new Random(seed);
        var flow = MakeFlow(s_gains, runners: random.Next(1, 4), new() { QueueLengthMax = random.Next(1, 40), BatchRowsMax = 16, BatchWaitMs = random.Next(0, 2) * 3 });
        var world = new World(flow, Route(), new CurveTimes(s_gains, 1, spread: 0.3, seed));
        var now = 0L;
        for (var i = 0; i < 5_000; i++)
        {
            now += random.Next(0, 20_000);
            var rows = random.Next(1, 4);
            var at = new Instant(now);
            world.Arrive(
                $"r{i}", at,
                new() { Started = at, Rows = rows, Elements = rows, Priority = random.Next(0, 4), Form = new([random.Next(1, 3)]), Timeout = TimeSpan.FromMilliseconds(random.Next(1, 120)) },
                leaves: random.Next(4) == 0 ? at + TimeSpan.FromMilliseconds(random.Next(0, 60)) : null);
        }

        world.Run();
        Assert.Equal(5_000, world.Answers.Count);
        Assert.Equal(5_000, world.Answers.Select(a => a.Id).Distinct().Count());
        Assert.True(flow.IsIdle);
        Assert.All(world.Answers, a => Assert.True(a.Ended >= a.Arrived));
        // Nobody is kept beyond the deadline: refused, answered, or given up by then.
        Assert.All(world.Answers.Where(a => a.Deadline != default), a => Assert.True(a.Ended <= a.Deadline || a.Fault?.Kind is FaultKind.DeadlineExceeded or FaultKind.PredictedLate));
        Assert.Contains(world.Answers, a => a.Fault is null);
        Assert.Contains(world.Answers, a => a.Fault?.Kind is FaultKind.Cancelled);
        Assert.Contains(world.Answers, a => a.Fault?.Kind is FaultKind.PredictedLate);
    }

    [Fact]
    public void The_same_seed_gives_the_same_decisions()
    {
        Assert.Equal(Flood(s_gains, 1, 7, (10, 2)).Answers.Select(a => (a.Id, a.Ended)), Flood(s_gains, 1, 7, (10, 2)).Answers.Select(a => (a.Id, a.Ended)));
    }

    private static (int Offered, int Good, IReadOnlyList<WorldAnswer> Answers) Flood(
        BatchPoint[] curve, int runners, int seed, params (double Seconds, double Load)[] phases)
    {
        var random = new Random(seed);
        var world = new World(
            MakeFlow(curve, runners, new() { BatchRowsMax = 32 }), Route(), new CurveTimes(curve, 1, spread: 0.05, seed));
        var (offered, from) = (0, 0.0);
        foreach (var (seconds, load) in phases)
        {
            var rate = load * Capacity(curve, runners);
            for (var at = from; ;)
            {
                at -= Math.Log(1 - random.NextDouble()) / rate;
                if (at >= from + seconds)
                    break;
                var now = new Instant((long)(at * TimeSpan.TicksPerSecond));
                world.Arrive($"r{offered++}", now, new() { Started = now, Rows = 1, Elements = 1 });
            }

            from += seconds;
        }

        world.Run();
        return (offered, world.Answers.Count(a => a.Good), world.Answers);
    }

    private static DeploymentFlow MakeFlow(BatchPoint[] curve, int runners, BatchingOptions options) =>
        new(options, new() { FixedMs = 250 }, curve, elementsPerRow: 1, runners);

    /// <summary>Rows a second at the useful batch size, beyond which the policy finds the gain too small.</summary>
    private static double Capacity(BatchPoint[] curve, int runners)
    {
        var useful = BatchCurve.UsefulRows(curve, new BatchingOptions().GainMin);
        return runners * useful * TimeSpan.TicksPerSecond / BatchPoint.TicksAt(curve, useful);
    }

    private static double P95(IEnumerable<WorldAnswer> answers, double from, double to)
    {
        var times = answers.Where(a => a.Fault is null && a.Arrived.Ticks >= from * TimeSpan.TicksPerSecond && a.Arrived.Ticks < to * TimeSpan.TicksPerSecond)
            .Select(a => (a.Ended - a.Arrived).TotalMilliseconds).Order().ToArray();
        return times[(int)(0.95 * times.Length)];
    }

    private static Route Route() => new(new("m", "1"), "m", RouteState.Ready, "", 256);

    private static BatchPoint[] Curve(Func<int, double> ms, params int[] rows) =>
        [.. rows.Select(n => new BatchPoint(n, TimeSpan.FromMilliseconds(ms(n))))];
}
