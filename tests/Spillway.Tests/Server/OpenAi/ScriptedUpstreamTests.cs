using System.Text;
using Spillway.Tests.Config;
using Spillway.Tests.Server.Upstreams;

namespace Spillway.Tests.Server.OpenAi;

/// <summary>Answers of an upstream to the byte, and what becomes of them.</summary>
public sealed class ScriptedUpstreamTests
{
    private static string Answer(int status, string body, string headers = "") =>
        $"HTTP/1.1 {status} x\r\nContent-Type: application/json\r\n{headers}"
        + $"Content-Length: {Encoding.UTF8.GetByteCount(body)}\r\n\r\n{body}";

    /// <summary>A server with a route over that upstream, and behind it a simulated step where asked for.</summary>
    private static readonly string s_patient = UpstreamServer.PatientInline();

    private static Task<TestServer> StartAsync(RogueServer first, bool hasNext, string root = "")
    {
        var folder = new ConfigFolder().Write("spillway.yaml", $$"""
            server: { port: 0 }
            upstreams:
              u: { kind: openai, {{s_patient}}, targets: { t: { url: "{{first.Url}}/v1" } } }
              s: { kind: simulated, simulated: { firstTokenMs: 0, tokensPerSecond: 100000, answerTokens: 3 } }
            routes:
              chat: { chain: { steps: [{ model: u }{{(hasNext ? ", { model: s }" : "")}}] } }
              other: { chain: { steps: [{ model: s }] } }
            {{root}}
            """);
        return TestServer.StartAsync(folder.PathOf("spillway.yaml"), folder);
    }

    private static Task<Reply> ChatAsync(
        TestServer server, string path = "/v1/chat/completions", string? body = null) =>
        server.SendAsync(ChatServer.Request(path, body ?? ChatServer.Body(), []));

    [Fact]
    public async Task A_long_Retry_After_is_not_slept_through_where_there_is_a_next_step()
    {
        await using var upstream = new RogueServer(RogueServer.Text(
            Answer(429, """{"error":{"message":"busy"}}""", "Retry-After: 60\r\n")));
        await using var server = await StartAsync(upstream, hasNext: true);

        var reply = await ChatAsync(server);

        Assert.True(reply.Status == 200, reply.Text);
        Assert.Equal(("s", 1), (reply.Header("X-Spillway-Step"), upstream.Calls));
        // A mixed chain's answer is labelled by the step that gave it.
        Assert.Equal("true", reply.Header("X-Simulated"));
    }

    [Fact]
    public async Task A_long_Retry_After_is_the_callers_where_there_is_none()
    {
        await using var upstream = new RogueServer(RogueServer.Text(
            Answer(429, """{"error":{"message":"busy"}}""", "Retry-After: 60\r\n")));
        await using var server = await StartAsync(upstream, hasNext: false);

        var reply = await ChatAsync(server);

        Assert.Equal((429, "60"), (reply.Status, reply.Header("Retry-After")));
        Assert.Equal(1, upstream.Calls);
    }

    [Fact]
    public async Task A_spent_key_is_told_as_such_and_is_not_tried_again()
    {
        await using var upstream = new RogueServer(RogueServer.Text(
            Answer(429, """{"error":{"message":"pay","code":"insufficient_quota"}}""")));
        await using var server = await StartAsync(upstream, hasNext: false);

        var reply = await ChatAsync(server);

        ChatTests.Refused(reply, 429, "insufficient_quota", "insufficient_quota");
        Assert.Equal(("false", null), (reply.Header("x-should-retry"), reply.Header("Retry-After")));
    }

    [Fact]
    public async Task Data_is_no_chat_and_a_response_of_an_odd_message_is_no_crash()
    {
        var body = """{"data":[{"embedding":[1]}]}""";
        await using var upstream = new RogueServer(call => call.WriteAsync(Answer(200, body)));
        await using var server = await StartAsync(upstream, hasNext: false);

        var chat = await ChatAsync(server);
        body = """
            {"choices":[{"index":0,"message":{"content":"\ud800","tool_calls":[7,{"index":"x"}]},
            "finish_reason":"stop"}]}
            """;
        var response = await ChatAsync(server, "/v1/responses", """{"model":"chat","input":"x"}""");
        body = """{"choices":[{"index":0,"message":{"content":null,"refusal":"I may not."},"finish_reason":"stop"}]}""";
        var refusal = await ChatAsync(server, "/v1/responses", """{"model":"chat","input":"x"}""");

        Assert.Equal(502, chat.Status);
        Assert.True(response.Status == 200, response.Text);
        Assert.Equal("I may not.", refusal.Json.GetProperty("output")[0].GetProperty("content")[0]
            .GetProperty("refusal").GetString());
    }

