using System.Text.Json;
using Spillway.Tests.Support;

namespace Spillway.Tests.Server.OpenAi;

/// <summary>Limits and budgets that say something of models, on the steps of a route over language models.</summary>
public sealed class StepGuardTests
{
    private const string Cap = "\"max_tokens\":10";

    private const string Moves =
        "{ model: u0, on: [limits, budget] }, { model: u1 }";

    /// <summary>Ten tokens of u0 cost 0.01 at least, of u1 a thousandth of that.</summary>
    private const string Prices = """
        prices:
          currency: USD
          models:
            u0: [{ from: 2020-01-01, perMillionOutput: 1000 }]
            u1: [{ from: 2020-01-01, perMillionOutput: 1 }]

        """;

    [Fact]
    public async Task A_budget_that_names_a_model_counts_its_answers_and_no_other_ones()
    {
        await using var chat = await ChatServer.StartAsync(["error", "simulated"], root: Prices + """
            budgets:
              first: { limit: 1, models: [u0] }
              second: { limit: 1, models: [u1] }
              each: { limit: 1, per: [model] }
            """);

        By(await chat.ChatAsync(Cap, ("X-Request-Id", "second")), "u1");

        var billed = await BilledAsync(chat, "second");
        Assert.True(billed > 0);
        await chat.AssertNothingHeldAsync();
        var spent = Spent(chat);
        Assert.Equal((0, billed), (spent["first"], spent["second"]));
        Assert.Equal((0, billed), (spent["each model=u0"], spent["each model=u1"]));
    }

    [Fact]
    public async Task A_step_over_its_models_budget_is_left_where_declared_and_refused_where_not()
    {
        // One request of ten tokens may cost 0.01 at u0.
        const string Root = Prices + "budgets: { own: { limit: 0.0105, models: [u0] } }";
        await using var chat = await ChatServer.StartAsync(["simulated", "simulated"], root: Root, steps: Moves);

        By(await chat.ChatAsync(Cap), "u0");
        await chat.AssertNothingHeldAsync();
        var spent = Spent(chat)["own"];
        var moved = await chat.ChatAsync(Cap, ("X-Request-Id", "moved"));

        Assert.True(spent > 0);
        Assert.Equal("budget_exhausted", By(moved, "u1").Header("X-Spillway-Degraded"));
        Assert.Contains("budget_exhausted", (await chat.Server.RecordAsync("moved")).GetRawText(),
            StringComparison.Ordinal);
        await chat.AssertNothingHeldAsync();
        Assert.Equal(spent, Spent(chat)["own"]);

        await using var strict = await ChatServer.StartAsync(["simulated", "simulated"], root: Root);
        By(await strict.ChatAsync(Cap), "u0");
        await strict.AssertNothingHeldAsync();
        ChatTests.Refused(
            await strict.ChatAsync(Cap), 429, "insufficient_quota", "insufficient_quota", "Budget own");
        await strict.AssertNothingHeldAsync();
    }

    [Fact]
    public async Task A_limit_of_a_steps_model_counts_that_step_and_moves_on_where_declared()
    {
        await using var chat = await ChatServer.StartAsync(["simulated", "simulated"], steps: Moves, root: """
            limits: { rates: { slow: { models: [u0], requestsPerSecond: 0.001, burstSeconds: 2000 } } }
            """);

        var first = By(await chat.ChatAsync(), "u0");
        By(await chat.ChatAsync(), "u0");
        var moved = By(await chat.ChatAsync(), "u1");

        Assert.Equal(("2", "1"), (first.Header("RateLimit-Limit"), first.Header("RateLimit-Remaining")));
        Assert.Equal("1", first.Header("x-ratelimit-remaining-requests"));
        Assert.Equal(("rate_limited", "0"),
            (moved.Header("X-Spillway-Degraded"), moved.Header("RateLimit-Remaining")));
        await chat.AssertNothingHeldAsync();
    }

    [Fact]
    public async Task Tokens_of_a_models_limit_are_those_that_it_used()
    {
        await using var chat = await ChatServer.StartAsync(["error", "simulated"], clock: new(new ManualTimeProvider()),
            root: """
                limits:
                  rates:
                    first: { models: [u0], tokensPerSecond: 1, burstSeconds: 5000 }
                    second: { models: [u1], tokensPerSecond: 1, burstSeconds: 5000 }
                """);

        var used = By(await chat.ChatAsync(Cap), "u1").Json.GetProperty("usage").GetProperty("total_tokens").GetInt64();
        await chat.AssertNothingHeldAsync();
        var again = By(await chat.ChatAsync(Cap), "u1");
        await chat.AssertNothingHeldAsync();

        var rates = chat.Server.Serving.Guards.Desk!.States.Rates().ToDictionary(r => r.State.Name);
        long Left(string name) =>
            rates[name].State.State.Look(new("local", 1, 1, 0), chat.Server.Serving.Clock.Now).Left;
        Assert.Equal((5000, 5000 - (2 * used)), (Left("first"), Left("second")));
        Assert.NotNull(again.Header("x-ratelimit-remaining-tokens"));
    }

