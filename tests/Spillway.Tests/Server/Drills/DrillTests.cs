using System.Text;
using System.Text.Json;
using Spillway.Engine;
using Spillway.Tests.Config;
using Spillway.Tests.Server.Routes;
using Spillway.Tests.Server.Upstreams;
using Spillway.Tests.Support;

namespace Spillway.Tests.Server.Drills;

/// <summary>Drills against a real server: what may be broken, that it is, and that it is mended in any case.</summary>
public sealed class DrillTests
{
    private const string Root = "/admin/v1/drills";

    private readonly ManualTimeProvider _time = new();

    [Fact]
    public async Task Server_that_is_not_marked_refuses_and_says_how_it_would_be()
    {
        await using var server = await RoutedServer.StartAsync(RoutedServer.Two);
        var refused = await PostAsync(server, "start?drill=steps");
        refused.Is(501, "unsupported", "server.drillable: true");
        Assert.False((await server.GetAsync(Root)).Json.GetProperty("drillable").GetBoolean());
        Assert.DoesNotContain("spillway_drill", (await server.GetAsync("/metrics")).Text, StringComparison.Ordinal);
        (await server.AskAsync()).By("a");
    }

    [Fact]
    public async Task Step_that_is_broken_is_taken_over_until_it_is_mended()
    {
        await using var server = await StartAsync(
            Folder("[{ model: a }, { model: b }, { kind: message, message: no }]"), new Clock(_time));
        (await AskAsync(server)).By("a");
        var run = (await PostAsync(server, "start?drill=steps&steps=1&ttl_ms=10000")).Json;
        Assert.Equal("the step a of r fails", run.GetProperty("text").GetString());
        Assert.Equal(2, run.GetProperty("steps_max").GetInt32());
        (await AskAsync(server, ("X-Request-Id", "drilled-1"))).By("b", "runtime_failed");
        Assert.Contains(
            "runtime_failed", (await server.RecordAsync("drilled-1")).Says("step_left"), StringComparison.Ordinal);
        Assert.Equal(1, await server.CountAsync("spillway_drill_active"));
        Assert.Equal(run.GetProperty("id").GetString(),
            (await PostAsync(server, "stop")).Json.GetProperty("stopped").GetString());
        (await AskAsync(server)).By("a");
        Assert.Equal(0, await server.CountAsync("spillway_drill_active"));
        Assert.Equal(1, await server.CountAsync("spillway_drills_total{drill=\"steps\"}"));
    }

    [Fact]
    public async Task What_nobody_renews_is_whole_again_when_its_time_is_over()
    {
        await using var server = await StartAsync(
            Folder("[{ model: a }, { kind: message, message: no }]"), new Clock(_time));
        var id = (await PostAsync(server, "start?drill=steps&ttl_ms=1000")).Json.GetProperty("id").GetString();
        (await AskAsync(server)).By("message", "runtime_failed");
        _time.Advance(TimeSpan.FromMilliseconds(900));
        Assert.Equal(200, (await PostAsync(server, $"renew?id={id}")).Status);
        _time.Advance(TimeSpan.FromMilliseconds(900));
        (await AskAsync(server)).By("message", "runtime_failed");
        _time.Advance(TimeSpan.FromMilliseconds(1100));
        (await AskAsync(server)).By("a");
        (await PostAsync(server, $"renew?id={id}")).Is(400, "invalid_input", "not renewed in time");
    }

    [Fact]
    public async Task One_drill_at_a_time()
    {
        await using var server = await StartAsync(Folder(RoutedServer.Two), new Clock(_time));
        await PostAsync(server, "start?drill=steps&ttl_ms=10000");
        (await PostAsync(server, "start?drill=replica"))
            .Is(400, "invalid_input", "runs already", "spillway drill stop");
        await PostAsync(server, "stop");
        Assert.Equal(200, (await PostAsync(server, "start?drill=replica&served=a")).Status);
    }

    [Theory]
    [InlineData("drill=earthquake", "There is no drill 'earthquake'")]
    [InlineData("drill=steps&served=nobody", "Nothing is served as 'nobody'")]
    [InlineData("drill=steps&served=a", "Needed: a route with two steps")]
    [InlineData("drill=steps&served=r&steps=2", "one must be left")]
    [InlineData("drill=target-dead&served=r", "Needed: a route with a step over upstreams")]
    [InlineData("drill=cache&served=r", "cache: { enabled: true }")]
    [InlineData("drill=disk&served=r", "prices with a ledger, or audit")]
    [InlineData("drill=steps&ttl_ms=60000", "500 to 10000 ms")]
    [InlineData("drill=steps&steps=many", "are numbers")]
    public async Task What_cannot_be_drilled_says_what_is_needed(string query, string says)
    {
        await using var server = await StartAsync(Folder(RoutedServer.Two));
        var refused = await PostAsync(server, "start?" + query);
        Assert.InRange(refused.Status, 400, 404);
        Assert.Contains(says, refused.Error, StringComparison.Ordinal);
        Assert.Equal(JsonValueKind.Null, (await server.GetAsync(Root)).Json.GetProperty("running").ValueKind);
    }