    [Theory]
    [InlineData("""{"choices":[{}],"usage":{"prompt_tokens":5,"completion_tokens":7}}""")]
    [InlineData("""{"choices":[{"index":0,"message":null,"finish_reason":"stop"}]}""")]
    [InlineData("""{"choices":[{"error":{"message":"died","code":502},"finish_reason":"error"}]}""")]
    public async Task A_success_without_an_answer_gives_way_to_the_next_step(string body)
    {
        await using var upstream = new RogueServer(call => call.WriteAsync(Answer(200, body)));
        await using var server = await StartAsync(upstream, hasNext: true);

        var reply = await ChatAsync(server);

        Assert.Equal((200, "s"), (reply.Status, reply.Header("X-Spillway-Step")));
    }

    [Fact]
    public async Task Calls_side_by_side_are_one_message_and_a_pictures_detail_stays()
    {
        await using var upstream = new RogueServer(call => call.WriteAsync(Answer(200,
            """{"choices":[{"index":0,"message":{"content":"a"},"finish_reason":"stop"}]}""")));
        await using var server = await StartAsync(upstream, hasNext: false);

        var reply = await ChatAsync(server, "/v1/responses", """
            {"model":"chat","input":[
              {"role":"user","content":[{"type":"input_image","image_url":"http://a/b","detail":"low"}]},
              {"type":"function_call","call_id":"1","name":"f","arguments":"{}"},
              {"type":"function_call","call_id":"2","name":"g","arguments":"{}"},
              {"type":"function_call_output","call_id":"1","output":"x"},
              {"type":"function_call_output","call_id":"2","output":"y"},
              {"role":"assistant","content":[{"type":"refusal","refusal":"no"}]}]}
            """);
        var twice = await ChatAsync(server, "/v1/responses", """{"model":"chat","input":"x","n":2}""");

        Assert.True(reply.Status == 200, reply.Text);
        Assert.True(upstream.Seen.TryDequeue(out var call));
        using var sent = System.Text.Json.JsonDocument.Parse(call.Body);
        var messages = sent.RootElement.GetProperty("messages");
        Assert.Equal(["user", "assistant", "tool", "tool", "assistant"],
            messages.EnumerateArray().Select(m => m.GetProperty("role").GetString()));
        Assert.Equal(2, messages[1].GetProperty("tool_calls").GetArrayLength());
        Assert.Equal("low", messages[0].GetProperty("content")[0].GetProperty("image_url").GetProperty("detail")
            .GetString());
        Assert.Equal("no", messages[4].GetProperty("content")[0].GetProperty("refusal").GetString());
        Assert.InRange(twice.Status, 400, 501);
    }

    [Theory]
    [InlineData("\"encoding_format\":\"base64\",", "\"AAAAPwAAgL8=\"")]
    [InlineData("\"encoding_format\":\"float\",", "[0.5, -1]")]
    [InlineData("", "[0.5, -1]")]
    public async Task Embeddings_come_in_the_form_that_was_asked_for_also_of_servers_that_know_one_only(
        string format, string vector)
    {
        const string Head = """{"object":"list","data":[{"object":"embedding","index":0,"embedding":""";
        const string Tail = """}],"usage":{"prompt_tokens":2,"total_tokens":2},"x":{"embedding":[1]}}""";
        await using var upstream = new RogueServer(call => call.WriteAsync(Answer(200, Head + "[0.5, -1]" + Tail)));
        await using var server = await StartAsync(upstream, hasNext: false);

        var reply = await ChatAsync(
            server, "/v1/embeddings", "{\"model\":\"chat\"," + format + "\"input\":\"x\"}");

        Assert.Equal((200, Head + vector + Tail), (reply.Status, reply.Text));
    }

