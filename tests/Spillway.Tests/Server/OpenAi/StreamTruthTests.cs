using System.Text;
using Spillway.Engine;
using Spillway.Runtimes.Simulated.Chat;
using Spillway.Tests.Support;

namespace Spillway.Tests.Server.OpenAi;

/// <summary>
/// Every way in which an upstream goes wrong, as the caller sees it: an answer that broke off is an error and never a
/// clean end, and another attempt is made only while the caller has nothing.
/// This file is long because each way in which a stream can lie stands beside the others.
/// </summary>
public sealed class StreamTruthTests
{
    /// <summary>On a clock that moves only where an upstream is to hang, but for the connection.</summary>
    private const string Bounded = "retry: { attemptsMax: 1 }\nconnectMs: 60000\nfirstDeltaMs: 60000\n"
        + "betweenDeltasMs: 60000\ntotalMs: 240000";

    private const double SecondMs = 1000;

    private readonly ManualTimeProvider _time = new();

    [Theory]
    [InlineData("error", 502, "upstream_failed")]
    [InlineData("throttle", 429, "rate_limit_exceeded")]
    [InlineData("throttle-after", 429, "rate_limit_exceeded")]
    [InlineData("unauthorized", 502, "upstream_failed")]
    [InlineData("hang-headers", 504, "upstream_timeout")]
    [InlineData("hang-first", 504, "upstream_timeout")]
    [InlineData("hang-refusal", 504, "upstream_timeout")]
    [InlineData("garbage", 502, "upstream_failed")]
    [InlineData("empty", 502, "upstream_failed")]
    public async Task A_stream_that_never_had_content_is_an_error_with_a_status(string model, int status, string code)
    {
        await using var chat = await StartAsync(model);

        var reply = await EndAsync(chat, model, chat.ChatAsync("\"stream\":true"));

        Assert.True(reply.Status == status, $"{reply.Status}: {reply.Text}");
        Assert.Equal(code, reply.Json.GetProperty("error").GetProperty("code").GetString());
        await chat.AssertNothingHeldAsync();
    }

    [Theory]
    [InlineData("error", 502)]
    [InlineData("throttle", 429)]
    [InlineData("hang-headers", 504)]
    [InlineData("hang-first", 504)]
    [InlineData("hang-middle", 504)]
    [InlineData("hang-refusal", 504)]
    [InlineData("garbage", 502)]
    [InlineData("error-in-answer", 502)]
    [InlineData("half-character", 502)]
    [InlineData("truncated-chunk", 502)]
    [InlineData("clean-end", 502)]
    [InlineData("empty", 502)]
    public async Task A_whole_answer_that_is_none_is_an_error_with_a_status(string model, int status)
    {
        await using var chat = await StartAsync(model);

        var reply = await EndAsync(chat, model, chat.ChatAsync());

        Assert.True(reply.Status == status, $"{reply.Status}: {reply.Text}");
        Assert.Equal(["error"], reply.Json.EnumerateObject().Select(p => p.Name));
        await chat.AssertNothingHeldAsync();
    }

    [Theory]
    [InlineData("hang-middle", "upstream_timeout")]
    [InlineData("error-in-answer", "upstream_failed")]
    [InlineData("half-character", "upstream_failed")]
    [InlineData("truncated-chunk", "upstream_failed")]
    [InlineData("clean-end", "upstream_failed")]
    public async Task An_upstream_that_dies_in_mid_answer_is_an_error_event_without_DONE(string model, string code)
    {
        await using var chat = await StartAsync(model, "simulated");

        var events = await BrokenAsync(chat, model, "broken");

        Assert.Equal(200, events.Reply.Status);
        Assert.Equal(code, events.Error?.GetProperty("code").GetString());
        Assert.DoesNotContain("[DONE]", events.Reply.Text, StringComparison.Ordinal);
        // What came before stands, and every event is whole.
        Assert.Equal("This answer is", events.Text);
        // The caller had a part of it, so nobody else was asked.
        Assert.Equal(0, chat.Upstreams[1].Requests);
        var record = await chat.Server.RecordAsync("broken");
        Assert.True(record.GetProperty("chat").GetProperty("partial").GetBoolean());
        Assert.Equal(3, record.GetProperty("chat").GetProperty("output_tokens").GetInt32());
        await chat.AssertNothingHeldAsync();
    }

