using System.Text;
using System.Text.Json;
using Spillway.Tests.Config;
using Spillway.Tests.Server.Upstreams;

namespace Spillway.Tests.Server.OpenAi;

/// <summary>
/// Rules over content as callers meet them: on whole answers, in streams, on prompts, in a chain.
/// This file is long because each kind of rule is tried on prompts, answers and streams alike.
/// </summary>
public sealed class ContentRulesTests
{
    private const string Rules = """
        chat:
                  content:
                    prompts:
                      - { name: card, pii: [card], do: mask }
                      - { name: blue, words: [Project Blue] }
                    answers:
                      - { name: mail, pii: [email], do: mask }
                      - { name: red, words: [Project Red] }
                      - { name: seen, pattern: "[Hh]ello", matchCharsMax: 8, do: note }
        """;

    private static readonly string s_patient = UpstreamServer.PatientInline("retry: { attemptsMax: 1 }");

    private static async Task<TestServer> StartAsync(RogueServer upstream, bool hasNext = false, string rules = Rules)
    {
        var folder = new ConfigFolder().Write("spillway.yaml", $$"""
            server: { port: 0 }
            upstreams:
              u: { kind: openai, {{s_patient}}, targets: { t: { url: "{{upstream.Url}}/v1" } } }
              s: { kind: simulated, simulated: { firstTokenMs: 0, tokensPerSecond: 100000, answerTokens: 3 } }
            routes:
              chat:
                chain: { steps: [{ model: u }{{(hasNext ? ", { model: s }" : "")}}] }
                {{rules}}
            """);
        return await TestServer.StartAsync(folder.PathOf("spillway.yaml"), folder);
    }

    private static string Whole(string content) =>
        """{"id":"c","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"""
        + JsonSerializer.Serialize(content)
        + """},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":4}}""";

    private static RogueServer Answers(Func<string> body) => new(call =>
    {
        var text = body();
        return call.WriteAsync(Encoding.UTF8.GetBytes(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
            + $"Content-Length: {Encoding.UTF8.GetByteCount(text)}\r\n\r\n{text}"));
    });

