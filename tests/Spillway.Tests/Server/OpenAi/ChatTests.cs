using System.Text;
using System.Text.Json;

namespace Spillway.Tests.Server.OpenAi;

/// <summary>The gateway's surface: what a client of OpenAI's protocol sends and gets.</summary>
public sealed class ChatTests
{
    [Fact]
    public async Task A_chat_is_answered_with_the_upstreams_own_bytes()
    {
        await using var chat = await ChatServer.StartAsync();

        var reply = await chat.ChatAsync("\"max_tokens\":4");

        Assert.True(reply.Status == 200, reply.Text);
        Assert.Equal("chat.completion", reply.Json.GetProperty("object").GetString());
        Assert.Equal("This answer is simulated", reply.Json.GetProperty("choices")[0].GetProperty("message")
            .GetProperty("content").GetString());
        Assert.Equal("length", reply.Json.GetProperty("choices")[0].GetProperty("finish_reason").GetString());
        Assert.Equal(4, reply.Json.GetProperty("usage").GetProperty("completion_tokens").GetInt32());
        Assert.NotEmpty(reply.Header("x-request-id")!);
        Assert.NotNull(reply.Header("openai-processing-ms"));
        await chat.AssertNothingHeldAsync();
    }

    [Fact]
    public async Task A_stream_ends_with_DONE_and_shows_no_usage_that_was_not_asked_for()
    {
        await using var chat = await ChatServer.StartAsync();

        var events = await chat.StreamAsync();

        Assert.True(events.IsDone);
        Assert.Equal("This answer is simulated: no", events.Text);
        Assert.StartsWith("text/event-stream", events.Reply.Header("Content-Type"), StringComparison.Ordinal);
        Assert.DoesNotContain("usage", events.Reply.Text, StringComparison.Ordinal);
        // Asked for all the same: the bill needs it.
        Assert.Contains("\"stream_options\":{\"include_usage\":true}",
            Encoding.UTF8.GetString(chat.Upstream.LastBody.Span),
            StringComparison.Ordinal);
        await chat.AssertNothingHeldAsync();
    }

    [Fact]
    public async Task Usage_that_was_asked_for_is_the_last_chunk()
    {
        await using var chat = await ChatServer.StartAsync();

        var events = await chat.StreamAsync("\"stream_options\":{\"include_usage\":true}");

        var last = events.Chunks[^1];
        Assert.Empty(last.GetProperty("choices").EnumerateArray());
        Assert.Equal(6, last.GetProperty("usage").GetProperty("completion_tokens").GetInt32());
        Assert.All(events.Chunks.Take(events.Chunks.Count - 1),
            c => Assert.Equal(JsonValueKind.Null, c.GetProperty("usage").ValueKind));
    }

    [Fact]
    public async Task The_body_reaches_the_upstream_byte_for_byte_but_for_the_model_and_the_cap()
    {
        await using var chat = await ChatServer.StartAsync(["simulated"], route: "chat: { maxTokens: 77 }");
        const string Odd = """
            { "messages" : [ {"role":"user","content":"h\u00f6 ","x_unknown":[1,2.50]} ],
              "model" :"chat" , "seed":12345678901234567890 }
            """;

        Assert.Equal(200, (await chat.PostAsync("/v1/chat/completions", Odd)).Status);

        Assert.Equal(
            """
            { "messages" : [ {"role":"user","content":"h\u00f6 ","x_unknown":[1,2.50]} ],
              "model" :"simulated" , "seed":12345678901234567890 ,"max_tokens":77}
            """,
            Encoding.UTF8.GetString(chat.Upstream.LastBody.Span));
    }

    [Fact]
    public async Task Tools_are_called_in_a_stream_and_their_deltas_pass()
    {
        await using var chat = await ChatServer.StartAsync();

        var events = await chat.StreamAsync(
            "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"look\",\"parameters\":{}}}]");

        Assert.True(events.IsDone);
        var calls = events.Chunks.SelectMany(c => c.GetProperty("choices").EnumerateArray())
            .Where(c => c.GetProperty("delta").TryGetProperty("tool_calls", out _)).ToList();
        Assert.Equal("look", calls[0].GetProperty("delta").GetProperty("tool_calls")[0].GetProperty("function")
            .GetProperty("name").GetString());
        Assert.Contains(events.Chunks, c => c.GetProperty("choices").EnumerateArray()
            .Any(x => x.GetProperty("finish_reason").GetString() == "tool_calls"));
    }

