using System.Text;
using System.Text.Json;
using Spillway.Tests.Config;
using Spillway.Tests.Engine.Gateway;
using Spillway.Tests.Server.Upstreams;

namespace Spillway.Tests.Server.OpenAi;

/// <summary>A route with a tokenizer: what it reserves, what it bills by, and how far it is believed.</summary>
public sealed class TokenizerTests
{
    private const string Prices = """
        prices:
          currency: USD
          models:
            u: [{ from: 2020-01-01, perMillionInput: 1, perMillionOutput: 1 }]
        """;

    private static string Text(int words) => string.Concat(Enumerable.Repeat(" word", words))[1..];

    private static RogueServer Answers(Func<string> usage, string words = "word word word") => new(call =>
    {
        var text = $$$"""
            {"id":"c","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant",
             "content":"{{{words}}}"},"finish_reason":"stop"}]{{{usage()}}}}
            """;
        return call.WriteAsync(Encoding.UTF8.GetBytes(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
            + $"Content-Length: {Encoding.UTF8.GetByteCount(text)}\r\n\r\n{text}"));
    });

    private static RogueServer Streams(params string[] pieces) => new(call =>
    {
        call.Closes = true;
        var text = new StringBuilder("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n");
        foreach (var piece in pieces)
        {
            text.Append("data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":")
                .Append(JsonSerializer.Serialize(piece)).Append("},\"finish_reason\":null}]}\n\n");
        }

        text.Append("data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n")
            .Append("data: [DONE]\n\n");
        return call.WriteAsync(Encoding.UTF8.GetBytes(text.ToString()));
    });

    private static async Task<TestServer> StartAsync(
        RogueServer upstream, string chat = "tokenizer: small.tiktoken, tokenizerPattern: cl100k", string root = Prices)
    {
        var folder = new ConfigFolder().Write("spillway.yaml", $$"""
            server: { port: 0 }
            upstreams:
              u: { kind: openai, retry: { attemptsMax: 1 }, targets: { t: { url: "{{upstream.Url}}/v1" } } }
            routes:
              chat:
                chain: { steps: [{ model: u }] }
                chat: { maxTokens: 10, {{chat}} }
            {{root}}
            """);
        File.WriteAllBytes(folder.PathOf("small.tiktoken"), PromptTokensTests.Words.Tiktoken());
        return await TestServer.StartAsync(folder.PathOf("spillway.yaml"), folder);
    }

    private static Task<Reply> AskAsync(TestServer server, string content, string more = "") =>
        server.SendAsync(ChatServer.Request("/v1/chat/completions", ChatServer.Body(more, content: content), []));

    private static async Task<JsonElement> ChatOfAsync(TestServer server, Reply reply) =>
        (await server.RecordAsync(reply.Header("x-request-id")!)).GetProperty("chat");

    [Fact]
    public async Task A_budget_for_a_prompts_tokens_suffices_where_its_bytes_would_not()
    {
        await using var upstream = Answers(() => ""","usage":{"prompt_tokens":1007,"completion_tokens":3}""");
        // 5,000 bytes; 1,000 tokens, the allowance of a template and ten of the answer.
        const string Budget = Prices + "\nbudgets:\n  all: { limit: 0.002, window: day }";
        await using var with = await StartAsync(upstream, root: Budget);
        await using var without = await StartAsync(upstream, chat: "choicesMax: 1", root: Budget);

        var answered = await AskAsync(with, Text(1000));
        var refused = await AskAsync(without, Text(1000));

        Assert.True(answered.Status == 200, answered.Text);
        Assert.Equal("upstream", (await ChatOfAsync(with, answered)).GetProperty("tokens_from").GetString());
        ChatTests.Refused(refused, 429, "insufficient_quota", "insufficient_quota", "Budget all");
    }

    [Fact]
    public async Task Without_usage_a_whole_answer_is_billed_by_the_tokenizer_and_the_record_says_so()
    {
        await using var upstream = Answers(() => "");
        await using var server = await StartAsync(upstream);

        var reply = await AskAsync(server, Text(50));

        var chat = await ChatOfAsync(server, reply);
        Assert.Equal(("tokenizer", 57, 3), (chat.GetProperty("tokens_from").GetString(),
            chat.GetProperty("input_tokens").GetInt32(), chat.GetProperty("output_tokens").GetInt32()));
        var record = await server.RecordAsync(reply.Header("x-request-id")!);
        Assert.Equal(60_000, record.GetProperty("bill").EnumerateArray().Sum(l => l.GetProperty("nano").GetInt64()));
        Assert.Contains("counted here with the route's tokenizer", record.GetRawText().Replace(
            "\\u0027", "'", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_usage_a_streams_pieces_are_put_together_before_they_are_counted()
    {
        // Four pieces, and two tokens.
        await using var upstream = Streams("wo", "rd wo", "r", "d");
        await using var server = await StartAsync(upstream);

        var reply = await AskAsync(server, Text(50), "\"stream\":true");

        Assert.EndsWith("data: [DONE]\n\n", reply.Text, StringComparison.Ordinal);
        var chat = await ChatOfAsync(server, reply);
        Assert.Equal(("tokenizer", 2), (chat.GetProperty("tokens_from").GetString(),
            chat.GetProperty("output_tokens").GetInt32()));
    }

    [Fact]
    public async Task A_tokenizer_that_an_upstreams_account_contradicts_is_not_used_any_more()
    {
        // More than its bytes allow for: the vocabulary is another model's.
        var told = 1400;
        await using var upstream = Answers(
            () => FormattableString.Invariant($$""","usage":{"prompt_tokens":{{told}},"completion_tokens":3}"""));
        const string Budget = Prices + "\nbudgets:\n  all: { limit: 0.005, window: day }";
        await using var server = await StartAsync(upstream, root: Budget);

        var first = await AskAsync(server, Text(1000));
        var second = await AskAsync(server, Text(1000));

        Assert.True(first.Status == 200, first.Text);
        Assert.Null(server.Serving.Gateway.Find("chat")!.Tokenizer);
        // It is reserved by its bytes again, and those are more than the budget.
        ChatTests.Refused(second, 429, "insufficient_quota", "insufficient_quota", "Budget all");
        Assert.Contains("spillway_chat_tokenizer_contradicted_total{model=\"chat\"} 1",
            (await server.GetAsync("/metrics")).Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_answer_that_a_rule_refuses_is_the_routes_waste_and_on_nobodys_bill(bool streams)
    {
        await using var upstream = streams ? Streams("word", " word") : Answers(
            () => ""","usage":{"prompt_tokens":40,"completion_tokens":2}""", "word word");
        await using var server = await StartAsync(
            upstream, "content: { answers: [{ name: no, words: [word word] }] }", Prices + "\nledger: {}");

        var reply = await AskAsync(server, "Hello", streams ? "\"stream\":true" : "");

        ChatTests.Refused(reply, 400, "invalid_request_error", "content_filter", "'no'");
        var record = await server.RecordAsync(reply.Header("x-request-id")!);
        Assert.Empty(record.GetProperty("bill").EnumerateArray());
        Assert.Contains("on nobody", record.GetRawText(), StringComparison.Ordinal);
        JsonElement total = default;
        await TestServer.UntilAsync(async () =>
        {
            total = (await server.GetAsync("/admin/v1/costs?by=model")).Json.GetProperty("total");
            return total.GetProperty("wasted_requests").GetInt64() == 1;
        });
        Assert.Equal(new Money(0).ToString(), total.GetProperty("billed").GetString());
        if (!streams)
            Assert.Equal(new Money(42_000).ToString(), total.GetProperty("waste").GetString());
        else
            Assert.NotEqual(new Money(0).ToString(), total.GetProperty("waste").GetString());
    }
}
