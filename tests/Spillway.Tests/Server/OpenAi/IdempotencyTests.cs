namespace Spillway.Tests.Server.OpenAi;

/// <summary>Who asks twice under one Idempotency-Key is answered twice and pays once.</summary>
public sealed class IdempotencyTests
{
    private const string Prices = """
        prices:
          currency: USD
          models:
            u0: [{ from: 2020-01-01, perMillionOutput: 30 }]
        """;

    [Fact]
    public async Task The_second_request_gets_the_firsts_answer_and_no_bill()
    {
        await using var chat = await ChatServer.StartAsync(root: Prices);

        var first = await chat.ChatAsync("", ("Idempotency-Key", "a"), ("X-Request-Id", "one"));
        var second = await chat.ChatAsync("", ("Idempotency-Key", "a"), ("X-Request-Id", "two"));
        var other = await chat.ChatAsync("", ("Idempotency-Key", "b"));

        Assert.Equal(first.Body, second.Body);
        Assert.Equal((null, "true"), (first.Header("Idempotent-Replayed"), second.Header("Idempotent-Replayed")));
        Assert.Equal(2, chat.Upstream.Requests);
        Assert.NotEqual(first.Body, other.Body);
        Assert.Empty((await chat.Server.RecordAsync("two")).GetProperty("bill").EnumerateArray());
    }

    [Fact]
    public async Task Another_body_under_the_same_key_is_a_422()
    {
        await using var chat = await ChatServer.StartAsync();
        await chat.ChatAsync("", ("Idempotency-Key", "a"));

        ChatTests.Refused(
            await chat.ChatAsync("\"seed\":2", ("Idempotency-Key", "a")), 422, "invalid_request_error", "invalid_input",
            "Idempotency-Key");
    }

    [Fact]
    public async Task Who_asks_while_the_first_is_under_way_waits_for_it()
    {
        await using var chat = await ChatServer.StartAsync(chat: ChatServer.Fast with { FirstTokenMs = 300 });

        var replies =
            await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => chat.ChatAsync("", ("Idempotency-Key", "a"))));

        Assert.All(replies, r => Assert.Equal(200, r.Status));
        Assert.Equal(1, chat.Upstream.Requests);
        await chat.AssertNothingHeldAsync();
    }

    [Fact]
    public async Task A_failure_is_not_kept()
    {
        await using var chat = await ChatServer.StartAsync(["error"]);

        Assert.Equal(502, (await chat.ChatAsync("", ("Idempotency-Key", "a"))).Status);
        Assert.Equal(502, (await chat.ChatAsync("", ("Idempotency-Key", "a"))).Status);

        Assert.Equal(2, chat.Upstream.Requests);
        Assert.Equal(0, chat.Server.Serving.Gateway.Idempotent.Count);
    }

    [Theory]
    [InlineData("")]
    [InlineData("route=chat&")]
    [InlineData("tenant=local&")]
    public async Task What_is_switched_off_gives_no_kept_answers_either(string target)
    {
        await using var chat = await ChatServer.StartAsync();
        await chat.ChatAsync("", ("Idempotency-Key", "a"));

        var off = await chat.Server.SendAsync(new(HttpMethod.Post, $"/admin/v1/switches/off?{target}why=drill"));
        var refused = await chat.ChatAsync("", ("Idempotency-Key", "a"));
        var other = await chat.ChatAsync("\"seed\":2", ("Idempotency-Key", "a"));
        await chat.Server.SendAsync(new(HttpMethod.Post, $"/admin/v1/switches/on?{target}"));

        Assert.True(off.Status == 200, off.Text);
        Assert.Equal((503, "switched_off"), (refused.Status, refused.Header("X-Spillway-Fault")));
        Assert.Null(refused.Header("Idempotent-Replayed"));
        Assert.Equal(503, other.Status);
        Assert.Equal(200, (await chat.ChatAsync("", ("Idempotency-Key", "a"))).Status);
    }

    [Fact]
    public async Task What_is_given_again_counts_as_a_request_and_as_no_tokens()
    {
        await using var chat = await ChatServer.StartAsync(root: """
            limits:
              rates:
                few: { requestsPerSecond: 0.0001, burstSeconds: 20000 }
                short: { tokensPerSecond: 0.1, burstSeconds: 60000 }
            """);

        var replies = new List<Reply>();
        for (var i = 0; i < 3; i++)
            replies.Add(await chat.ChatAsync("\"max_tokens\":4000", ("Idempotency-Key", "a")));

        Assert.Equal([200, 200, 429], replies.Select(r => r.Status));
        Assert.Equal("true", replies[1].Header("Idempotent-Replayed"));
        await chat.AssertNothingHeldAsync();
    }

    [Fact]
    public async Task A_response_is_the_same_one_again_with_its_id_and_time()
    {
        await using var chat = await ChatServer.StartAsync();
        const string Body = """{"model":"chat","input":"Hello"}""";

        var first = await chat.PostAsync("/v1/responses", Body, ("Idempotency-Key", "a"));
        var second = await chat.PostAsync("/v1/responses", Body, ("Idempotency-Key", "a"));

        Assert.StartsWith("resp_", first.Json.GetProperty("id").GetString(), StringComparison.Ordinal);
        Assert.Equal(first.Text, second.Text);
        Assert.Equal("true", second.Header("Idempotent-Replayed"));
        Assert.Equal("u0", second.Header("X-Spillway-Step"));
        Assert.Equal(1, chat.Upstream.Requests);
    }

    [Fact]
    public async Task A_stream_that_was_given_is_a_409_that_is_not_repeated()
    {
        await using var chat = await ChatServer.StartAsync();
        Assert.True((await chat.StreamAsync("", ("Idempotency-Key", "a"))).IsDone);

        var again = await chat.ChatAsync("\"stream\":true", ("Idempotency-Key", "a"));
        var other = await chat.ChatAsync("\"stream\":true,\"seed\":2", ("Idempotency-Key", "a"));

        ChatTests.Refused(again, 409, "invalid_request_error", "invalid_input", "given to its end");
        Assert.Equal("false", again.Header("x-should-retry"));
        ChatTests.Refused(other, 422, "invalid_request_error", "invalid_input", "Idempotency-Key");
        Assert.Equal(1, chat.Upstream.Requests);
    }

    [Fact]
    public async Task A_stream_that_is_under_way_is_a_409_and_one_that_broke_runs_again()
    {
        await using var chat = await ChatServer.StartAsync(["hang-middle"]);
        using (await chat.OpenAsync(headers: ("Idempotency-Key", "a")))
        {
            var again = await chat.ChatAsync("\"stream\":true", ("Idempotency-Key", "a"));

            ChatTests.Refused(again, 409, "invalid_request_error", "invalid_input", "under way");
            Assert.NotNull(again.Header("retry-after-ms"));
            Assert.Equal(1, chat.Upstream.Requests);
        }

        // Its caller left, so it broke off.
        await chat.AssertNothingHeldAsync();
        using (await chat.OpenAsync(headers: ("Idempotency-Key", "a")))
            Assert.Equal(2, chat.Upstream.Requests);
        await chat.AssertNothingHeldAsync();
    }
}
