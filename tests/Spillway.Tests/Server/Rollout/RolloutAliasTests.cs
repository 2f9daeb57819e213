using System.Text;
using Spillway.Tests.Config;

namespace Spillway.Tests.Server.Rollout;

/// <summary>Versions of a model as steps and challengers, and the sides of a rollout asked by their names.</summary>
public sealed class RolloutAliasTests
{
    private const string Endless = "stepRequestsMin: 1000000, latencyTolerance: 100";

    [Fact]
    public async Task Each_side_can_be_asked_by_its_name_before_during_and_after_a_rollout()
    {
        await using var server = await TestServer.StartAsync(
            RolloutServer.Folder($"{{ challenger: new, stepsPercent: [50], {Endless} }}"));
        await SidesAsync(server, champion: "old", challenger: "new");
        await server.ChangeAsync("start");
        await SidesAsync(server, champion: "old", challenger: "new");
        // They are no part of what is counted.
        var status = await server.RolloutAsync();
        Assert.Equal((0, 0), (status.Number("champion_requests"), status.Number("challenger_requests")));
        await server.ChangeAsync("promote");
        await SidesAsync(server, champion: "new", challenger: "old");
        await server.ChangeAsync("rollback");
        await SidesAsync(server, champion: "old", challenger: "new");
    }

    [Fact]
    public async Task A_side_obeys_what_its_route_obeys()
    {
        await using var server = await TestServer.StartAsync(RolloutServer.Folder($"{{ challenger: new, {Endless} }}"));
        await server.SendAsync(new(HttpMethod.Post, "/admin/v1/switches/off?route=r&why=test"));
        (await AskAsync(server, "challenger")).Is(503, "switched_off");
    }

    [Fact]
    public async Task Without_a_challenger_its_name_is_no_version_and_the_error_says_which_there_are()
    {
        await using var server = await TestServer.StartAsync(RolloutServer.Folder($"{{ {Endless} }}"));
        Assert.Equal(200, (await AskAsync(server, "champion")).Status);
        (await AskAsync(server, "challenger")).Is(
            404, "unknown_model", "'r' version challenger is not found", "version 1, champion, challenger where");
        (await server.InferAsync("old/versions/champion", Row, [])).Is(404, "unknown_model", "version champion");
    }

    [Fact]
    public async Task A_version_is_a_step_and_another_one_its_challenger()
    {
        var folder = new ConfigFolder().Model("m", 1, 2).Write("models/m/model.yaml", "versions: { all: true }")
            .Write("spillway.yaml", $$"""
                server: { port: 0 }
                repository: { path: models, modelControl: none }
                routes:
                  r:
                    chain: { steps: [{ model: m/1 }] }
                    rollout: { challenger: m/2, stepsPercent: [100], {{Endless}} }
                """);
        await using var server = await TestServer.StartAsync(folder);
        Assert.Equal("m/1", (await server.AskAsync("")).Header("X-Spillway-Step"));
        Assert.Equal("m/2", (await AskAsync(server, "challenger")).Header("X-Spillway-Step"));
        await server.ChangeAsync("start");
        Assert.Equal("m/2", (await server.AskAsync("")).Header("X-Spillway-Step"));
        Assert.Equal("m/1", (await AskAsync(server, "champion")).Header("X-Spillway-Step"));
        Assert.Equal(200, (await server.SendAsync(new(HttpMethod.Post, "/admin/v1/rollouts/r/abort"))).Status);
        var wrong = await server.SendAsync(new(HttpMethod.Post, "/admin/v1/rollouts/r/start?challenger=m/3"));
        Assert.Equal(400, wrong.Status);
        Assert.Contains("m/3 cannot take the place", wrong.Text, StringComparison.Ordinal);
    }

    private static byte[] Row => Encoding.UTF8.GetBytes(TestServer.Row());

    private static Task<Reply> AskAsync(TestServer server, string side) =>
        server.InferAsync($"r/versions/{side}", Row, []);

    private static async Task SidesAsync(TestServer server, string champion, string challenger)
    {
        Assert.Equal(champion, (await AskAsync(server, "champion")).Header("X-Spillway-Step"));
        Assert.Equal(challenger, (await AskAsync(server, "challenger")).Header("X-Spillway-Step"));
    }
}
