namespace Spillway.Tests.Server.Rollout;

/// <summary>Rollouts over real requests: who gets which side, what stops a challenger, what survives.</summary>
public sealed class CanaryTests
{
    /// <summary>Whatever this machine makes of latencies, no guard objects to them.</summary>
    private const string Endless = "stepRequestsMin: 1000000, latencyTolerance: 100";

    [Fact]
    public async Task Route_over_the_route_reserves_for_whichever_side_its_request_may_get()
    {
        await using var server = await TestServer.StartAsync(RolloutServer.Folder(
            $"{{ stepsPercent: [0.01], {Endless} }}", "  priceNanoPerRow: 1000000",
            TestServer.Simulated(more: "  priceNanoPerRow: 7000000"),
            "deadlineMs: 600000\n  outer:\n    chain: { steps: [{ model: r }] }"));
        async Task<int> StatusAsync() =>
            (await server.InferAsync("outer", TestServer.Row(), ("X-Spillway-Max-Cost", "0.003"))).Status;
        Assert.Equal(200, await StatusAsync());
        await server.ChangeAsync("start?challenger=new");
        Assert.Equal(429, await StatusAsync());
        await server.ChangeAsync("abort");
        Assert.Equal(200, await StatusAsync());
    }

    [Fact]
    public async Task Canary_gives_its_share_of_sessions_to_the_challenger_and_each_keeps_its_side()
    {
        await using var server = await TestServer.StartAsync(
            RolloutServer.Folder($"{{ stepsPercent: [30], {Endless} }}"));
        var before = await server.AskAsync("a");
        Assert.Equal((200, null), (before.Status, before.Header("X-Spillway-Rollout")));
        Assert.Equal("none", (await server.RolloutAsync()).Text("phase"));

        await server.ChangeAsync("start?challenger=new&why=faster");
        var challengers = 0;
        for (var i = 0; i < 200; i++)
        {
            var (first, again) = (await server.AskAsync($"s{i}"), await server.AskAsync($"s{i}"));
            var side = first.Header("X-Spillway-Rollout");
            Assert.Equal((200, side), (again.Status, again.Header("X-Spillway-Rollout")));
            Assert.Equal(side == "challenger" ? "new" : "old", first.Header("X-Spillway-Step"));
            challengers += side == "challenger" ? 1 : 0;
        }

        // Six standard deviations of a fair draw.
        Assert.InRange(challengers, 21, 99);
        var status = await server.RolloutAsync();
        Assert.Equal(
            (2 * challengers, 0), (status.Number("challenger_requests"), status.Number("challenger_failures")));
        Assert.Equal(400 - 2 * challengers, status.Number("champion_requests"));
        var metrics = (await server.GetAsync("/metrics")).Text;
        Assert.Contains("spillway_rollout_share{route=\"r\"} 0.3\n", metrics, StringComparison.Ordinal);
        Assert.Contains("spillway_rollout_state{route=\"r\",phase=\"running\"} 1\n", metrics, StringComparison.Ordinal);
        Assert.Contains($"spillway_rollout_requests_total{{route=\"r\",side=\"challenger\"}} {2 * challengers}\n",
            metrics, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_record_of_a_request_says_which_side_and_why()
    {
        await using var server = await TestServer.StartAsync(
            RolloutServer.Folder($"{{ stepsPercent: [50], {Endless} }}"));
        await server.ChangeAsync("start?challenger=new");
        var session = await server.SessionAsync("challenger");
        await server.AskAsync(session, ("X-Request-Id", "told-1"));
        var record = await server.RecordAsync("told-1");
        var told = record.GetProperty("decisions").EnumerateArray().Single(d => d.Text("kind") == "rolled_out");
        Assert.StartsWith("Routed to challenger new: canary 50 %, bucket ", told.Text("text"),
            StringComparison.Ordinal);
        Assert.Equal("new", record.Text("deployment"));
    }

    [Fact]
    public async Task Callers_that_nothing_tells_apart_are_spread_and_a_request_id_keeps_its_side()
    {
        await using var server = await TestServer.StartAsync(
            RolloutServer.Folder($"{{ stepsPercent: [50], {Endless} }}"));
        await server.ChangeAsync("start?challenger=new");
        HashSet<string?> sides = [];
        for (var i = 0; i < 60; i++)
            sides.Add((await server.AskAsync("")).Header("X-Spillway-Rollout"));
        Assert.Equal(["challenger", "champion"], sides.Order(StringComparer.Ordinal));
        var side = (await server.AskAsync("", ("X-Request-Id", "again-7"))).Header("X-Spillway-Rollout");
        for (var i = 0; i < 8; i++)
            Assert.Equal(side, (await server.AskAsync("", ("X-Request-Id", "again-7"))).Header("X-Spillway-Rollout"));
    }

    [Fact]
    public async Task Challenger_that_fails_is_stopped_by_itself_and_the_chain_answers_meanwhile()
    {
        await using var server = await TestServer.StartAsync(RolloutServer.Folder(
            $"{{ challenger: new, stepsPercent: [50], {Endless} }}",
            latest: TestServer.Simulated(more: "  faultRate: 1"), steps: ", { model: spare }"));
        await server.ChangeAsync("start");
        var asked = 0;
        for (; (await server.RolloutAsync()).Text("phase") == "running"; asked++)
        {
            Assert.True(asked < 1000, "The challenger was not stopped.");
            Assert.Equal(200, (await server.AskAsync($"s{asked}")).Status);
        }

        var status = await server.RolloutAsync();
        Assert.Equal(("aborted", "old"), (status.Text("phase"), status.Text("champion")));
        var last = status.GetProperty("history").EnumerateArray().Last();
        Assert.Equal(("spillway", "aborted"), (last.Text("who"), last.Text("what")));
        Assert.Contains("it fails in 100 % of its requests, the champion in 0 %", last.Text("why"),
            StringComparison.Ordinal);
        for (var i = 0; i < 50; i++)
        {
            var reply = await server.AskAsync($"s{i}");
            Assert.Equal(("old", null), (reply.Header("X-Spillway-Step"), reply.Header("X-Spillway-Rollout")));
        }
    }

    [Fact]
    public async Task Faults_of_callers_say_nothing_of_a_version()
    {
        await using var server = await TestServer.StartAsync(RolloutServer.Folder(
            $"{{ challenger: new, stepsPercent: [100], {Endless} }}"));
        await server.ChangeAsync("start");
        var reply = await server.InferAsync("r", """{"inputs":[]}""", ("X-Spillway-Session", "a"));
        Assert.Equal(400, reply.Status);
        Assert.Equal(0, (await server.RolloutAsync()).Number("challenger_requests"));
    }

    [Fact]
    public async Task Steps_grow_by_themselves_until_somebody_promotes()
    {
        await using var server = await TestServer.StartAsync(RolloutServer.Folder(
            "{ challenger: new, stepsPercent: [50, 100], stepRequestsMin: 5, stepSecondsMin: 0, "
            + "latencyTolerance: 100 }"));
        await server.ChangeAsync("start");
        for (var i = 0; (await server.RolloutAsync()).Text("phase") == "running"; i++)
        {
            Assert.True(i < 500, "The steps did not pass.");
            Assert.Equal(200, (await server.AskAsync($"s{i}")).Status);
        }

        Assert.Equal("ready", (await server.RolloutAsync()).Text("phase"));
        var promoted = await server.ChangeAsync("promote?why=fine");
        Assert.Equal(("promoted", "new"), (promoted.Text("phase"), promoted.Text("champion")));
        Assert.Equal(["started", "advanced", "ready", "promoted"],
            promoted.GetProperty("history").EnumerateArray().Select(h => h.Text("what")));
    }

    [Fact]
    public async Task Promote_and_rollback_under_load_fail_no_request()
    {
        await using var server = await TestServer.StartAsync(RolloutServer.Folder(
            $"{{ challenger: new, stepsPercent: [50], {Endless} }}"));
        using var enough = new CancellationTokenSource();
        var load = Enumerable.Range(0, 6).Select(async client =>
        {
            HashSet<string?> steps = [];
            var asked = 0;
            for (; !enough.IsCancellationRequested; asked++)
            {
                var reply = await server.AskAsync($"c{client}-{asked % 20}");
                Assert.True(reply.Status == 200, reply.Text);
                steps.Add(reply.Header("X-Spillway-Step"));
            }

            return (asked, steps);
        }).ToArray();
        for (var round = 0; round < 5; round++)
        {
            await server.ChangeAsync("start");
            await server.SessionAsync("challenger");
            await server.ChangeAsync("promote");
            Assert.Equal("new", (await server.AskAsync("x")).Header("X-Spillway-Step"));
            await server.ChangeAsync("rollback");
            Assert.Equal("old", (await server.AskAsync("x")).Header("X-Spillway-Step"));
        }

        await enough.CancelAsync();
        var done = await Task.WhenAll(load);
        Assert.All(done, d => Assert.True(d.asked > 0));
        Assert.Equal(["new", "old"], done.SelectMany(d => d.steps).Distinct().Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task What_was_promoted_answers_after_a_restart_and_rollback_still_goes_back()
    {
        using var folder = RolloutServer.Folder($"{{ challenger: new, stepsPercent: [20], {Endless} }}");
        await using (var server = await TestServer.StartAsync(folder.PathOf("spillway.yaml")))
        {
            await server.ChangeAsync("start?why=faster");
            await server.ChangeAsync("promote?why=fine");
        }

        await using (var server = await TestServer.StartAsync(folder.PathOf("spillway.yaml")))
        {
            var reply = await server.AskAsync("a", ("X-Request-Id", "later-1"));
            Assert.Equal(("new", null), (reply.Header("X-Spillway-Step"), reply.Header("X-Spillway-Degraded")));
            Assert.Contains("promoted", (await server.RecordAsync("later-1")).GetProperty("decisions").EnumerateArray()
                .Select(d => d.Text("kind")));
            await server.ChangeAsync("rollback?why=wrong%20words");
        }

        await using (var server = await TestServer.StartAsync(folder.PathOf("spillway.yaml")))
        {
            Assert.Equal("old", (await server.AskAsync("a")).Header("X-Spillway-Step"));
            Assert.Equal(
                [("started", "faster"), ("promoted", "fine"), ("rolled_back", "wrong words")],
                (await server.RolloutAsync()).GetProperty("history").EnumerateArray()
                    .Select(h => (h.Text("what"), h.Text("why"))));
        }
    }

    [Fact]
    public async Task Model_that_is_declared_later_answers_whatever_was_promoted_before()
    {
        using var folder = RolloutServer.Folder($"{{ stepsPercent: [20], {Endless} }}");
        await using (var server = await TestServer.StartAsync(folder.PathOf("spillway.yaml")))
        {
            await server.ChangeAsync("start?challenger=new");
            await server.ChangeAsync("promote");
        }

        folder.Write("spillway.yaml", File.ReadAllText(folder.PathOf("spillway.yaml"))
            .Replace("model: old", "model: spare", StringComparison.Ordinal));
        await using (var server = await TestServer.StartAsync(folder.PathOf("spillway.yaml")))
        {
            Assert.Equal("spare", (await server.AskAsync("a")).Header("X-Spillway-Step"));
            Assert.Equal("spare", (await server.RolloutAsync()).Text("champion"));
            await server.ChangeAsync("start?challenger=new");
            Assert.Equal("spare", (await server.RolloutAsync()).Text("champion"));
        }
    }

    [Fact]
    public async Task The_two_versions_share_no_cached_answer()
    {
        await using var server = await TestServer.StartAsync(RolloutServer.Folder(
            $"{{ challenger: new, stepsPercent: [50], {Endless} }}", route: "cache: { enabled: true, ttlMs: 600000 }"));
        await server.AskAsync("before");
        Assert.Equal("hit", (await server.AskAsync("before")).Header("X-Spillway-Cache"));
        await server.ChangeAsync("start");
        // Of one question the champion's answer is known; who has the challenger is the first to ask there.
        List<(string? Side, string? Cache)> seen = [];
        for (var i = 0; i < 100; i++)
        {
            var reply = await server.AskAsync($"s{i}");
            seen.Add((reply.Header("X-Spillway-Rollout"), reply.Header("X-Spillway-Cache")));
        }

        Assert.All(seen.Where(s => s.Side == "champion"), s => Assert.Equal("hit", s.Cache));
        var challenger = seen.Where(s => s.Side == "challenger").Select(s => s.Cache).ToList();
        Assert.Equal("miss", challenger[0]);
        Assert.All(challenger.Skip(1), cache => Assert.Equal("hit", cache));
        Assert.Equal(1, (await server.RolloutAsync()).Number("challenger_requests"));
    }
}
