using Spillway.Flow;
using Spillway.Planner;

namespace Spillway.Tests.Planner;

/// <summary>A world that reuses its records decides as one that keeps its answers, which is held to the live
/// engine.</summary>
public sealed class WorldSinkTests
{
    private static readonly BatchPoint[] s_curve =
        [new(1, TimeSpan.FromMilliseconds(3)), new(4, TimeSpan.FromMilliseconds(6)),
            new(16, TimeSpan.FromMilliseconds(17))];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void With_a_sink_every_request_ends_at_the_same_instant_in_the_same_way(int seed)
    {
        var arrivals = Arrivals(seed);
        var kept = new World(Flow(), Route(), Times(seed));
        for (var i = 0; i < arrivals.Count; i++)
            kept.Arrive($"{i}", arrivals[i].Started, arrivals[i]);
        kept.Run();

        var calendar = new Calendar();
        var sink = new Sink(calendar);
        var told = new World(Flow(), Route(), Times(seed), calendar: calendar, sink: sink);
        for (var i = 0; i < arrivals.Count; i++)
        {
            var (tag, claim) = (i, arrivals[i]);
            calendar.Schedule(claim.Started, () => told.Submit(tag, claim));
        }

        calendar.Run();
        Assert.Contains(kept.Answers, a => a.Fault is not null);
        Assert.Equal(kept.Answers.Select(a => (int.Parse(a.Id), a.Ended, a.Fault?.Kind)), sink.Ends);
        Assert.Equal(sink.Ends.Count(e => e.Fault is null),
            sink.Ends.Count(e => e.Fault is null && sink.Began.Contains(e.Tag)));
    }

    private static List<Claim> Arrivals(int seed)
    {
        var random = new Random(seed);
        var now = 0L;
        List<Claim> claims = [];
        for (var i = 0; i < 3_000; i++)
        {
            now += random.Next(0, 16_000);
            claims.Add(new()
            {
                Started = new(now), Rows = 1, Elements = random.Next(500, 3_000),
                Timeout = random.Next(4) == 0 ? TimeSpan.FromMilliseconds(random.Next(5, 60)) : null,
            });
        }

        return claims;
    }

    private static DeploymentFlow Flow() =>
        new(new() { QueueLengthMax = 40, BatchRowsMax = 16 }, new() { FixedMs = 80 }, s_curve, 1000, runners: 1);

    private static CurveTimes Times(int seed) => new(s_curve, 1000, spread: 0.2, seed);

    private static Route Route() => new(new("m", "1"), "m", RouteState.Ready, "", 40);

    private sealed class Sink(Calendar calendar) : IWorldSink
    {
        public HashSet<int> Began { get; } = [];

        public List<(int Tag, Instant At, FaultKind? Fault)> Ends { get; } = [];

        void IWorldSink.Began(int tag) => Began.Add(tag);

        void IWorldSink.Ended(int tag, FaultKind? fault) => Ends.Add((tag, calendar.Now, fault));
    }
}
