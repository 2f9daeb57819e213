using System.Globalization;
using Spillway.Policies.Breaking;
using Spillway.Tests.Server.OpenAi;
using Spillway.Tests.Support;
using static Spillway.Tests.Server.Reload.ReloadedServer;

namespace Spillway.Tests.Server.Reload;

/// <summary>
/// A configuration that is read again while a server runs: what changes and what stays.
/// This file is long because what a reload changes and what it leaves stands in one list.
/// </summary>
public sealed class ConfigReloadTests
{
    private const string Prices = """
        prices:
          currency: USD
          models:
            u: [{ from: 2020-01-01, perMillionInput: 0, perMillionOutput: 0, perRequest: 0.5 }]
        """;

    /// <summary>The upstreams' clock, where a stream is to stand still.</summary>
    private readonly ManualTimeProvider _time = new();

    [Fact]
    public async Task A_stream_under_way_ends_whole_though_its_route_and_its_upstream_are_gone()
    {
        await using var server = await StartAsync(
            urls => Yaml(Upstream("u", $"{urls[0]}"), Route("chat", "u")), count: 2,
            ChatServer.Fast with { TokensPerSecond = 0.001 }, _time);
        var (old, digest) = (server.Server.Serving.Gateway.Upstreams.Single(), server.Server.Snapshot.Digest);
        using var response = await server.Server.Http.SendAsync(
            ChatServer.Request("/v1/chat/completions", ChatServer.Body("\"stream\":true"), [("X-Request-Id", "long")]),
            HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal(1, server[0].Under);

        var answer = await server.ReloadAsync(Yaml(Upstream("v", server.Url(1)), Route("other", "v")));

        Assert.Equal(["routes.chat", "routes.other", "upstreams.u", "upstreams.v"], Keys(answer, "changed").Order());
        ChatTests.Refused(await server.ChatAsync(), 404, "invalid_request_error", "model_not_found", "Served: other.");
        Assert.False(old.IsGone);
        var rest = await TestServer.ThroughAsync(_time, response.Content.ReadAsByteArrayAsync(), stepMs: 1_000_000);
        var events = new Events(new(200, rest, new Dictionary<string, string>()));
        Assert.True(events.IsDone, events.Reply.Text);
        Assert.Equal("This answer is simulated: no", events.Text);
        // Its connections are closed when nobody reads from them any more; and it is told what it began with.
        await TestServer.UntilAsync(() => old.IsGone);
        Assert.Equal(digest, await MadeWithAsync(server, "long", "config_digest"));
        await server.AssertNothingHeldAsync();
    }

    [Fact]
    public async Task A_new_route_answers_and_is_listed_and_counted()
    {
        await using var server = await StartAsync(urls => Yaml(Upstream("u", $"{urls[0]}"), Route("chat", "u")));
        var yaml = Yaml(Upstream("u", server.Url()), Route("chat", "u") + Route("more", "u"));

        var answer = await server.ReloadAsync(yaml);

        Assert.Equal(["routes.more"], Keys(answer, "changed"));
        await server.AnsweredAsync("more", ("X-Request-Id", "asked"));
        var listed = (await server.Server.GetAsync("/v1/models")).Json.GetProperty("data").EnumerateArray();
        Assert.Equal(["chat", "more"], listed.Select(m => m.GetProperty("id").GetString()!));
        var digest = answer.GetProperty("config_digest").GetString();
        Assert.Equal(digest, await MadeWithAsync(server, "asked", "config_digest"));
        Assert.Equal(digest, (await server.Server.GetAsync("/admin/v1/server")).Json.GetProperty("config_digest")
            .GetString());
        Assert.Empty(Keys(answer, "needs_restart"));
        var metrics = (await server.Server.GetAsync("/metrics")).Text;
        Assert.Contains("spillway_model_ready{model=\"more\"", metrics, StringComparison.Ordinal);
        Assert.Contains("spillway_config_reloads_total{outcome=\"applied\"} 1", metrics, StringComparison.Ordinal);
        Assert.Contains($"spillway_config_info{{digest=\"{digest}\"}} 1", metrics, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_with_mistakes_changes_nothing_and_every_mistake_is_told()
    {
        await using var server = await StartAsync(urls => Yaml(Upstream("u", $"{urls[0]}"), Route("chat", "u")));
        server.Write(Yaml(
            Upstream("v", server.Url()), Route("chat", "w", "deadlinMs: 5"), server: "drainMs: -1"));

        var refused = await server.ReloadAsync();

        Assert.Equal((400, "invalid_input"), (refused.Status, refused.Header("X-Spillway-Fault")));
        var errors = refused.Json.GetProperty("errors").EnumerateArray().ToList();
        Assert.Equal(
            ["routes.chat.chain.steps[0].model", "routes.chat.deadlinMs", "server.drainMs"],
            errors.Select(e => e.GetProperty("key").GetString()!).Order());
        Assert.All(errors, e => Assert.InRange(e.GetProperty("line").GetInt32(), 1, 20));
        Assert.Contains("3 mistake(s)", refused.Json.GetProperty("error").GetString(), StringComparison.Ordinal);
        var info = (await server.Server.GetAsync("/admin/v1/server")).Json;
        Assert.Equal(server.Server.Snapshot.Digest, info.GetProperty("config_digest").GetString());
        await server.AnsweredAsync();
        Assert.Contains("spillway_config_reloads_total{outcome=\"refused\"} 1",
            (await server.Server.GetAsync("/metrics")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_that_was_rotated_in_its_file_is_used_by_the_next_request()
    {
        await using var server = await StartAsync(
            urls => Yaml(Upstream("u", $"{urls[0]}", "keyFrom: key.txt\nretry: { attemptsMax: 1 }"),
                Route("chat", "u")), files: ("key.txt", "first-secret\n"));
        await server.AnsweredAsync();
        Assert.Equal("first-secret", server[0].LastKey);
        var upstream = server.Server.Serving.Gateway.Upstreams.Single();
        server[0].KeyTaken = "second-secret";
        server.Write("second-secret\n", "key.txt");

        var reply = await server.ReloadAsync();

        Assert.Equal(["upstreams.u (its keys)"], Keys(reply.Json, "changed"));
        Assert.DoesNotContain("secret", reply.Text, StringComparison.Ordinal);
        await server.AnsweredAsync();
        Assert.Equal("second-secret", server[0].LastKey);
        Assert.Same(upstream, server.Server.Serving.Gateway.Upstreams.Single());
    }

    [Fact]
    public async Task A_key_that_cannot_be_read_refuses_the_reload_and_the_old_one_stays()
    {
        await using var server = await StartAsync(
            urls => Yaml(Upstream("u", $"{urls[0]}", "keyFrom: key.txt\nretry: { attemptsMax: 1 }"),
                Route("chat", "u")), files: ("key.txt", "first-secret\n"));
        server.Write(Yaml(
            Upstream("u", server.Url(), "keyFrom: none.txt\nretry: { attemptsMax: 1 }"), Route("chat", "u")));

        var reply = await server.ReloadAsync();

        Assert.Equal(400, reply.Status);
        var error = Assert.Single(reply.Json.GetProperty("errors").EnumerateArray());
        Assert.Equal("upstreams.u.keyFrom", error.GetProperty("key").GetString());
        await server.AnsweredAsync();
        Assert.Equal("first-secret", server[0].LastKey);
    }

    [Fact]
    public async Task Reloads_at_once_are_made_one_after_the_other_and_the_last_file_holds()
    {
        await using var server = await StartAsync(urls => Yaml(Upstream("u", $"{urls[0]}"), Route("chat", "u")));
        server.Write(Yaml(Upstream("u", server.Url()), Route("last", "u")));

        var replies = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => server.ReloadAsync()));

        Assert.All(replies, r => Assert.True(r.Status == 200, r.Text));
        Assert.Equal(Enumerable.Range(2, 8), replies.Select(r => r.Json.GetProperty("number").GetInt32()).Order());
        // One of them found something to change.
        Assert.Single(replies, r => Keys(r.Json, "changed").Length > 0);
        await server.AnsweredAsync("last");
        Assert.Equal(404, (await server.ChatAsync()).Status);
    }

    [Fact]
    public async Task Reloads_during_a_flood_lose_no_request_no_ticket_and_no_budget()
    {
        const string guards = "budgets:\n  all: { limit: 1000000, window: month, kind: rolling }\n"
            + "limits:\n  rates: { fast: { requestsPerSecond: 1000000 } }\n";
        string Version(Func<int, string> url, int i) => Yaml(
            Upstream("u", url(i % 2), target: $"t{i % 3}"), Route("chat", "u", $"deadlineMs: {600_000 + i}"),
            guards.Replace("requestsPerSecond: 1000000", $"requestsPerSecond: {1_000_000 + i}",
                StringComparison.Ordinal) + Prices.Replace("0.5", $"0.{1 + (i % 5)}", StringComparison.Ordinal));
        await using var server = await StartAsync(urls => Version(i => $"{urls[i]}", 0), count: 2);
        using var over = new CancellationTokenSource();
        var callers = Enumerable.Range(0, 6).Select(_ => AskUntilAsync(server, over.Token)).ToList();

        for (var i = 1; i <= 30; i++)
            await server.ReloadAsync(Version(server.Url, i));
        await over.CancelAsync();

        var answers = (await Task.WhenAll(callers)).SelectMany(a => a).ToList();
        Assert.True(answers.Count >= callers.Count);
        Assert.All(answers, a => Assert.True(a.Status == 200, a.Text));
        await server.AssertNothingHeldAsync();
        var budget = (await server.Server.GetAsync("/admin/v1/budgets")).Json.GetProperty("budgets")[0];
        Assert.Equal("0", budget.GetProperty("reserved").GetString());
        // Each paid its own configuration's price: a tenth to five tenths.
        var spent = decimal.Parse(budget.GetProperty("spent").GetString()!, CultureInfo.InvariantCulture);
        Assert.InRange(spent, 0.1m * answers.Count, 0.5m * answers.Count);
    }

    [Fact]
    public async Task What_needs_a_restart_is_named_and_stays_as_it_is()
    {
        await using var server = await StartAsync(urls => Yaml(Upstream("u", $"{urls[0]}"), Route("chat", "u")));

        var answer = await server.ReloadAsync(Yaml(
            Upstream("u", server.Url()), Route("chat", "u", "deadlineMs: 60000"), "budgets:\n  all: { limit: 5 }\n"
            + "limits: { fairShares: true, weights: { gold: 3 } }\naudit: {}\n",
            server: "drainMs: 1234, bodyBytesMax: 2048"));

        Assert.Equal(["limits.weights.gold", "routes.chat.deadlineMs"], Keys(answer, "changed").Order());
        Assert.Equal(
            ["audit", "budgets.all", "limits.fairShares", "server.bodyBytesMax", "server.drainMs"],
            Keys(answer, "needs_restart").Order());
        var config = (await server.Server.GetAsync("/admin/v1/config")).Json;
        Assert.NotEqual(1234, config.GetProperty("server").GetProperty("drainMs").GetDouble());
        Assert.Equal(60_000, config.GetProperty("routes").GetProperty("chat").GetProperty("deadlineMs").GetDouble());
    }

    [Theory]
    [InlineData("u: { targets: { t: { url: 'http://127.0.0.1:9' } } }\n  v: { kind: simulated }", "",
        "upstreams.u.kind")]
    [InlineData("", "prices: { currency: EUR, models: { u: [{ from: 2020-01-01, perRequest: 1 }] } }",
        "prices.currency")]
    public async Task What_would_be_half_a_change_is_refused_as_a_whole(string upstream, string root, string key)
    {
        await using var server = await StartAsync(
            urls => Yaml(Upstream("u", $"{urls[0]}"), Route("chat", "u"), Prices));
        var upstreams = upstream.Length > 0 ? $"  {upstream}\n" : Upstream("u", server.Url());
        server.Write(Yaml(upstreams, Route("chat", upstream.Length > 0 ? "v" : "u"), root));

        var reply = await server.ReloadAsync();

        Assert.Equal(400, reply.Status);
        Assert.Contains(key, reply.Json.GetProperty("errors").EnumerateArray()
            .Select(e => e.GetProperty("key").GetString()));
        await server.AnsweredAsync();
    }

    [Fact]
    public async Task What_is_known_of_a_target_that_stays_is_kept_when_others_come()
    {
        await using var server = await StartAsync(
            urls => Yaml(Upstream("u", $"{urls[0]}", "breaker: { coolMs: 600000, coolMaxMs: 600000 }"),
                Route("chat", "u")), count: 2);
        server[0].KeyTaken = "another"; // Refuses everybody; five times in a row is enough.
        for (var i = 0; i < 5; i++)
            Assert.NotEqual(200, (await server.ChatAsync()).Status);
        Assert.Equal(BreakerState.Open, server.Server.Serving.Gateway.Upstreams.Single().Look()[0].State);
        var asked = server[0].Requests;

        await server.ReloadAsync(Yaml(
            Upstream("u", server.Url(), "breaker: { coolMs: 600000, coolMaxMs: 600000 }").Replace(
                " } }\n", $" }}, b: {{ url: \"{server.Url(1)}v1\", weight: 3 }} }}\n", StringComparison.Ordinal),
            Route("chat", "u")));

        var targets = server.Server.Serving.Gateway.Upstreams.Single().Look();
        Assert.Equal([BreakerState.Open, BreakerState.Closed], targets.Select(t => t.State));
        await server.AnsweredAsync();
        Assert.Equal((asked, 1), (server[0].Requests, server[1].Requests));
    }

    [Fact]
    public async Task A_budget_that_is_raised_keeps_what_was_spent_and_lets_the_next_request_in()
    {
        string Version(string url, string limit) => Yaml(
            Upstream("u", url), Route("chat", "u"),
            $"budgets:\n  all: {{ limit: {limit}, window: month, kind: rolling }}\n{Prices}");
        await using var server = await StartAsync(urls => Version($"{urls[0]}", "1.1"));
        await server.AnsweredAsync();
        await server.AnsweredAsync();
        Assert.Equal(429, (await server.ChatAsync()).Status);

        var answer = await server.ReloadAsync(Version(server.Url(), "2.1"));

        Assert.Equal(["budgets.all.limit"], Keys(answer, "changed"));
        await server.AnsweredAsync();
        var budget = (await server.Server.GetAsync("/admin/v1/budgets")).Json.GetProperty("budgets")[0];
        Assert.Equal(
            ("2.1", "1.5"), (budget.GetProperty("limit").GetString(), budget.GetProperty("spent").GetString()));
        await server.AssertNothingHeldAsync();
    }

    [Fact]
    public async Task A_budget_that_is_lowered_below_what_was_spent_refuses_at_once()
    {
        string Version(string url, string limit) => Yaml(
            Upstream("u", url), Route("chat", "u"),
            $"budgets:\n  all: {{ limit: {limit}, window: month, kind: rolling }}\n{Prices}");
        await using var server = await StartAsync(urls => Version($"{urls[0]}", "10"));
        await server.AnsweredAsync();

        await server.ReloadAsync(Version(server.Url(), "0.4"));

        Assert.Equal(429, (await server.ChatAsync()).Status);
        await server.AssertNothingHeldAsync();
    }

    [Fact]
    public async Task A_limit_that_comes_changes_and_goes_holds_for_the_next_request()
    {
        string Version(string url, string limits) => Yaml(Upstream("u", url), Route("chat", "u"), limits);
        await using var server = await StartAsync(urls => Version($"{urls[0]}", ""));
        await server.AnsweredAsync();

        await server.ReloadAsync(Version(
            server.Url(), "limits: { rates: { few: { requestsPerSecond: 0.0001, burstSeconds: 20000 } } }"));
        await server.AnsweredAsync();
        await server.AnsweredAsync();
        Assert.Equal(429, (await server.ChatAsync()).Status);
        // The same limit goes on where it was.
        await server.ReloadAsync(Version(
            server.Url(), "limits: { weights: { a: 2 }, "
            + "rates: { few: { requestsPerSecond: 0.0001, burstSeconds: 20000 } } }"));
        Assert.Equal(429, (await server.ChatAsync()).Status);

        await server.ReloadAsync(Version(server.Url(), ""));

        await server.AnsweredAsync();
        await server.AssertNothingHeldAsync();
    }

    [Fact]
    public async Task A_price_that_changes_is_that_of_the_next_request()
    {
        string Version(string url, string price) => Yaml(
            Upstream("u", url), Route("chat", "u"), Prices.Replace("0.5", price, StringComparison.Ordinal));
        await using var server = await StartAsync(urls => Version($"{urls[0]}", "0.5"));
        await server.AnsweredAsync("chat", ("X-Request-Id", "before"));

        await server.ReloadAsync(Version(server.Url(), "0.25"));
        await server.AnsweredAsync("chat", ("X-Request-Id", "after"));

        var (before, after) = (await server.Server.RecordAsync("before"), await server.Server.RecordAsync("after"));
        Assert.Equal(500_000_000, before.GetProperty("bill")[0].GetProperty("nano").GetInt64());
        Assert.Equal(250_000_000, after.GetProperty("bill")[0].GetProperty("nano").GetInt64());
        Assert.NotEqual(
            await MadeWithAsync(server, "before", "price_digest"),
            await MadeWithAsync(server, "after", "price_digest"));
    }

    [Fact]
    public async Task Rules_over_content_hold_for_the_next_request()
    {
        const string rules =
            "chat: { content: { prompts: [{ name: greeting, words: [hello], do: refuse }] } }";
        await using var server = await StartAsync(urls => Yaml(Upstream("u", $"{urls[0]}"), Route("chat", "u")));
        await server.AnsweredAsync();

        await server.ReloadAsync(Yaml(Upstream("u", server.Url()), Route("chat", "u", rules)));

        Assert.Equal(400, (await server.ChatAsync()).Status);
    }

    [Fact]
    public async Task A_reload_is_asked_for_with_POST()
    {
        await using var server = await StartAsync(urls => Yaml(Upstream("u", $"{urls[0]}"), Route("chat", "u")));
        var reply = await server.Server.GetAsync("/admin/v1/reload");
        Assert.Equal((405, "POST"), (reply.Status, reply.Header("Allow")));
    }

    private static async Task<string> MadeWithAsync(ReloadedServer server, string id, string digest) =>
        (await server.Server.RecordAsync(id)).GetProperty("provenance").GetProperty(digest).GetString()!;

    private static async Task<List<Reply>> AskUntilAsync(ReloadedServer server, CancellationToken over)
    {
        List<Reply> answers = [];
        do
            answers.Add(await server.ChatAsync());
        while (!over.IsCancellationRequested);
        return answers;
    }
}
