using Spillway.Engine;
using Spillway.Flow;
using Spillway.Planner;
using Spillway.Policies.Batching;
using Spillway.Policies.Overload;

namespace Spillway.Tests.Planner;

/// <summary>Who is given up first when a deployment has too much to do: floods on virtual time.</summary>
public sealed class SheddingTests
{
    private static readonly BatchPoint[] s_curve =
        [new(1, TimeSpan.FromMilliseconds(25)), new(2, TimeSpan.FromMilliseconds(50))];

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 5)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void In_a_fourfold_flood_critical_requests_are_answered_and_sheddable_ones_given_up(int seed)
    {
        var (equal, ranked) = (Flood(seed, shedding: false), Flood(seed, shedding: true));

        // A fifth is critical, so there is room for all of it; without classes everybody loses alike.
        Assert.True(equal.Critical < 0.5, $"{equal}, seed {seed}");
        Assert.True(ranked.Critical > 0.85, $"{ranked}, seed {seed}");
        Assert.True(ranked.Sheddable < equal.Sheddable, $"{ranked} and {equal}, seed {seed}");
        Assert.True(ranked.Shed > 0, $"{ranked}, seed {seed}");
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void In_a_tenfold_flood_critical_requests_of_half_the_capacity_find_the_line_short(int seed)
    {
        var ranked = Flood(seed, shedding: true, perSecond: 800, oneIn: 20);

        Assert.True(ranked.Critical > 0.97, $"{ranked}, seed {seed}");
        Assert.True(ranked.Sheddable > 0.03, $"{ranked}, seed {seed}");
    }

    [Fact]
    public void Idle_deployment_sheds_nobody()
    {
        var shedder = Shedder();
        var (flow, now) = (Flow(shedder), new Instant(0));
        for (var i = 0; i < 50; i++)
            shedder.Waited(TimeSpan.FromSeconds(1), now += TimeSpan.FromMilliseconds(30));
        Assert.True(shedder.Cut > 0);

        var placed = flow.Place(Claim(now, Criticality.Sheddable, 0), now);

        Assert.Null(placed.Refused);
    }

    [Fact]
    public void Refusal_says_what_was_measured_and_what_to_do()
    {
        var shedder = Shedder();
        var (flow, now) = (Flow(shedder), new Instant(0));
        Span<int> batch = stackalloc int[flow.BatchMax];
        var drops = new Drop[flow.Capacity];
        for (var i = 0; i < 3; i++)
        {
            var slot = flow.Place(Claim(now, Criticality.CriticalPlus, 0), now).Slot;
            if (flow.Ready(slot, now) is { How: not Launch.Queue } step)
                flow.Take(step.Runner, batch, drops, now);
        }

        for (var i = 0; i < 50; i++)
        {
            // Somebody came and waited long.
            shedder.Decide(Criticality.Sheddable, (uint)i, TimeSpan.Zero, now);
            shedder.Waited(TimeSpan.FromMilliseconds(80), now += TimeSpan.FromMilliseconds(30));
        }

        var refused = flow.Place(Claim(now, Criticality.Sheddable, 0), now);
        Assert.Equal(FaultKind.Shed, refused.Refused);
        var fault = Refusals.Explain(Route(), FaultKind.Shed, refused);
        Assert.StartsWith(
            "Given up for more critical requests: those to model m wait 80 ms, which is overload "
            + "(shedding.queueMs of d). Retry after ", fault.Message, StringComparison.Ordinal);
        Assert.True(fault.RetryAfter > TimeSpan.Zero);
    }

    [Fact]
    public void Request_matters_at_most_as_much_as_its_caller_may_and_a_copy_least()
    {
        var work = new Work(static _ => { });
        Assert.Equal(Criticality.Critical, work.Criticality);
        work.Request.Criticality = Criticality.CriticalPlus;
        work.Caller = Caller.Local;
        Assert.Equal(Criticality.CriticalPlus, work.Criticality);
        work.Caller = new() { Tenant = "a", Roles = Roles.Caller };
        Assert.Equal(Criticality.Critical, work.Criticality);
        work.Request.Criticality = Criticality.SheddablePlus;
        Assert.Equal(Criticality.SheddablePlus, work.Criticality);
        work.IsBeside = true;
        Assert.Equal(Criticality.Sheddable, work.Criticality);
        work.Request.Reset();
        Assert.Equal(Criticality.Critical, work.Request.Criticality);
    }

    private static (double Critical, double Sheddable, int Shed) Flood(
        int seed, bool shedding, int perSecond = 320, int oneIn = 5)
    {
        var random = new Random(seed);
        var world = new World(Flow(shedding ? Shedder() : null), Route(), new CurveTimes(s_curve, 1, 0.05, seed));
        var (classes, at) = (new Dictionary<string, Criticality>(), 0.0);
        // Two runners of 25 ms are 80 requests a second; the first two seconds, in which the cut is found, are apart.
        while (at < 22)
        {
            at -= Math.Log(1 - random.NextDouble()) / perSecond;
            var (now, id) = (new Instant((long)(at * TimeSpan.TicksPerSecond)), $"r{classes.Count}");
            classes[id] = random.Next(oneIn) == 0 ? Criticality.Critical : Criticality.Sheddable;
            world.Arrive(id, now, Claim(now, classes[id], (uint)random.Next()));
        }

        world.Run();
        var late = world.Answers.Where(a => a.Arrived.Ticks >= 2 * TimeSpan.TicksPerSecond).ToList();
        return (PartOf(Criticality.Critical), PartOf(Criticality.Sheddable),
            late.Count(a => a.Fault?.Kind is FaultKind.Shed));

        double PartOf(Criticality criticality) =>
            late.Where(a => classes[a.Id] == criticality).Average(a => a.Good ? 1.0 : 0);
    }

    private static Claim Claim(Instant now, Criticality criticality, uint caller) =>
        new() { Started = now, Rows = 1, Elements = 1, Criticality = criticality, CallerHash = caller };

    private static CriticalityShedder Shedder() =>
        new(new() { Enabled = true, WindowMs = 200 }, default);

    private static DeploymentFlow Flow(CriticalityShedder? shedder) =>
        new(new(), new() { FixedMs = 250 }, [new BucketCurve(s_curve, 1)], runners: 2) { Shedder = shedder };

    private static Route Route() => new(new("m", "1"), "d", RouteState.Ready, "", 256);
}