    [Fact]
    public async Task Several_choices_are_streamed_until_each_has_its_end()
    {
        await using var chat = await ChatServer.StartAsync();

        var events = await chat.StreamAsync("\"n\":3");

        Assert.True(events.IsDone);
        Assert.Equal(3, events.Chunks.SelectMany(c => c.GetProperty("choices").EnumerateArray())
            .Count(c => c.GetProperty("finish_reason").ValueKind is JsonValueKind.String));
    }

    [Fact]
    public async Task Models_are_the_routes_and_one_can_be_asked_for()
    {
        await using var chat = await ChatServer.StartAsync();

        var list = (await chat.Server.GetAsync("/v1/models")).Json;
        Assert.Equal("list", list.GetProperty("object").GetString());
        Assert.Equal(["chat"], list.GetProperty("data").EnumerateArray().Select(m => m.GetProperty("id").GetString()!));
        Assert.Equal("model", (await chat.Server.GetAsync("/v1/models/chat")).Json.GetProperty("object").GetString());
        Assert.Equal(404, (await chat.Server.GetAsync("/v1/models/other")).Status);
    }

    [Fact]
    public async Task An_unknown_model_is_a_404_that_lists_what_there_is()
    {
        await using var chat = await ChatServer.StartAsync();

        var reply = await chat.PostAsync("/v1/chat/completions", ChatServer.Body(model: "gpt-9"));

        Refused(reply, 404, "invalid_request_error", "model_not_found", "gpt-9", "chat");
        Assert.Equal("model", reply.Json.GetProperty("error").GetProperty("param").GetString());
    }

    [Theory]
    [InlineData("{\"model\":\"chat\",\"messages\":[]}", "empty")]
    [InlineData("{\"model\":\"chat\",\"messages\":[{\"role\":\"boss\",\"content\":\"x\"}]}", "role")]
    [InlineData("{\"model\":\"chat\",\"messages\":[{\"content\":\"x\"}]}", "role")]
    [InlineData("{\"model\":\"chat\",\"messages\":\"hello\"}", "messages")]
    [InlineData("{\"model\":\"chat\"}", "messages")]
    [InlineData("{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}", "model")]
    [InlineData("{\"model\":\"chat\",\"model\":\"b\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}", "twice")]
    [InlineData("{\"model\":\"chat\",\"tools\":{},\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}", "tools")]
    [InlineData("{\"model\":\"chat\",\"tools\":[7],\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}", "tools")]
    [InlineData("{\"model\":\"chat\",\"messages\":[{\"role\":7,\"content\":\"x\"}]}", "role")]
    [InlineData("{\"model\":\"chat\",\"messages\":[7]}", "messages[0]")]
    [InlineData("{\"model\":\"chat\",\"messages\":[{\"role\":\"user\",\"content\":{}}]}", "content")]
    [InlineData("{\"model\":\"chat\",\"stream\":\"yes\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}",
        "stream")]
    [InlineData("{\"model\":\"chat\",\"max_tokens\":-1,\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}",
        "max_tokens")]
    [InlineData("{\"model\":\"chat\",\"max_tokens\":99999,\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}",
        "maxTokens")]
    [InlineData("{\"model\":\"chat\",\"n\":99,\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}", "choicesMax")]
    [InlineData("{\"model\":\"chat\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]} trailing", "JSON")]
    [InlineData("not json", "JSON")]
    [InlineData("[]", "object")]
    [InlineData("", "JSON")]
    public async Task What_is_no_request_is_a_400_that_says_what_is_wrong(string body, string says)
    {
        await using var chat = await ChatServer.StartAsync();

        var reply = await chat.PostAsync("/v1/chat/completions", body);

        Refused(reply, 400, "invalid_request_error", "invalid_input", says);
        Assert.Equal(0, chat.Upstream.Requests);
        await chat.AssertNothingHeldAsync();
    }