    /// <summary>Streams those pieces of content, and an end.</summary>
    private static RogueServer Streams(params string[] pieces) => new(call =>
    {
        call.Closes = true;
        var text = new StringBuilder("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n");
        foreach (var piece in pieces)
            text.Append("data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":")
                .Append(JsonSerializer.Serialize(piece)).Append("},").Append("\"finish_reason\":null}]}\n\n");
        text.Append("data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n")
            .Append("data: [DONE]\n\n");
        return call.WriteAsync(Encoding.UTF8.GetBytes(text.ToString()));
    });

    private static Task<Reply> AskAsync(TestServer server, string more = "", string content = "Hello") =>
        server.SendAsync(ChatServer.Request("/v1/chat/completions", ChatServer.Body(more, content: content), []));

    private static async Task<JsonElement> RecordAsync(TestServer server, Reply reply)
    {
        var path = $"/admin/v1/requests/{reply.Header("x-request-id")}";
        await TestServer.UntilAsync(async () => (await server.GetAsync(path)).Status == 200);
        return (await server.GetAsync(path)).Json;
    }

    [Fact]
    public async Task A_whole_answer_is_masked_and_header_record_and_metrics_say_so()
    {
        await using var upstream = Answers(() => Whole("Hello, write to bob@x.org or ann@y.org."));
        await using var server = await StartAsync(upstream);

        var reply = await AskAsync(server);

        Assert.True(reply.Status == 200, reply.Text);
        Assert.Equal("Hello, write to [mail] or [mail].", reply.Json.GetProperty("choices")[0].GetProperty("message")
            .GetProperty("content").GetString());
        Assert.Equal("masked;rule=mail;in=answer;count=2, noted;rule=seen;in=answer;count=1",
            reply.Header("X-Spillway-Content"));
        var record = await RecordAsync(server, reply);
        Assert.Equal(2, record.GetProperty("chat").GetProperty("content")[0].GetProperty("count").GetInt32());
        Assert.Contains("the rule mail masked something in the answer, 2 times", record.GetRawText(),
            StringComparison.Ordinal);
        Assert.DoesNotContain("x.org", record.GetRawText(), StringComparison.Ordinal);
        Assert.Contains(
            "spillway_chat_content_total{model=\"chat\",rule=\"mail\",where=\"answer\",done=\"masked\"} 2",
            (await server.GetAsync("/metrics")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_answer_that_no_rule_touches_comes_to_the_byte()
    {
        var text = Whole("fine");
        await using var upstream = Answers(() => text);
        await using var server = await StartAsync(upstream);

        var reply = await AskAsync(server);

        Assert.Equal((text, null), (reply.Text, reply.Header("X-Spillway-Content")));
    }

    [Fact]
    public async Task A_stream_is_masked_across_events_and_a_comment_at_its_end_says_so()
    {
        await using var upstream = Streams("Hello ", "bob", "@x.", "org", ", bye ", "ann@y", ".or", "g");
        await using var server = await StartAsync(upstream);

        var reply = await AskAsync(server, "\"stream\":true");

        var data = reply.Text.Split("\n\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal("data: [DONE]", data[^1]);
        Assert.Equal(
            ": x-spillway-content noted;rule=seen;in=answer;count=1, masked;rule=mail;in=answer;count=2", data[^2]);
        var text = string.Concat(data.Where(d => d.StartsWith("data: {", StringComparison.Ordinal)).Select(
            d => JsonElement.Parse(d[6..]).GetProperty("choices")[0].GetProperty("delta")
                .TryGetProperty("content", out var c) ? c.GetString() : ""));
        Assert.Equal("Hello [mail], bye [mail]", text);
        Assert.Contains("\"stop\"", data[^3], StringComparison.Ordinal);
        Assert.DoesNotContain("x.org", reply.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_refused_answer_gives_way_to_the_next_step_or_is_a_400_that_is_not_repeated(bool hasNext)
    {
        await using var upstream = Answers(() => Whole("about project red, in short"));
        await using var server = await StartAsync(upstream, hasNext);

        var reply = await AskAsync(server);

        if (hasNext)
        {
            Assert.Equal((200, "s"), (reply.Status, reply.Header("X-Spillway-Step")));
            Assert.Equal("refused;rule=red;in=answer;count=1", reply.Header("X-Spillway-Content"));
            return;
        }

        ChatTests.Refused(reply, 400, "invalid_request_error", "content_filter", "'red'");
        Assert.Equal("false", reply.Header("x-should-retry"));
        Assert.DoesNotContain("short", reply.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stream_that_is_refused_before_its_first_content_gives_way_to_the_next_step()
    {
        await using var upstream = Streams("Project", " ", "Red", " is here");
        await using var server = await StartAsync(upstream, hasNext: true);

        var reply = await AskAsync(server, "\"stream\":true");

        Assert.Equal("s", reply.Header("X-Spillway-Step"));
        Assert.EndsWith("data: [DONE]\n\n", reply.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stream_that_is_refused_in_its_middle_ends_with_an_error_and_no_DONE()
    {
        await using var upstream = Streams("It is about ", "proj", "ect ", "red", ", they say");
        await using var server = await StartAsync(upstream, hasNext: true);

        var reply = await AskAsync(server, "\"stream\":true");

        var last = reply.Text.Split("\n\n", StringSplitOptions.RemoveEmptyEntries)[^1];
        Assert.Equal("content_filter",
            JsonElement.Parse(last[6..]).GetProperty("error").GetProperty("code").GetString());
        Assert.DoesNotContain("[DONE]", reply.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("proj", reply.Text, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("It is about ", reply.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_prompt_is_masked_on_its_way_to_the_upstream()
    {
        await using var upstream = Answers(() => Whole("fine"));
        await using var server = await StartAsync(upstream);

        var reply = await AskAsync(server, content: "My card is 4111 1111 1111 1111.");

        Assert.Equal("masked;rule=card;in=prompt;count=1", reply.Header("X-Spillway-Content"));
        Assert.True(upstream.Seen.TryPeek(out var call));
        Assert.Contains("My card is [card].", Encoding.UTF8.GetString(call.Body), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_rules_did_is_told_again_with_an_answer_that_is_given_again()
    {
        await using var upstream = Answers(() => Whole("Write to bob@x.org."));
        await using var server = await StartAsync(upstream);
        Task<Reply> Ask() => server.SendAsync(ChatServer.Request(
            "/v1/chat/completions", ChatServer.Body(content: "Hello"), [("Idempotency-Key", "a")]));

        var (first, second) = (await Ask(), await Ask());

        Assert.Equal((1, "true"), (upstream.Calls, second.Header("Idempotent-Replayed")));
        Assert.Equal("masked;rule=mail;in=answer;count=1", first.Header("X-Spillway-Content"));
        Assert.Equal(first.Header("X-Spillway-Content"), second.Header("X-Spillway-Content"));
        Assert.Contains("done=\"masked\"} 1", (await server.GetAsync("/metrics")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_refused_prompt_reaches_no_upstream_and_the_record_names_the_rule()
    {
        await using var upstream = Answers(() => Whole("fine"));
        await using var server = await StartAsync(upstream);

        var reply = await AskAsync(server, content: "Tell me of project blue");

        ChatTests.Refused(reply, 400, "invalid_request_error", "content_filter", "'blue'");
        Assert.Equal("false", reply.Header("x-should-retry"));
        Assert.Equal(0, upstream.Calls);
        Assert.Contains("the rule blue refused something in the prompt, once",
            (await RecordAsync(server, reply)).GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_is_over_a_limit_is_refused_before_a_word_is_looked_at()
    {
        await using var upstream = Answers(() => Whole("fine"));
        await using var server = await StartAsync(upstream, rules: Rules
            + "\nlimits: { rates: { few: { requestsPerSecond: 0.0001, burstSeconds: 10000 } } }");
        Assert.Equal(200, (await AskAsync(server)).Status);

        var reply = await AskAsync(server, content: "Tell me of project blue");

        Assert.Equal((429, null), (reply.Status, reply.Header("X-Spillway-Content")));
        Assert.DoesNotContain("'blue'", reply.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Masks_that_make_a_prompt_longer_are_within_its_limits_too()
    {
        await using var upstream = Answers(() => Whole("fine"));
        await using var server = await StartAsync(upstream, rules: """
            chat: { content: { prompts: [{ name: letter, pattern: a, matchCharsMax: 8, do: mask }] } }
            limits: { rates: { short: { tokensPerSecond: 0.1, burstSeconds: 50000 } } }
            """);

        var fits = await AskAsync(server, "\"max_tokens\":9", new string('a', 200));
        var longer = await AskAsync(server, "\"max_tokens\":9", new string('a', 1000));

        Assert.True(fits.Status == 200, fits.Text);
        Assert.Equal((429, 1), (longer.Status, upstream.Calls));
        await TestServer.UntilAsync(() => server.Serving.InFlight == 0);
        Assert.Equal(server.Serving.Guards.Desk!.Borrowed, server.Serving.Guards.Desk.Settled);
    }

    [Fact]
    public async Task The_Responses_API_is_under_the_same_rules()
    {
        await using var upstream = Streams("write to bob@", "x.org");
        await using var server = await StartAsync(upstream);

        var reply = await server.SendAsync(ChatServer.Request(
            "/v1/responses", """{"model":"chat","stream":true,"input":"x"}""", []));

        Assert.Contains("\"text\":\"write to [mail]\"", reply.Text, StringComparison.Ordinal);
        // Nothing is silent: what was masked is told here too.
        Assert.Contains(": x-spillway-content masked;rule=mail;in=answer;count=1\n\n", reply.Text,
            StringComparison.Ordinal);
        Assert.DoesNotContain("bob", reply.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_schema_of_the_whole_answer_moves_on_to_the_next_step()
    {
        await using var upstream = Answers(() => Whole("no JSON"));
        await using var server = await StartAsync(upstream, hasNext: true, rules:
            "chat: { content: { answers: [{ name: form, jsonSchema: '{\"type\":\"object\"}' }] } }");

        var reply = await AskAsync(server);

        // The simulated step's answer is no JSON either.
        ChatTests.Refused(reply, 400, "invalid_request_error", "content_filter", "'form'");
        Assert.Equal("s", reply.Header("X-Spillway-Step"));
    }

    [Fact]
    public void Rules_that_make_no_sense_are_told_at_the_start()
    {
        var folder = new ConfigFolder().Write("spillway.yaml", """
            upstreams: { u: { kind: openai, targets: { t: { url: "http://127.0.0.1:1/v1" } } } }
            routes:
              chat:
                chain: { steps: [{ model: u }] }
                chat: { content: { answers: [{ name: a, pattern: "(?=x)", do: mask }, { name: a, words: [x] }] } }
            """);

        var errors = Spillway.Config.ConfigLoader.Load(
            folder.PathOf("spillway.yaml"), new Dictionary<string, Type>(), new Dictionary<string, string>()).Errors;

        Assert.Equal(["routes.chat.chat.content.answers[0].pattern", "routes.chat.chat.content.answers[1].name"],
            errors.Select(e => e.Key));
    }
}