    [Theory]
    [InlineData("error")]
    [InlineData("throttle")]
    [InlineData("unauthorized")]
    [InlineData("hang-headers")]
    [InlineData("hang-first")]
    [InlineData("hang-refusal")]
    [InlineData("garbage")]
    [InlineData("empty")]
    public async Task Before_the_first_content_the_next_step_answers(string model)
    {
        await using var chat = await StartAsync(model, "simulated");

        var events = new Events(await EndAsync(chat, model, chat.ChatAsync("\"stream\":true")));

        Assert.True(events.IsDone, events.Reply.Text);
        Assert.Equal("This answer is simulated: no", events.Text);
        Assert.Equal("u1", events.Reply.Header("X-Spillway-Step"));
        Assert.NotNull(events.Reply.Header("X-Spillway-Degraded"));
        await chat.AssertNothingHeldAsync();
    }

    [Theory]
    [InlineData("")]
    [InlineData("\"stream\":true")]
    public async Task A_refusal_whose_words_do_not_come_is_waited_for_as_long_as_any_silence_may_last(string more)
    {
        await using var chat = await ChatServer.StartAsync(
            ["hang-refusal"], "retry: { attemptsMax: 1 }\nconnectMs: 60000\nfirstDeltaMs: 600000\n"
                + "betweenDeltasMs: 5000\ntotalMs: 600000", clock: new Clock(_time));

        var reply = await EndAsync(chat, "hang-refusal", chat.ChatAsync(more));

        ChatTests.Refused(reply, 504, "server_error", "upstream_timeout", "5000 ms for the next bytes");
        await chat.AssertNothingHeldAsync();
    }

    [Fact]
    public async Task An_error_in_the_first_event_of_a_success_is_not_yet_an_answer()
    {
        await using var chat = await ChatServer.StartAsync(
            ["error-in-answer", "simulated"], Bounded, chat: ChatServer.Fast with { TokensBeforeFault = 0 });

        var events = await chat.StreamAsync();

        Assert.True(events.IsDone, events.Reply.Text);
        Assert.Equal("u1", events.Reply.Header("X-Spillway-Step"));
    }

    [Fact]
    public async Task A_throttled_answer_says_when_to_come_again_and_a_retry_waits_for_it()
    {
        await using var chat = await ChatServer.StartAsync(["throttle-after"], Bounded);

        var reply = await chat.ChatAsync();

        Assert.Equal("1", reply.Header("Retry-After"));
        Assert.Equal("50", reply.Header("retry-after-ms"));
        Assert.Null(reply.Header("x-should-retry"));
    }

    [Fact]
    public async Task A_second_attempt_mends_a_fault_that_passes()
    {
        await using var chat = await ChatServer.StartAsync(
            upstream: "retry: { attemptsMax: 8, baseMs: 1, budgetFloor: 10 }",
            chat: ChatServer.Fast with { FaultRate = 0.5, Misbehaviour = Misbehaviour.Error, Seed = 2 });

        for (var i = 0; i < 4; i++)
        {
            var reply = await chat.ChatAsync();
            Assert.True(reply.Status == 200, reply.Text);
        }

        Assert.True(chat.Upstream.Requests > 4, "The seed gave no fault.");
    }

    [Fact]
    public async Task No_usage_is_counted_here_and_the_record_says_so()
    {
        await using var chat = await ChatServer.StartAsync(["no-usage"]);

        var events = await chat.StreamAsync("", ("X-Request-Id", "counted"));

        Assert.True(events.IsDone);
        var told = (await chat.Server.RecordAsync("counted")).GetProperty("chat");
        Assert.Equal("counted", told.GetProperty("tokens_from").GetString());
        Assert.InRange(told.GetProperty("output_tokens").GetInt32(), 6, 8);
    }

    [Fact]
    public async Task A_caller_that_leaves_stops_the_upstream_at_once()
    {
        await using var chat = await ChatServer.StartAsync(["hang-middle"], "retry: { attemptsMax: 1 }");

        using (var response = await chat.OpenAsync())
        {
            Assert.Equal(200, (int)response.StatusCode);
            Assert.Equal(1, chat.Upstream.Under);
        }

        await TestServer.UntilAsync(() => Task.FromResult(chat.Upstream.Left == 1));
        await chat.AssertNothingHeldAsync();
    }

    [Theory]
    [InlineData("hang-headers")]
    [InlineData("hang-first")]
    public async Task A_caller_that_leaves_before_an_answer_stops_the_upstream_too(string model)
    {
        await using var chat = await ChatServer.StartAsync([model], "retry: { attemptsMax: 1 }");
        using var leaves = new CancellationTokenSource();

        var asking = chat.OpenAsync(stop: leaves.Token);
        await TestServer.UntilAsync(() => Task.FromResult(chat.Upstream.Under == 1));
        await leaves.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking);