    [Fact]
    public async Task A_prompt_beyond_the_limit_is_a_413_with_the_limit()
    {
        await using var chat = await ChatServer.StartAsync(
            environment: ("SPILLWAY__SERVER__BODYBYTESMAX", "1024"));

        var reply = await chat.PostAsync("/v1/chat/completions", ChatServer.Body(content: new string('x', 2000)));

        Refused(reply, 413, "invalid_request_error", "input_too_large", "1,024");
    }

    [Fact]
    public async Task Other_paths_and_methods_are_refused_in_the_form_of_the_protocol()
    {
        await using var chat = await ChatServer.StartAsync();

        Refused(await chat.Server.GetAsync("/v1/chat/completions"), 405, "invalid_request_error", "wrong_method");
        Refused(await chat.PostAsync("/v1/fine_tuning/jobs", "{}"), 404, "invalid_request_error", "unknown_path");
        Refused(await chat.PostAsync("/v1/models", "{}"), 405, "invalid_request_error", "wrong_method");
    }

    [Fact]
    public async Task Embeddings_completions_and_moderations_pass()
    {
        await using var chat = await ChatServer.StartAsync();

        var floats = await chat.PostAsync("/v1/embeddings", """{"model":"chat","input":["a","b"],"dimensions":4}""");
        Assert.Equal(4, floats.Json.GetProperty("data")[1].GetProperty("embedding").GetArrayLength());
        var coded = await chat.PostAsync(
            "/v1/embeddings", """{"model":"chat","input":"a","dimensions":2,"encoding_format":"base64"}""");
        Assert.Equal("AACAPwAAAAA=", coded.Json.GetProperty("data")[0].GetProperty("embedding").GetString());
        var text = await chat.PostAsync("/v1/completions", """{"model":"chat","prompt":"a","max_tokens":2}""");
        Assert.Equal("This answer", text.Json.GetProperty("choices")[0].GetProperty("text").GetString());
        var judged = await chat.PostAsync("/v1/moderations", """{"model":"chat","input":"a"}""");
        Assert.False(judged.Json.GetProperty("results")[0].GetProperty("flagged").GetBoolean());
        await chat.AssertNothingHeldAsync();
    }

    [Fact]
    public async Task A_simulated_upstream_needs_no_socket_and_says_so_in_every_answer()
    {
        await using var server = await TestServer.StartAsync(new Config.ConfigFolder().Write("spillway.yaml", """
            server: { port: 0 }
            upstreams:
              words: { kind: simulated, simulated: { firstTokenMs: 1, tokensPerSecond: 10000, answerTokens: 5 } }
            routes:
              chat: { chain: { steps: [{ model: words }] } }
            """));

        var reply = await server.SendAsync(ChatServer.Request("/v1/chat/completions", ChatServer.Body(), []));
        var stream = new Events(await server.SendAsync(
            ChatServer.Request("/v1/chat/completions", ChatServer.Body("\"stream\":true"), [])));

        Assert.Equal("simulated", reply.Json.GetProperty("system_fingerprint").GetString());
        Assert.Equal("true", reply.Header("X-Simulated"));
        Assert.Equal("true", stream.Reply.Header("X-Simulated"));
        Assert.True(stream.IsDone);
        Assert.True((await server.GetAsync("/v1/models/chat")).Json.GetProperty("simulated").GetBoolean());
    }

    [Fact]
    public async Task Many_streams_at_once_are_not_held_back_where_no_limit_is_declared()
    {
        await using var chat = await ChatServer.StartAsync(chat: ChatServer.Fast with { TokensPerSecond = 20 });

        var replies = await Task.WhenAll(Enumerable.Range(0, 80).Select(_ => chat.StreamAsync()));

        Assert.All(replies, r => Assert.True(r.IsDone, r.Reply.Text));
        await chat.AssertNothingHeldAsync();
    }

    internal static void Refused(Reply reply, int status, string type, string code, params string[] says)
    {
        Assert.True(reply.Status == status, $"{reply.Status}: {reply.Text}");
        var error = reply.Json.GetProperty("error");
        Assert.Equal(["message", "type", "param", "code"], error.EnumerateObject().Select(p => p.Name));
        Assert.Equal((type, code), (error.GetProperty("type").GetString(), error.GetProperty("code").GetString()));
        Assert.All(says, s => Assert.Contains(s, error.GetProperty("message").GetString(), StringComparison.Ordinal));
    }
}
