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
}
