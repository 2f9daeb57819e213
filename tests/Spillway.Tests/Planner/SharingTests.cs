using Spillway.Flow;
using Spillway.Planner;
using Spillway.Policies.Sharing;

namespace Spillway.Tests.Planner;

/// <summary>
/// Two models on one device on virtual time: the production flows, minutes of traffic in milliseconds.
/// </summary>
public sealed class SharingTests
{
    private static readonly BatchPoint[] s_flat = Curve(n => 5 * n, 1, 2);
    private static readonly BatchPoint[] s_gains = Curve(n => 4 + n, 1, 2, 4, 8);

    public static TheoryData<int, int, bool> Floods
    {
        get
        {
            var data = new TheoryData<int, int, bool>();
            for (var seed = 1; seed <= 8; seed++)
            {
                data.Add(seed, 1, false);
                data.Add(seed, 2, false);
                data.Add(seed, 1, true);
            }

            return data;
        }
    }

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 8)];

    [Theory]
    [MemberData(nameof(Floods))]
    public void A_tenfold_flood_on_one_model_leaves_the_other_its_times(int seed, int turns, bool batches)
    {
        var flooded = batches ? s_gains : s_flat;
        var alone = new Device(turns, seed);
        var quiet = alone.Add("quiet", s_flat, turns);
        Device.Offer(quiet, perSecond: 20 * turns, seconds: 30);
        alone.Run();

        var shared = new Device(turns, seed);
        var beside = shared.Add("quiet", s_flat, turns);
        var flood = shared.Add("flood", flooded, batches ? 1 : turns);
        Device.Offer(beside, perSecond: 20 * turns, seconds: 30);
        Device.Offer(flood, perSecond: 10 * turns * (batches ? 8 / 0.012 : 200), seconds: 30);
        shared.Run();

        var oneRun = 1.1 * (batches ? 12 : 5);
        var (before, after) = (quiet.P95, beside.P95);
        Assert.True(
            after <= (1.5 * before) + oneRun,
            $"p95 {before:F1} ms alone, {after:F1} ms beside the flood, seed {seed}");
        Assert.True(
            beside.Answered >= 0.99 * beside.Offered,
            $"{beside.Answered} of {beside.Offered} answered, seed {seed}");
        // The flood keeps what is left.
        var left = 30 * turns * 0.9 / (batches ? 0.012 / 8 : 0.005);
        Assert.True(flood.Answered >= 0.9 * left, $"{flood.Answered} of {left:F0} possible, seed {seed}");
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Two_floods_part_the_device_by_weight_and_accept_what_they_can_answer(int seed)
    {
        var device = new Device(turns: 2, seed);
        var small = device.Add("small", s_flat, runners: 2, new() { Weight = 1 });
        var large = device.Add("large", s_flat, runners: 2, new() { Weight = 3 });
        Device.Offer(small, perSecond: 1_000, seconds: 30);
        Device.Offer(large, perSecond: 1_000, seconds: 30);
        device.Run();
        var part = large.Answered / (double)(large.Answered + small.Answered);
        Assert.True(Math.Abs(part - 0.75) <= 0.0375, $"{part:F3} of the answers, seed {seed}");
        Assert.True(
            large.Answered + small.Answered >= 0.97 * 30 * 400,
            $"{large.Answered + small.Answered} answers, seed {seed}");
        foreach (var site in new[] { small, large })
        {
            // Honest predictions: who is let in is answered, but for few.
            Assert.True(
                site.Dropped <= 0.1 * (site.Answered + site.Dropped),
                $"{site.Dropped} dropped of {site.Answered}, seed {seed}");
        }
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void When_the_flood_ends_the_other_has_the_whole_device_again(int seed)
    {
        var device = new Device(turns: 1, seed);
        var stays = device.Add("stays", s_flat, runners: 1);
        var ends = device.Add("ends", s_flat, runners: 1);
        Device.Offer(stays, perSecond: 1_000, seconds: 20);
        Device.Offer(ends, perSecond: 1_000, seconds: 10);
        device.Run();
        Assert.InRange(stays.AnsweredBetween(2, 10), 0.9 * 8 * 100, 1.1 * 8 * 100);
        Assert.True(
            stays.AnsweredBetween(11, 20) >= 0.95 * 9 * 200,
            $"{stays.AnsweredBetween(11, 20)} answers, seed {seed}");
    }

    private static BatchPoint[] Curve(Func<int, double> ms, params int[] rows) =>
        [.. rows.Select(n => new BatchPoint(n, TimeSpan.FromMilliseconds(ms(n))))];

    /// <summary>Worlds on one calendar and one device.</summary>
    private sealed class Device(int turns, int seed)
    {
        private readonly Calendar _calendar = new();
        private readonly DeviceFlow _device = new();
        private int _sites;

        public Site Add(string name, BatchPoint[] curve, int runners, SharingOptions? sharing = null)
        {
            var flow = new DeploymentFlow(new(), new() { FixedMs = 250 }, curve, elementsPerRow: 1, runners);
            var route = new Route(new(name, "1"), name, RouteState.Ready, "", 256);
            var times = new CurveTimes(curve, 1, spread: 0.1, seed + _sites);
            var world = new World(flow, route, times, calendar: _calendar);
            world.Share(_device, sharing ?? new(), turns);
            return new Site { World = world, Random = new Random((100 * seed) + _sites++) };
        }

        public static void Offer(Site site, double perSecond, double seconds)
        {
            for (var at = 0.0; ;)
            {
                at -= Math.Log(1 - site.Random.NextDouble()) / perSecond;
                if (at >= seconds)
                    return;
                var now = new Instant((long)(at * TimeSpan.TicksPerSecond));
                site.World.Arrive($"r{site.Offered++}", now, new() { Started = now, Rows = 1, Elements = 1 });
            }
        }

        public void Run() => _calendar.Run();
    }

    private sealed class Site
    {
        public required World World { get; init; }

        public required Random Random { get; init; }

        public int Offered { get; set; }

        public int Answered => World.Answers.Count(a => a.Good);

        public int Dropped => World.Answers.Count(
            a => a.Fault?.Kind is FaultKind.DroppedLate or FaultKind.DeadlineExceeded);

        public double P95
        {
            get
            {
                var times = World.Answers.Where(a => a.Fault is null)
                    .Select(a => (a.Ended - a.Arrived).TotalMilliseconds).Order().ToArray();
                return times[(int)(0.95 * times.Length)];
            }
        }

        public int AnsweredBetween(double from, double to) => World.Answers.Count(
            a => a.Good && a.Ended.Ticks >= from * TimeSpan.TicksPerSecond
                && a.Ended.Ticks < to * TimeSpan.TicksPerSecond);
    }
}
