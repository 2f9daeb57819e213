using System.Globalization;
using System.Text.Json;
using Spillway.App.Cli;
using Spillway.Engine;
using Spillway.Runtimes.Simulated.Chat;
using Spillway.Tests.Support;

namespace Spillway.Tests.Server.OpenAi;

/// <summary>Tokens, their price, and the budgets and limits that count them, on every path.</summary>
public sealed class BillTests
{
    private const string Prices = """
        prices:
          currency: USD
          models:
            u0: [{ from: 2020-01-01, perMillionInput: 10, perMillionOutput: 30, perRequest: 0.0001 }]
        """;

    private static string Budget(double limit) => FormattableString.Invariant($$"""
        budgets:
          all: { limit: {{limit}}, window: day }
        """);

    private static async Task<long> BilledAsync(ChatServer chat, string id)
    {
        var record = await chat.Server.RecordAsync(id);
        return record.GetProperty("bill").EnumerateArray().Sum(l => l.GetProperty("nano").GetInt64());
    }

    [Fact]
    public async Task A_bill_has_a_line_for_prompt_answer_and_request_and_the_ledger_the_same()
    {
        await using var chat = await ChatServer.StartAsync(root: Prices + "\nledger: {}");

        var reply = await chat.ChatAsync("", ("X-Request-Id", "billed"));

        var usage = reply.Json.GetProperty("usage");
        var (input, output) =
            (usage.GetProperty("prompt_tokens").GetInt64(), usage.GetProperty("completion_tokens").GetInt64());
        var record = await chat.Server.RecordAsync("billed");
        var lines = record.GetProperty("bill").EnumerateArray()
            .ToDictionary(l => l.GetProperty("label").GetString()!, l => l.GetProperty("nano").GetInt64());
        Assert.Equal(
            new Dictionary<string,
                long> { ["input"] = input * 10_000, ["output"] = output * 30_000, ["request"] = 100_000 },
            lines);
        JsonElement total = default;
        await TestServer.UntilAsync(async () =>
        {
            total = (await chat.Server.GetAsync("/admin/v1/costs?by=model")).Json.GetProperty("total");
            return total.GetProperty("answers").GetInt64() == 1;
        });
        Assert.Equal(new Money(lines.Values.Sum()).ToString(), total.GetProperty("billed").GetString());
        Assert.Equal((input, output),
            (total.GetProperty("input_tokens").GetInt64(), total.GetProperty("output_tokens").GetInt64()));

        var text = CostsView.Text((await chat.Server.GetAsync("/admin/v1/costs?by=model")).Json);
        Assert.Matches(@"\n  model +answers +rows +tokens in +tokens out +billed ", text);
        Assert.Matches($@"\n  all +1 +[0-9]+ +{input} +{output} +0\.", text);
    }

    [Fact]
    public async Task A_stream_that_broke_off_is_billed_for_what_was_delivered()
    {
        await using var chat = await ChatServer.StartAsync(["truncated-chunk"], root: Prices);

        var events = await chat.StreamAsync("", ("X-Request-Id", "broken"));

        Assert.NotNull(events.Error);
        var told = (await chat.Server.RecordAsync("broken")).GetProperty("chat");
        Assert.Equal("counted", told.GetProperty("tokens_from").GetString());
        Assert.Equal(
            (told.GetProperty("input_tokens").GetInt64() * 10_000) + (3 * 30_000) + 100_000,
            await BilledAsync(chat, "broken"));
    }

    [Fact]
    public async Task Who_leaves_in_mid_answer_is_billed_for_what_came()
    {
        await using var chat = await ChatServer.StartAsync(["hang-middle"], root: Prices);

        using (var response = await chat.OpenAsync())
        {
            var id = response.Headers.GetValues("X-Request-Id").Single();
            response.Dispose();
            var record = await chat.Server.RecordAsync(id);
            Assert.Equal("cancelled", record.GetProperty("outcome").GetString());
            Assert.InRange(await BilledAsync(chat, id), 100_000 + 30_000, long.MaxValue);
        }

        await chat.AssertNothingHeldAsync();
    }