    [Fact]
    public async Task List_says_what_each_would_break_here_or_needs()
    {
        await using var server = await StartAsync(Folder(RoutedServer.Two));
        var drills = (await server.GetAsync(Root)).Json.GetProperty("drills").EnumerateArray()
            .ToDictionary(d => d.GetProperty("name").GetString()!);
        Assert.Equal("the step a of r fails", drills["steps"].GetProperty("would").GetString());
        Assert.Equal("r", drills["spike"].GetProperty("served").GetString());
        Assert.Contains("upstream", drills["target-429"].GetProperty("needs").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Killed_replica_fails_its_runs_and_the_next_step_answers()
    {
        await using var server = await StartAsync(Folder(RoutedServer.Two), new Clock(_time));
        await PostAsync(server, "start?drill=replica&ttl_ms=10000");
        for (var i = 0; i < 5; i++)
            (await AskAsync(server)).By("b", "runtime_failed");
        await PostAsync(server, "stop");
        (await AskAsync(server)).By("a");
    }

    [Fact]
    public async Task Emptied_cache_is_filled_again_by_the_next_request()
    {
        await using var server = await StartAsync(Folder(RoutedServer.Two, RoutedServer.Cache()), new Clock(_time));
        await AskAsync(server);
        Assert.Equal("hit", (await AskAsync(server)).Header("X-Spillway-Cache"));
        await PostAsync(server, "start?drill=cache");
        Assert.Equal("miss", (await AskAsync(server)).Header("X-Spillway-Cache"));
        Assert.Equal("hit", (await AskAsync(server)).Header("X-Spillway-Cache"));
    }

    [Theory]
    [InlineData("target-dead", "upstream_unreachable")]
    [InlineData("target-429", "upstream_throttled")]
    [InlineData("target-slow&delay_ms=60000", "upstream_timeout")]
    public async Task Target_that_is_broken_is_met_as_a_real_one_would_be(string drill, string fault)
    {
        await using var rogue = new RogueServer(RogueServer.Echo);
        var folder = UpstreamServer.Folder(
            UpstreamServer.ThenModel, [rogue.Url], UpstreamServer.Once + "\nfirstDeltaMs: 9000\nconnectMs: 9000");
        await using var server = await StartAsync(Marked(folder), new Clock(_time));
        await server.KnownAsync();
        (await server.AskAsync()).By("gpu");
        await PostAsync(server, $"start?drill={drill}&retry_after_ms=1&ttl_ms=10000");
        (await AskAsync(server, stepMs: 50)).By("b", fault);
        await PostAsync(server, "stop");
        await TestServer.UntilAsync(async () =>
            (await AskAsync(server, stepMs: 50)).Header("X-Spillway-Step") == "gpu");
    }

    [Fact]
    public async Task On_a_full_disk_answers_go_on_and_everything_is_written_afterwards()
    {
        var root = """
            prices:
              currency: EUR
              devices: { simulated: [{ from: 2026-01-01, perHour: 3.6 }] }
            ledger: {}
            """;
        await using var server = await StartAsync(Folder(RoutedServer.Two, root: root), new Clock(_time));
        await PostAsync(server, "start?drill=disk&ttl_ms=10000");
        for (var i = 0; i < 10; i++)
            (await AskAsync(server)).By("a");
        await PassingAsync(async () => await server.CountAsync("spillway_ledger_write_failures_total") > 0);
        Assert.Equal(0, await server.CountAsync("spillway_ledger_written_total"));
        await PostAsync(server, "stop");
        await PassingAsync(async () => await server.CountAsync("spillway_ledger_written_total") >= 10);
        Assert.Equal(0, await server.CountAsync("spillway_ledger_lost_total{reason=\"queue_full\"}"));
    }

    [Fact]
    public async Task What_a_drill_showed_is_kept_beside_the_store_and_read_again()
    {
        using var folder = Folder(RoutedServer.Two);
        const string told = """{"drill":"steps","verdict":"held"}""";
        await using (var server = await TestServer.StartAsync(folder.PathOf("spillway.yaml")))
        {
            Assert.Equal(200, (await KeepAsync(server, "20260101-000000-abcd", told)).Status);
            (await KeepAsync(server, "..%2F..%2Fkeys", "{}")).Is(400, "invalid_input", "identifier");
            (await KeepAsync(server, "20260101-000000-abce", "[]")).Is(400, "invalid_input", "JSON object");
            (await KeepAsync(server, "20260101-000000-abce", "{")).Is(400, "invalid_input", "JSON object");
            Assert.Equal(404, (await server.GetAsync($"{Root}/20260101-000000-ffff")).Status);
            Assert.Equal(404, (await server.GetAsync($"{Root}/..%2F..%2Fspillway.yaml")).Status);
        }

        // The state folder is let go with the server.
        await using (var server = await TestServer.StartAsync(folder.PathOf("spillway.yaml")))
        {
            var kept = (await server.GetAsync(Root)).Json.GetProperty("kept")[0];
            Assert.Equal("held", kept.GetProperty("verdict").GetString());
            var whole = (await server.GetAsync($"{Root}/20260101-000000-abcd")).Json;
            Assert.Equal("steps", whole.GetProperty("drill").GetString());
        }
    }

    [Fact]
    public async Task Command_runs_a_drill_prints_what_it_showed_and_shows_it_again()
    {
        await using var server = await StartAsync(Folder(RoutedServer.Two));
        var at = server.Address.ToString();
        var (code, output, errors) = await ChildProcess.RunAsync(
            "drill", "steps", "--server", at, "--before", "1s", "--broken", "1s", "--after", "2s");
        // How soon everything was as before is this machine's affair.
        var broken = output.Split('\n').Where(l => l.Contains("BROKEN", StringComparison.Ordinal)).ToList();
        Assert.All(broken, l => Assert.Contains("as before within 2 s", l, StringComparison.Ordinal));
        Assert.True(code == (broken.Count == 0 ? 0 : 1), errors + output);
        Assert.Contains("the step a of r fails", output, StringComparison.Ordinal);
        Assert.Contains("held    requests are answered, full or degraded: 100 %", output, StringComparison.Ordinal);
        Assert.Equal(JsonValueKind.Null, (await server.GetAsync(Root)).Json.GetProperty("running").ValueKind);
        var id = output.Split(' ')[1].TrimEnd(':');
        (code, var again, _) = await ChildProcess.RunAsync("drill", "show", id, "--server", at);
        Assert.Equal((0, output), (code, again));
        (code, _, errors) = await ChildProcess.RunAsync("drill", "cache", "--server", at);
        Assert.Equal(1, code);
        Assert.Contains("cache: { enabled: true }", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Interrupted_command_mends_at_once_and_tells_what_it_has()
    {
        await using var server = await StartAsync(Folder(RoutedServer.Two));
        await using var command = ChildProcess.Spillway(
            ["drill", "steps", "--server", server.Address.ToString(), "--before", "1s", "--broken", "60s"]);
        await TestServer.UntilAsync(async () => (await server.AskAsync()).Header("X-Spillway-Step") == "b");
        await command.SignalAsync("INT");
        var (code, output, _) = await command.EndAsync();
        Assert.Equal(130, code);
        Assert.Contains("the step a of r fails", output, StringComparison.Ordinal);
        (await server.AskAsync()).By("a");
    }

    /// <summary>One row to the route of a server on the test's clock.</summary>
    private Task<Reply> AskAsync(
        TestServer server, (string Name, string Value)? header = null, double stepMs = 0.1) => server.AnsweredAsync(
        _time, server.AskAsync("1,2,3,4", header is { } given ? [given] : []), stepMs);

    /// <summary>Lets time pass, but no more than half of what a drill lasts, until it is so.</summary>
    private Task PassingAsync(Func<Task<bool>> isSo)
    {
        const int steps = 250;
        var step = 0;
        return TestServer.UntilAsync(async () =>
        {
            if (step++ < steps)
                _time.Advance(TimeSpan.FromMilliseconds(20));
            return await isSo();
        });
    }

    private static Task<Reply> PostAsync(TestServer server, string rest) =>
        server.SendAsync(new(HttpMethod.Post, $"{Root}/{rest}"));

    private static Task<Reply> KeepAsync(TestServer server, string id, string body) =>
        server.SendAsync(new(HttpMethod.Post, $"{Root}/keep?id={id}")
        {
            Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body)),
        });

    private static Task<TestServer> StartAsync(ConfigFolder folder, Clock? clock = null) =>
        TestServer.StartAsync(folder, clock);

    private static ConfigFolder Folder(string steps, string more = "", string root = "") =>
        Marked(RoutedServer.Folder(steps, more, root));

    /// <summary>The same, which drills may break.</summary>
    private static ConfigFolder Marked(ConfigFolder folder)
    {
        var file = folder.PathOf("spillway.yaml");
        File.WriteAllText(file, File.ReadAllText(file).Replace(
            "server: { port: 0", "server: { port: 0, drillable: true", StringComparison.Ordinal));
        return folder;
    }
}
