using System.Text.Json;
using Spillway.App.Hosting;
using Spillway.Config;

namespace Spillway.Tests.Server.Rollout;

/// <summary>Rollouts in the configuration, the Admin protocol and the command line.</summary>
public sealed class RolloutCommandTests
{
    [Theory]
    [InlineData("{ stepsPercent: [] }", "routes.r.rollout.stepsPercent", "empty", "Name at least one share")]
    [InlineData("{ stepsPercent: [5, 5] }", "routes.r.rollout.stepsPercent", "from 5 to 5", "larger than the one")]
    [InlineData("{ stepsPercent: [0, 5] }", "routes.r.rollout.stepsPercent[0]", "", "")]
    [InlineData("{ challenger: nwe }", "routes.r.rollout.challenger", "No model and no upstream", "Known: ")]
    [InlineData("{ challenger: old }", "routes.r.rollout.challenger", "first step's model already", "Name another")]
    [InlineData("{ challenger: r }", "routes.r.rollout.challenger", "It is a route", "Name the model")]
    [InlineData("{ shadow: 5 }", "routes.r.rollout.shadow", "unknown", "shadowPercent")]
    [InlineData("{ falseAbortRate: 0 }", "routes.r.rollout.falseAbortRate", "", "")]
    public void What_cannot_work_is_an_error_with_key_and_remedy(
        string rollout, string key, string problem, string remedy)
    {
        using var folder = RolloutServer.Folder(rollout);
        var error = Assert.Single(Load(folder.PathOf("spillway.yaml")).Errors);
        Assert.Equal(key, error.Key);
        Assert.Contains(problem, error.Problem, StringComparison.Ordinal);
        Assert.Contains(remedy, error.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public void Route_that_begins_with_no_model_has_nothing_to_roll_out()
    {
        using var folder = RolloutServer.Folder("{}");
        folder.Write("spillway.yaml", File.ReadAllText(folder.PathOf("spillway.yaml")).Replace(
            "{ model: old }", "{ kind: message, message: closed }", StringComparison.Ordinal));
        Assert.Contains(Load(folder.PathOf("spillway.yaml")).Errors, e => e.Key == "routes.r.rollout"
            && e.Problem.Contains("first step", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Changes_that_make_no_sense_are_refused_with_a_reason()
    {
        await using var server = await TestServer.StartAsync(RolloutServer.Folder("{ stepsPercent: [10] }"));
        await RefusedAsync(server, "start", 400, "--challenger");
        await RefusedAsync(server, "start?challenger=old", 400, "is its champion");
        await RefusedAsync(server, "start?challenger=nobody", 400, "spillway models");
        await RefusedAsync(server, "start?challenger=other", 400, "takes and gives what the route does");
        await RefusedAsync(server, "start?challenger=r", 400, "spillway models");
        await RefusedAsync(server, "promote", 400, "has no rollout");
        await RefusedAsync(server, "abort?why=%0a", 400, "control characters");
        await server.ChangeAsync("start?challenger=new");
        await RefusedAsync(server, "start?challenger=spare", 400, "under way");
        await server.ChangeAsync("abort");
        await RefusedAsync(server, "rollback", 400, "Nothing was promoted");
        Assert.Equal(405, (await server.GetAsync("/admin/v1/rollouts/r/start")).Status);
        Assert.Equal(405, (await server.SendAsync(new(HttpMethod.Post, "/admin/v1/rollouts/r"))).Status);
        var unknown = await server.GetAsync("/admin/v1/rollouts/ecko");
        Assert.Equal(404, unknown.Status);
        Assert.Contains("Those that do: r.", unknown.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rollback_to_a_model_that_is_away_is_refused_and_changes_nothing()
    {
        await using var server = await TestServer.StartAsync(RolloutServer.Folder("{ stepsPercent: [10] }"));
        var old = server.Snapshot.Models.Single(m => m.Name == "old");
        await server.ChangeAsync("start?challenger=new");
        await server.ChangeAsync("promote");
        await server.Serving.Models.UnloadAsync(old);
        await RefusedAsync(server, "rollback", 503, "Nothing was changed: old does not answer now (Unloaded)");
        Assert.Equal("promoted", (await server.RolloutAsync()).Text("phase"));
        Assert.Equal("new", (await server.AskAsync("")).Header("X-Spillway-Step"));
        Assert.Null(await server.Serving.Models.LoadAsync(old));
        await server.ChangeAsync("rollback");
        Assert.Equal("old", (await server.AskAsync("")).Header("X-Spillway-Step"));

        // One that runs is stopped, whatever is there.
        await server.ChangeAsync("start?challenger=new");
        await server.Serving.Models.UnloadAsync(old);
        await server.ChangeAsync("rollback");
    }

    [Fact]
    public async Task Command_line_starts_shows_promotes_and_goes_back()
    {
        await using var server = await TestServer.StartAsync(RolloutServer.Folder("{ stepsPercent: [25, 100] }"));
        var at = server.Address.ToString();
        await SaysAsync(0, "r  none", "status", "--server", at);
        await SaysAsync(1, "--challenger", "start", "r", "--server", at);
        await SaysAsync(2, "", "start", "--server", at);
        await SaysAsync(0, "r: new gets 25 % of the callers, old the rest.",
            "start", "r", "--challenger", "new", "--why", "half the time", "--server", at);
        await server.SessionAsync("challenger");
        var status = await SaysAsync(0, "share       25 %, step 1 of 2", "status", "r", "--server", at);
        Assert.All(["r  running", "champion    old", "challenger  new  1 requests, 0 failed", "errors", "p = "],
            words => Assert.Contains(words, status, StringComparison.Ordinal));
        var json = await SaysAsync(0, "", "status", "r", "--json", "--server", at);
        Assert.Equal("running", JsonElement.Parse(json).Text("phase"));
        await SaysAsync(0, "new is the champion and gets every request. Back to old: spillway rollout rollback r",
            "promote", "r", "--server", at);
        await SaysAsync(0, "old is the champion again", "rollback", "r", "--why", "wrong words", "--server", at);
        await SaysAsync(1, "Nothing was promoted", "rollback", "r", "--server", at);
        var history = await SaysAsync(0, "(half the time)", "history", "r", "--server", at);
        Assert.Equal(3, history.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.Contains("rolled_back by local; champion old, challenger new  (wrong words)", history,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Damaged_state_keeps_the_server_from_starting()
    {
        using var folder = RolloutServer.Folder("{}");
        Directory.CreateDirectory(folder.PathOf("state"));
        folder.Write("state/rollouts.json", "[{");
        var refused = await Assert.ThrowsAsync<Spillway.Hosting.SpillwayStartException>(
            () => TestServer.StartAsync(folder.PathOf("spillway.yaml")));
        Assert.Contains("which version is the champion", refused.Message, StringComparison.Ordinal);
    }

    private static async Task RefusedAsync(TestServer server, string change, int status, string says)
    {
        var reply = await server.SendAsync(new(HttpMethod.Post, $"/admin/v1/rollouts/r/{change}"));
        Assert.True(reply.Status == status, reply.Text);
        Assert.Contains(says, reply.Error, StringComparison.Ordinal);
    }

    private static async Task<string> SaysAsync(int code, string says, params string[] arguments)
    {
        var (ended, output, errors) = await ChildProcess.RunAsync(["rollout", .. arguments]);
        Assert.True(code == ended, $"{ended}: {output}{errors}");
        Assert.Contains(says, output + errors, StringComparison.Ordinal);
        return output;
    }

    private static ConfigResult Load(string file) =>
        ConfigLoader.Load(file, Composition.RuntimeOptions, new Dictionary<string, string>());
}
