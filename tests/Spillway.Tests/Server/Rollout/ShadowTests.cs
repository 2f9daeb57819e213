using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Spillway.Tests.Server.Rollout;

/// <summary>Copies for the challenger: compared, billed to nobody, and the first to go under load.</summary>
public sealed class ShadowTests
{
    private const string Copied = "stepsPercent: [0.01], shadowPercent: 100, stepRequestsMin: 1000000, "
        + "latencyTolerance: 100";

    [Fact]
    public async Task Copies_are_compared_and_billed_to_nobody()
    {
        await using var server = await TestServer.StartAsync(RolloutServer.Folder(
            $"{{ challenger: new, {Copied} }}", old: "  priceNanoPerRow: 1000000",
            latest: TestServer.Simulated(more: "  priceNanoPerRow: 7000000")));
        await server.ChangeAsync("start");
        var session = await server.SessionAsync("champion");
        for (var i = 0; i < 20; i++)
        {
            var reply = await server.AskAsync(session, ("X-Request-Id", $"copied-{i}"));
            Assert.Equal("champion", reply.Header("X-Spillway-Rollout"));
            var record = await server.RecordAsync($"copied-{i}");
            Assert.Contains("Settled: 0.001000000 for 1 row.", Told(record));
            Assert.EndsWith("the challenger was to have a copy.", Told(record).Single(
                t => t.StartsWith("Routed to champion", StringComparison.Ordinal)), StringComparison.Ordinal);
        }

        await TestServer.UntilAsync(async () =>
        {
            var copies = (await server.RolloutAsync()).GetProperty("copies");
            return copies.Number("compared") + copies.Number("dropped") >= 20;
        });
        var seen = (await server.RolloutAsync()).GetProperty("copies");
        Assert.True(seen.Number("compared") > 0);
        Assert.Equal(seen.Number("compared"), seen.Number("agreed"));
        Assert.True(seen.GetProperty("latency_ratio").GetDouble() > 0);
        // Nothing of a copy is a request of anybody's.
        var metrics = (await server.GetAsync("/metrics")).Text;
        Assert.DoesNotMatch("spillway_requests_total\\{model=\"new\",[^}]*outcome=\"ok\"\\} [1-9]", metrics);
        Assert.Contains("spillway_rollout_agreement_ratio{route=\"r\"} 1\n", metrics, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Copies_are_dropped_while_the_challenger_has_work_and_the_champion_answers_as_before()
    {
        await using var server = await TestServer.StartAsync(RolloutServer.Folder(
            $"{{ challenger: new, {Copied} }}", latest: TestServer.Simulated("{ 1: 60000 }")));
        await server.ChangeAsync("start");
        // The first copy runs for a minute.
        var session = await server.SessionAsync("champion");
        await server.UntilModelAsync("new", "active_runs", 1);
        var before = (await server.RolloutAsync()).GetProperty("copies").Number("dropped");
        for (var i = 0; i < 40; i++)
            Assert.Equal(200, (await server.AskAsync(session)).Status);
        // A copy is thought of when the champion has answered.
        JsonElement copies = default;
        await TestServer.UntilAsync(async () =>
            (copies = (await server.RolloutAsync()).GetProperty("copies")).Number("dropped") >= before + 40);
        Assert.Equal((0, 40), (copies.Number("compared"), copies.Number("dropped") - before));
        var metrics = (await server.GetAsync("/metrics")).Text;
        var dropped = Regex.Match(metrics, "spillway_rollout_shadow_dropped_total\\{route=\"r\"\\} (\\d+)");
        Assert.Equal(copies.Number("dropped"), int.Parse(dropped.Groups[1].Value, CultureInfo.InvariantCulture));
    }

    [Fact]
    public async Task Challenger_whose_copies_do_not_agree_is_stopped()
    {
        await using var server = await TestServer.StartAsync(RolloutServer.Folder(
            $"{{ challenger: new, {Copied} }}", latest: TestServer.Simulated(more: "  faultRate: 1")));
        await server.ChangeAsync("start");
        for (var i = 0; (await server.RolloutAsync()).Text("phase") == "running"; i++)
        {
            Assert.True(i < 2000, "The challenger was not stopped.");
            Assert.Equal(200, (await server.AskAsync("one and the same")).Status);
        }

        var why = (await server.RolloutAsync()).GetProperty("history").EnumerateArray().Last().Text("why");
        Assert.Contains("0 % of its copies agree with the champion", why, StringComparison.Ordinal);
    }

    private static List<string> Told(JsonElement record) =>
        [.. record.GetProperty("decisions").EnumerateArray().Select(d => d.Text("text"))];
}
