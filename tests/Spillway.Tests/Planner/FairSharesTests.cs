using Spillway.Flow;
using Spillway.Planner;
using Spillway.Policies.Batching;

namespace Spillway.Tests.Planner;

/// <summary>A flooding tenant beside a polite one, on virtual time.</summary>
public sealed class FairSharesTests
{
    private const double Seconds = 40;
    private const double CapacityPerSecond = 100;

    private static readonly BatchPoint[] s_flat =
        [new(1, TimeSpan.FromMilliseconds(10)), new(2, TimeSpan.FromMilliseconds(20))];

    private static readonly BatchPoint[] s_gains =
        [.. new[] { 1, 2, 4, 8, 16 }.Select(n => new BatchPoint(n, TimeSpan.FromMilliseconds(1 + (2 * n))))];

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 10)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Polite_tenant_keeps_its_share_beside_a_flood(int seed)
    {
        var day = Day(s_flat, CapacityPerSecond, seed, flood: 10, polite: 0.45);
        Assert.True(day.Polite >= 0.95 * day.PoliteAsked, $"{day.Polite} of {day.PoliteAsked}, seed {seed}");
        // And what it leaves is used.
        Assert.True(day.Polite + day.Flood >= 0.95 * CapacityPerSecond * Seconds, $"{day.Polite + day.Flood} in all");
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Polite_tenant_keeps_its_share_where_batches_pay(int seed)
    {
        const double Capacity = 1000.0 * 16 / 33;
        var day = Day(s_gains, Capacity, seed, flood: 5, polite: 0.4);
        Assert.True(day.Polite >= 0.95 * day.PoliteAsked, $"{day.Polite} of {day.PoliteAsked}, seed {seed}");
        Assert.True(day.Polite + day.Flood >= 0.9 * Capacity * (Seconds - 1), $"{day.Polite + day.Flood} in all");
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Without_shares_the_flood_starves_it(int seed)
    {
        var day = Day(s_flat, CapacityPerSecond, seed, flood: 10, polite: 0.45, shares: false);
        Assert.True(day.Polite < 0.5 * day.PoliteAsked, $"{day.Polite} of {day.PoliteAsked}, seed {seed}");
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Two_floods_get_their_weights(int seed)
    {
        var day = Day(s_flat, CapacityPerSecond, seed, flood: 5, polite: 5, weight: 3);
        Assert.InRange(day.Polite / (double)day.Flood, 2.75, 3.25);
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Urgent_flood_does_not_buy_a_larger_part(int seed)
    {
        var day = Day(s_flat, CapacityPerSecond, seed, flood: 10, polite: 0.45, urgent: true);
        Assert.True(day.Polite >= 0.95 * day.PoliteAsked, $"{day.Polite} of {day.PoliteAsked}, seed {seed}");
    }

    private static (int Flood, int Polite, int PoliteAsked) Day(
        BatchPoint[] curve, double capacity, int seed, double flood, double polite, bool shares = true,
        double weight = 1, bool urgent = false)
    {
        var random = new Random(seed);
        var options = new BatchingOptions { BatchRowsMax = curve[^1].Rows };
        var world = new World(
            new(options, new() { FixedMs = 250 }, curve, elementsPerRow: 1, runners: 1),
            new(new("m", "1"), "m", RouteState.Ready, "", 256), new CurveTimes(curve, 1, spread: 0.05, seed));
        var asked = Arrivals("flood", flood * capacity, 1, urgent ? 1 : 0) is var _
            ? Arrivals("polite", polite * capacity, weight, 0) : 0;
        world.Run();
        var good = world.Answers.Where(a => a.Good && a.Arrived.Ticks > TimeSpan.TicksPerSecond).ToList();
        return (good.Count(a => a.Id.StartsWith('f')), good.Count(a => a.Id.StartsWith('p')), asked);

        int Arrivals(string tenant, double rate, double tenantWeight, int priority)
        {
            var counted = 0;
            for (var at = 0.0; at < Seconds; at -= Math.Log(1 - random.NextDouble()) / rate)
            {
                var now = new Instant((long)(at * TimeSpan.TicksPerSecond));
                counted += at > 1 ? 1 : 0;
                world.Arrive($"{tenant}{at:R}", now, new()
                {
                    Started = now, Rows = 1, Elements = 1, Priority = priority,
                    Tenant = shares ? tenant : null, Weight = tenantWeight,
                });
            }

            return counted;
        }
    }
}