    [Theory]
    [InlineData("\"x\"", 1, 200)]
    [InlineData("[1,2,3]", 1, 200)]
    [InlineData("[\"a\",\"b\"]", 2, 200)]
    [InlineData("[[1],[2,3]]", 2, 200)]
    [InlineData("[\"a\",\"b\"]", 1, 502)]
    [InlineData("\"x\"", 2, 502)]
    public async Task There_are_as_many_embeddings_as_inputs(string input, int vectors, int status)
    {
        var data = string.Join(',', Enumerable.Range(0, vectors).Select(i => $"{{\"index\":{i},\"embedding\":[1]}}"));
        await using var upstream = new RogueServer(call => call.WriteAsync(Answer(200, $"{{\"data\":[{data}]}}")));
        await using var server = await StartAsync(upstream, hasNext: false);

        var reply = await ChatAsync(server, "/v1/embeddings", $"{{\"model\":\"chat\",\"input\":{input}}}");

        Assert.True(reply.Status == status, $"{reply.Status}: {reply.Text}");
    }

    [Fact]
    public async Task A_vector_that_cannot_be_turned_into_base64_is_no_answer()
    {
        await using var upstream = new RogueServer(call => call.WriteAsync(
            Answer(200, """{"data":[{"embedding":[0.5,null]}]}""")));
        await using var server = await StartAsync(upstream, hasNext: false);

        var reply = await ChatAsync(
            server, "/v1/embeddings", """{"model":"chat","encoding_format":"base64","input":"x"}""");

        ChatTests.Refused(reply, 502, "server_error", "upstream_failed", "no list of numbers");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_response_says_what_was_asked_on_one_line_whatever_lines_it_came_in(bool isStream)
    {
        await using var chat = await ChatServer.StartAsync();
        const string Asked = """
            {"model":"chat","input":"x","instructions":"Be brief.","temperature":0.5,"metadata":{"a":"b"},
             "tools":[{"type":"function","name":"f",
               "parameters":{"type":"object",
                 "properties":{}}}],
             "tool_choice":"none","max_output_tokens":50,"reasoning":{"effort":"low"},"user":"u","store":true,
             "parallel_tool_calls":null
            """;

        var reply = await chat.PostAsync("/v1/responses", $"{Asked},\"stream\":{(isStream ? "true" : "false")}}}");

        Assert.True(reply.Status == 200, reply.Text);
        var said = isStream ? Completed(reply.Text) : reply.Json;
        Assert.Equal(("Be brief.", 0.5, "b", 50), (said.GetProperty("instructions").GetString(),
            said.GetProperty("temperature").GetDouble(), said.GetProperty("metadata").GetProperty("a").GetString(),
            said.GetProperty("max_output_tokens").GetInt32()));
        Assert.Equal("f", said.GetProperty("tools")[0].GetProperty("name").GetString());
        Assert.Equal(("none", "low", "u"), (said.GetProperty("tool_choice").GetString(),
            said.GetProperty("reasoning").GetProperty("effort").GetString(), said.GetProperty("user").GetString()));
        // What was not asked is as the API says it; and nothing is stored.
        Assert.True(said.GetProperty("parallel_tool_calls").GetBoolean());
        Assert.Equal(System.Text.Json.JsonValueKind.Null, said.GetProperty("top_p").ValueKind);
        Assert.False(said.GetProperty("store").GetBoolean());
    }

    /// <summary>The response of a stream's last event; every event is one line of data.</summary>
    private static System.Text.Json.JsonElement Completed(string stream)
    {
        var events = stream.Split("\n\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.All(events, e => Assert.Matches("\\Aevent: [a-z._]+\ndata: [^\n]+\\z", e));
        return System.Text.Json.JsonElement.Parse(events[^1][(events[^1].IndexOf('\n') + 7)..]).GetProperty("response");
    }

    [Theory]
    [InlineData("/v1/nothing")]
    [InlineData("/v1/chat/completions")]
    [InlineData("/v1/models")]
    [InlineData("/v1/models/unknown")]
    public async Task Every_answer_has_a_request_id(string path)
    {
        await using var upstream = new RogueServer(RogueServer.Status(500));
        await using var server = await StartAsync(upstream, hasNext: false);
        using var request = new HttpRequestMessage(HttpMethod.Get, path);

        Assert.NotEmpty((await server.SendAsync(request)).Header("x-request-id") ?? "");
    }
}
