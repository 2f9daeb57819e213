using Spillway.Flow;
using Spillway.Planner;
using Spillway.Policies.Batching;

namespace Spillway.Tests.Planner;

/// <summary>Mixed lengths on virtual time: the production flow with and without buckets, over capacity.</summary>
public sealed class MixedLengthsTests
{
    private const int Shortest = 160, Longest = 960;

    /// <summary>
    /// A run costs a fixed 2 ms and 1 ms for each row as long as the longest: it gains from batching.
    /// </summary>
    private static readonly BatchPoint[] s_curve =
        [.. new[] { 1, 2, 4, 8, 16 }.Select(rows => new BatchPoint(rows, TimeSpan.FromMilliseconds(2 + rows)))];

    private static readonly ShapeBuckets s_ladder =
        new(ShapeBuckets.Derive(Shortest, Longest, 8, 0.15), 0.15);

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 6)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Buckets_answer_far_more_than_equal_shapes_alone_and_a_third_more_than_one_length_for_all(int seed)
    {
        var buckets = Live(s_ladder, seed);
        var widest = Live(new([Longest], 0.9), seed);
        var exact = Live(null, seed);

        var what = $"{buckets.Good} with buckets, {widest.Good} padded to the longest, {exact.Good} unpadded, "
            + $"seed {seed}";
        Assert.True(buckets.Good >= 1.3 * widest.Good, what);
        Assert.True(buckets.Good >= 1.3 * exact.Good, what);
        Assert.InRange(buckets.Waste, 0, 0.15);
        Assert.InRange(widest.Waste, 0.35, 0.5);
        Assert.Equal(0, exact.Waste);
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void A_lonely_length_is_answered_in_its_turn_beside_a_flood_of_another(int seed)
    {
        var random = new Random(seed);
        var world = Make(s_ladder, seed, deadlineMs: 400, queue: 4096);
        for (var i = 0; i < 8_000; i++)
        {
            var at = new Instant(random.NextInt64(0, 2 * TimeSpan.TicksPerSecond));
            world.Arrive($"many{i}", at, Claim(at, 300));
        }

        for (var i = 0; i < 10; i++)
        {
            var at = new Instant((100 + (150 * i)) * TimeSpan.TicksPerMillisecond);
            world.Arrive($"lonely{i}", at, Claim(at, 900));
        }

        world.Run();
        // Admission may refuse it like any other; once in, it is not passed over.
        var lonely = world.Answers.Where(a => a.Id.StartsWith("lonely", StringComparison.Ordinal)).ToList();
        var many = world.Answers.Where(a => a.Id.StartsWith("many", StringComparison.Ordinal)).ToList();
        Assert.Contains(lonely, a => a.Good);
        Assert.Contains(many, a => !a.Good);
        foreach (var one in lonely.Where(a => a.Good))
        {
            // Who came 100 ms later, with the same patience, is not answered before.
            var later = one.Arrived + TimeSpan.FromMilliseconds(100);
            Assert.DoesNotContain(many, a => a.Good && a.Arrived > later && a.Ended < one.Ended);
        }
    }

    private static (int Good, double Waste) Live(ShapeBuckets? buckets, int seed)
    {
        var random = new Random(seed);
        var world = Make(buckets, seed, deadlineMs: 250, queue: 256);
        for (var i = 0; i < 12_000; i++)
        {
            var at = new Instant(random.NextInt64(0, 5 * TimeSpan.TicksPerSecond));
            world.Arrive($"r{i}", at, Claim(at, random.Next(Shortest, Longest + 1)));
        }

        world.Run();
        Assert.Equal(12_000, world.Answers.Count);
        return (world.Answers.Count(a => a.Good), world.PaddingRun / (double)world.ElementsRun);
    }

    private static Claim Claim(Instant at, int length) =>
        new() { Started = at, Rows = 1, Elements = length, Length = length };

    private static World Make(ShapeBuckets? buckets, int seed, double deadlineMs, int queue)
    {
        var lengths = buckets?.Lengths ?? [Longest];
        var flow = new DeploymentFlow(
            new() { BatchRowsMax = 16, QueueLengthMax = queue }, new() { FixedMs = deadlineMs },
            [.. lengths.Select(length => new BucketCurve(Truth(length), length))], runners: 1, buckets,
            lengths.Count / 2);
        return new(flow, new(new("m", "1"), "m", RouteState.Ready, "", queue), new Times(seed));
    }

    private static BatchPoint[] Truth(double length) =>
        [.. s_curve.Select(p => new BatchPoint(p.Rows, Time(p.Rows, p.Rows * length)))];

    private static TimeSpan Time(int rows, double elements) =>
        TimeSpan.FromMilliseconds(2 + (rows * (elements / rows / Longest)));

    /// <summary>The truth of this world, with a spread of 5 %.</summary>
    private sealed class Times(int seed) : IRunTimes
    {
        private readonly Random _random = new(seed);

        public TimeSpan Next(int runner, int rows, long elements) =>
            Time(rows, elements) * (0.95 + (0.1 * _random.NextDouble()));
    }
}