    [Fact]
    public async Task A_request_without_an_answer_costs_nothing()
    {
        await using var chat = await ChatServer.StartAsync(["error"], root: Prices);

        await chat.ChatAsync("", ("X-Request-Id", "failed"));

        Assert.Equal(0, await BilledAsync(chat, "failed"));
    }

    [Fact]
    public async Task A_request_that_may_cost_more_than_is_left_is_refused_and_not_worth_a_retry()
    {
        // The cap of 4096 tokens may cost 0.12288; the answer of six costs a thousandth of that.
        await using var chat = await ChatServer.StartAsync(root: $"{Prices}\n{Budget(0.01)}");

        var dear = await chat.ChatAsync();
        var cheap = await chat.ChatAsync("\"max_tokens\":6");

        ChatTests.Refused(dear, 429, "insufficient_quota", "insufficient_quota", "Budget all");
        Assert.Equal("false", dear.Header("x-should-retry"));
        Assert.True(cheap.Status == 200, cheap.Text);
        await chat.AssertNothingHeldAsync();
    }

    [Fact]
    public async Task A_callers_own_limit_of_cost_holds()
    {
        await using var chat = await ChatServer.StartAsync(root: Prices);

        var reply = await chat.ChatAsync("", ("X-Spillway-Max-Cost", "0.01"));

        ChatTests.Refused(reply, 429, "insufficient_quota", "insufficient_quota", "X-Spillway-Max-Cost");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Whatever_happens_every_ticket_is_settled_and_the_budget_holds_seed(int seed)
    {
        var random = new Random(seed);
        string[] ways =
        [
            "simulated", "error", "throttle", "garbage", "error-in-answer", "half-character", "truncated-chunk",
            "clean-end", "empty", "no-usage", "hang-middle",
        ];
        var way = ways[random.Next(ways.Length)];
        // Enough for about forty of two hundred.
        await using var chat = await ChatServer.StartAsync(
            [way, "simulated"],
                "retry: { attemptsMax: 2, baseMs: 1 }\nbetweenDeltasMs: 500\nfirstDeltaMs: 500\nconnectMs: 400",
            root: Prices.Replace("    u0:", "    u1: [{ from: 2020-01-01, perMillionOutput: 30 }]\n    u0:",
                StringComparison.Ordinal)
                + "\n" + Budget(0.02),
            chat: ChatServer.Fast with
            {
                FaultRate = 0.3, Misbehaviour = (Misbehaviour)random.Next(1, (int)Misbehaviour.Slow), Seed = seed,
            });
        var answered = 0;
        var plans = Enumerable.Range(0, 200).Select(_ => (
            Leaves: random.Next(3) == 0 ? random.Next(1, 60) : 0, Stream: random.Next(4) > 0)).ToList();

        await Parallel.ForEachAsync(plans, new ParallelOptions { MaxDegreeOfParallelism = 24 }, async (plan, _) =>
        {
            using var leaves = new CancellationTokenSource();
            if (plan.Leaves > 0)
                leaves.CancelAfter(plan.Leaves);
            try
            {
                var more = plan.Stream ? "\"stream\":true,\"max_tokens\":6" : "\"max_tokens\":6";
                var reply = await chat.Server.SendAsync(
                    ChatServer.Request("/v1/chat/completions", ChatServer.Body(more),
                        [("X-Request-Timeout-Ms", "3000")]),
                    leaves.Token);
                if (reply.Status == 200 && reply.Text.Contains(plan.Stream ? "[DONE]" : "\"choices\"",
                    StringComparison.Ordinal))
                    Interlocked.Increment(ref answered);
            }
            catch (Exception gone) when (gone is OperationCanceledException or HttpRequestException or IOException)
            {
                // As planned, or the server's word that it broke off.
            }
        });

        await chat.AssertNothingHeldAsync();
        var budget = chat.Server.Serving.Guards.Desk!.Budgets().Single();
        Assert.Equal(Money.Zero, budget.State.Reserved);
        // Each whole answer has six tokens of 0.00003; what broke off adds to that.
        Assert.True(answered > 0, "The seed gave no answer.");
        Assert.InRange(budget.State.Spent.Nano, answered * 6 * 30_000L, 20_000_000);
    }

    [Fact]
    public async Task A_limit_of_tokens_counts_what_was_used_and_its_headers_say_what_is_left()
    {
        // Nothing is filled up while it stands still.
        await using var chat = await ChatServer.StartAsync(
            root: """
                limits:
                  rates:
                    tokens: { tokensPerSecond: 1, burstSeconds: 1000 }
                """,
            clock: new Clock(new ManualTimeProvider()));

        var first = await chat.ChatAsync("\"max_tokens\":10");
        var used = first.Json.GetProperty("usage").GetProperty("total_tokens").GetInt64();
        await chat.AssertNothingHeldAsync();
        var second = await chat.ChatAsync("\"max_tokens\":10");
        await chat.AssertNothingHeldAsync();
        var dear = await chat.ChatAsync("\"max_tokens\":2000");

        Assert.Equal("1000", first.Header("x-ratelimit-limit-tokens"));
        // What the first took and did not use is there again.
        var (left, reserved) = (long.Parse(first.Header("x-ratelimit-remaining-tokens")!, CultureInfo.InvariantCulture),
            long.Parse(second.Header("x-ratelimit-remaining-tokens")!, CultureInfo.InvariantCulture));
        Assert.Equal(used, left - reserved);
        ChatTests.Refused(dear, 429, "rate_limit_exceeded", "rate_limit_exceeded", "tokensPerSecond");
        Assert.NotNull(dear.Header("retry-after-ms"));
    }

    [Fact]
    public async Task Headers_tell_of_requests_and_of_tokens_each_by_its_own_tightest_limit()
    {
        await using var chat = await ChatServer.StartAsync(
            root: """
                limits:
                  rates:
                    places: { concurrency: 1 }
                    many: { requestsPerSecond: 1, burstSeconds: 1000 }
                    few: { requestsPerSecond: 1, burstSeconds: 10 }
                    tokens: { tokensPerSecond: 1, burstSeconds: 5000 }
                    more: { tokensPerSecond: 1, burstSeconds: 80000 }
                """,
            clock: new Clock(new ManualTimeProvider()));

        var reply = await chat.ChatAsync("\"max_tokens\":10");
        await chat.AssertNothingHeldAsync();
        var dear = await chat.ChatAsync("\"max_tokens\":4096,\"n\":2");

        Assert.Equal(("10", "9"),
            (reply.Header("x-ratelimit-limit-requests"), reply.Header("x-ratelimit-remaining-requests")));
        Assert.Equal("5000", reply.Header("x-ratelimit-limit-tokens"));
        Assert.Equal("1", reply.Header("RateLimit-Limit"));
        Assert.Equal((429, "9", "5000"), (dear.Status, dear.Header("x-ratelimit-remaining-requests"),
            dear.Header("x-ratelimit-limit-tokens")));
    }

    [Fact]
    public async Task A_switch_ends_the_streams_that_are_under_way()
    {
        await using var chat = await ChatServer.StartAsync(["hang-middle"], "retry: { attemptsMax: 1 }");
        using var response = await chat.OpenAsync();

        var ended = await chat.Server.SendAsync(
            new(HttpMethod.Post, "/admin/v1/switches/off?route=chat&abort=true&why=drill"));
        var rest = await response.Content.ReadAsStringAsync();

        Assert.True(ended.Status == 200, ended.Text);
        Assert.Contains("\"code\":\"switched_off\"", rest, StringComparison.Ordinal);
        Assert.DoesNotContain("[DONE]", rest, StringComparison.Ordinal);
        ChatTests.Refused(await chat.ChatAsync(), 503, "server_error", "switched_off", "drill");
        await chat.AssertNothingHeldAsync();
    }
}