        await TestServer.UntilAsync(() => Task.FromResult(chat.Upstream.Left == 1));
        await chat.AssertNothingHeldAsync();
    }

    [Fact]
    public async Task The_callers_time_bounds_a_whole_answer_and_is_not_tried_again()
    {
        await using var chat = await ChatServer.StartAsync(
            ["hang-headers"], "retry: { attemptsMax: 3 }", clock: new Clock(_time));

        var asked = chat.ChatAsync("", ("X-Stainless-Timeout", "0.3"));
        await TestServer.UntilAsync(() => chat.Upstream.Under == 1);
        var reply = await TestServer.ThroughAsync(_time, asked, stepMs: 100);

        ChatTests.Refused(reply, 504, "server_error", "deadline_exceeded");
        Assert.Equal("false", reply.Header("x-should-retry"));
        await chat.AssertNothingHeldAsync();
    }

    [Fact]
    public async Task The_callers_time_does_not_end_a_stream_that_has_begun()
    {
        await using var chat = await ChatServer.StartAsync(
            upstream: "retry: { attemptsMax: 1 }", chat: ChatServer.Fast with { TokensPerSecond = 12 },
            clock: new Clock(_time));

        using var response = await chat.OpenAsync(headers: ("X-Stainless-Timeout", "0.3"));
        _time.Advance(TimeSpan.FromSeconds(1));

        Assert.EndsWith("data: [DONE]\n\n", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_upstream_that_is_not_there_is_a_502_that_says_why()
    {
        await using var chat = await ChatServer.StartAsync(upstream: Bounded);
        await chat.Upstream.DisposeAsync();

        ChatTests.Refused(await chat.ChatAsync(), 502, "server_error", "upstream_unreachable");
        await TestServer.UntilAsync(() => Task.FromResult(chat.Server.Serving.InFlight == 0));
    }

    [Fact]
    public async Task A_name_that_does_not_resolve_is_a_502()
    {
        await using var server = await TestServer.StartAsync(new Config.ConfigFolder().Write("spillway.yaml", """
            server: { port: 0 }
            upstreams:
              u:
                kind: openai
                retry: { attemptsMax: 1 }
                connectMs: 60000
                firstDeltaMs: 60000
                targets: { t: { url: "http://nowhere.invalid/v1" } }
            routes:
              chat: { chain: { steps: [{ model: u }] } }
            """));

        ChatTests.Refused(
            await server.SendAsync(ChatServer.Request("/v1/chat/completions", ChatServer.Body(), [])),
            502, "server_error", "upstream_unreachable");
    }

    private Task<ChatServer> StartAsync(params string[] models) =>
        ChatServer.StartAsync(models, Bounded, clock: new Clock(_time));

    /// <summary>The answer: where the first upstream hangs, time passes until it is left.</summary>
    private async Task<Reply> EndAsync(ChatServer chat, string model, Task<Reply> asked)
    {
        if (!model.StartsWith("hang", StringComparison.Ordinal))
            return await asked;
        await TestServer.UntilAsync(() =>
        {
            if (chat.Upstream.Requests == 1 && chat.Upstreams.Skip(1).All(u => u.Requests == 0))
                _time.Advance(TimeSpan.FromMilliseconds(SecondMs));
            return asked.IsCompleted;
        });
        return await asked;
    }

    /// <summary>A stream that breaks off; where it hangs, after it brought what it was to bring.</summary>
    private async Task<Events> BrokenAsync(ChatServer chat, string model, string id)
    {
        using var response = await chat.OpenAsync(headers: ("X-Request-Id", id));
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        var text = new StringBuilder();
        if (model.StartsWith("hang", StringComparison.Ordinal))
        {
            while (!text.ToString().Contains("\" is\"", StringComparison.Ordinal)
                && await reader.ReadLineAsync() is { } line)
                text.Append(line).Append('\n');
            text.Append(await TestServer.ThroughAsync(_time, reader.ReadToEndAsync(), SecondMs));
        }
        else
        {
            text.Append(await reader.ReadToEndAsync());
        }

        var body = Encoding.UTF8.GetBytes(text.ToString());
        return new(new((int)response.StatusCode, body, new Dictionary<string, string>()));
    }
}