    [Fact]
    public async Task A_request_that_is_too_dear_for_the_first_step_gets_a_cheaper_one_within_the_budget()
    {
        const string Root = Prices + "budgets: { all: { limit: 0.0105 } }";
        await using var chat = await ChatServer.StartAsync(["simulated", "simulated"], root: Root, steps: Moves);

        By(await chat.ChatAsync(Cap), "u0");
        await chat.AssertNothingHeldAsync();
        var cheaper = By(await chat.ChatAsync(Cap, ("X-Request-Id", "cheaper")), "u1");
        var own = By(await chat.ChatAsync(Cap, ("X-Spillway-Max-Cost", "0.001")), "u1");

        Assert.Equal("budget_exhausted", cheaper.Header("X-Spillway-Degraded"));
        Assert.Equal("budget_exhausted", own.Header("X-Spillway-Degraded"));
        Assert.True(await BilledAsync(chat, "cheaper") > 0);
        ChatTests.Refused(await chat.ChatAsync(Cap, ("X-Spillway-Max-Cost", "0.000001")), 429, "insufficient_quota",
            "insufficient_quota", "X-Spillway-Max-Cost");
        await chat.AssertNothingHeldAsync();

        await using var strict = await ChatServer.StartAsync(["simulated", "simulated"], root: Root);
        By(await strict.ChatAsync(Cap), "u0");
        await strict.AssertNothingHeldAsync();
        ChatTests.Refused(await strict.ChatAsync(Cap), 429, "insufficient_quota", "insufficient_quota", "Budget all");
    }

    [Fact]
    public async Task What_a_refused_answer_cost_is_in_its_models_budget_and_the_ledger_and_on_nobodys_bill()
    {
        await using var chat = await ChatServer.StartAsync(["simulated", "simulated"], steps: "{ model: u0 }",
            route: "chat: { content: { answers: [{ name: all, pattern: '[a-zA-Z]', matchCharsMax: 4 }] } }",
            root: Prices + "ledger: {}\nbudgets: { own: { limit: 1, models: [u0] }, all: { limit: 1 } }");

        var reply = await chat.ChatAsync(Cap, ("X-Request-Id", "refused"));

        Assert.True(reply.Status >= 400, reply.Text);
        Assert.Equal(0, await BilledAsync(chat, "refused"));
        await chat.AssertNothingHeldAsync();
        var spent = Spent(chat);
        Assert.Equal(0, spent["all"]);
        Assert.True(spent["own"] > 0);
        JsonElement total = default;
        await TestServer.UntilAsync(async () =>
        {
            total = (await chat.Server.GetAsync("/admin/v1/costs?by=model")).Json.GetProperty("total");
            return total.GetProperty("wasted_requests").GetInt64() == 1;
        });
        Assert.Equal(new Money(spent["own"]).ToString(), total.GetProperty("waste").GetString());
    }

    [Fact]
    public async Task A_switched_off_upstream_is_not_asked_by_who_waited_for_its_limit()
    {
        await using var chat = await ChatServer.StartAsync(["hang-middle"], root: """
            limits: { rates: { one: { models: [u0], concurrency: 1, atLimit: queue, queueMs: 600000 } } }
            """);
        using var first = await chat.OpenAsync();
        var second = chat.ChatAsync();
        await TestServer.UntilAsync(() => Task.FromResult(
            chat.Server.Serving.Guards.Desk!.States.Rates().Any(r => r.Line.Count == 1)));

        var off = await chat.Server.SendAsync(
            new(HttpMethod.Post, "/admin/v1/switches/off?model=u0&abort=true&why=drill"));

        Assert.True(off.Status == 200, off.Text);
        ChatTests.Refused(await second, 503, "server_error", "switched_off", "drill");
        Assert.Equal(1, chat.Upstream.Requests);
        await chat.AssertNothingHeldAsync();
    }

    private static Reply By(Reply reply, string step)
    {
        Assert.True(reply.Status == 200, $"{reply.Status}: {reply.Text}");
        Assert.Equal(step, reply.Header("X-Spillway-Step"));
        return reply;
    }

    private static Dictionary<string, long> Spent(ChatServer chat) => chat.Server.Serving.Guards.Desk!.Budgets()
        .ToDictionary(b => $"{b.Account.Name} {b.Account.Scope}".Trim(), b => b.State.Spent.Nano);

    private static async Task<long> BilledAsync(ChatServer chat, string id) =>
        (await chat.Server.RecordAsync(id)).GetProperty("bill").EnumerateArray()
            .Sum(l => l.GetProperty("nano").GetInt64());
}
