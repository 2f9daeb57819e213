using System.Net.Sockets;
using System.Text;
using Spillway.Engine;
using Spillway.Tests.Support;

namespace Spillway.Tests.Server.OpenAi;

/// <summary>
/// Callers that leave in every phase of a chat before its answer: whatever they waited for, nothing is held afterwards,
/// every ticket is settled, and the others go on.
/// </summary>
public sealed class LeavingTests
{
    private const string Once = "retry: { attemptsMax: 1 }";

    // A limit that lets everybody in, so that each request has a ticket.
    private const string Limits = "limits: { rates: { all: { concurrency: 1000 } } }";

    private static Task UnderAsync(ChatServer chat, int requests) =>
        TestServer.UntilAsync(() => chat.Upstream.Under == requests);

    private static Task<Reply> AskAsync(ChatServer chat, (string, string)[] headers, CancellationToken stop) =>
        chat.Server.SendAsync(ChatServer.Request("/v1/chat/completions", ChatServer.Body(), headers), stop);

    private static async Task LeaveAsync(CancellationTokenSource leaves, Task asking)
    {
        await leaves.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking);
    }

    [Fact]
    public async Task While_the_body_is_sent()
    {
        await using var chat = await ChatServer.StartAsync(root: Limits);
        using (var client = new TcpClient())
        {
            await client.ConnectAsync(chat.Server.Address.Host, chat.Server.Address.Port);
            await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(
                "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                + "Content-Length: 100000\r\n\r\n{\"model\":\"chat\",\"messages\":["));
            await TestServer.UntilAsync(async () => chat.Server.Serving.InFlight == 1 && await HeldAsync(chat) > 0);
        }

        await chat.AssertNothingHeldAsync();
        Assert.Equal((0L, 0, 0L), (await HeldAsync(chat), chat.Upstream.Requests,
            chat.Server.Serving.Guards.Desk!.Borrowed));
    }

    [Fact]
    public async Task In_the_line_of_the_upstream()
    {
        await using var chat = await ChatServer.StartAsync(
            ["hang-headers"], Once + "\nconcurrency: { enabled: false, initial: 1, max: 1 }"
            + "\nqueue: { waitMs: 600000, builtUpWaitMs: 600000 }", root: Limits);
        using var first = new CancellationTokenSource();
        using var second = new CancellationTokenSource();
        var upstream = chat.Server.Serving.Gateway.Upstreams.Single();
        var asking = chat.OpenAsync(stop: first.Token);
        await UnderAsync(chat, 1);
        var waiting = chat.OpenAsync(stop: second.Token);
        await TestServer.UntilAsync(() => upstream.Waiting == 1);

        await LeaveAsync(second, waiting);
        await TestServer.UntilAsync(() => upstream.Waiting == 0 && chat.Server.Serving.InFlight == 1);
        Assert.Equal((1, 1), (chat.Upstream.Under, upstream.Look().Sum(t => t.InFlight)));

        await LeaveAsync(first, asking);
        await chat.AssertNothingHeldAsync();
        Assert.Equal(1, chat.Upstream.Requests);
    }

    [Fact]
    public async Task In_the_queue_at_the_gate()
    {
        await using var chat = await ChatServer.StartAsync(["hang-headers"], Once,
            root: "limits: { rates: { one: { concurrency: 1, atLimit: queue, queueMs: 600000 } } }");
        using var first = new CancellationTokenSource();
        using var second = new CancellationTokenSource();
        var asking = chat.OpenAsync(stop: first.Token);
        await UnderAsync(chat, 1);
        var waiting = chat.OpenAsync(stop: second.Token);
        await TestServer.UntilAsync(async () => await LimitAsync(chat, "waiting") == 1);

        await LeaveAsync(second, waiting);
        await TestServer.UntilAsync(async () => await LimitAsync(chat, "waiting") == 0
            && chat.Server.Serving.InFlight == 1);
        Assert.Equal(1, await LimitAsync(chat, "inside"));

        await LeaveAsync(first, asking);
        await chat.AssertNothingHeldAsync();
        Assert.Equal((0, 1), (await LimitAsync(chat, "inside"), chat.Upstream.Requests));
    }

    [Fact]
    public async Task In_the_pause_before_another_attempt()
    {
        // The pause lasts as long as the clock stands still.
        await using var chat = await ChatServer.StartAsync(["error"],
            "retry: { attemptsMax: 3, baseMs: 50000 }", root: Limits, clock: new Clock(new ManualTimeProvider()));
        using var leaves = new CancellationTokenSource();
        var upstream = chat.Server.Serving.Gateway.Upstreams.Single();
        var asking = AskAsync(chat, [], leaves.Token);
        await TestServer.UntilAsync(() => chat.Upstream is { Requests: 1, Under: 0 }
            && upstream.Look().All(t => t.InFlight == 0));
        Assert.Equal((1, false), (chat.Server.Serving.InFlight, asking.IsCompleted));

        await LeaveAsync(leaves, asking);

        await chat.AssertNothingHeldAsync();
        Assert.Equal(1, chat.Upstream.Requests);
    }

    [Fact]
    public async Task In_the_wait_for_the_first_under_the_same_key()
    {
        await using var chat = await ChatServer.StartAsync(["hang-headers"], Once, root: Limits);
        using var first = new CancellationTokenSource();
        using var second = new CancellationTokenSource();
        var asking = AskAsync(chat, [("Idempotency-Key", "a")], first.Token);
        await UnderAsync(chat, 1);
        var waiting = AskAsync(chat, [("Idempotency-Key", "a")], second.Token);
        await TestServer.UntilAsync(() => chat.Server.Serving.InFlight == 2);

        await LeaveAsync(second, waiting);
        await TestServer.UntilAsync(() => chat.Server.Serving.InFlight == 1);
        Assert.Equal(1, chat.Upstream.Under);

        await LeaveAsync(first, asking);
        await chat.AssertNothingHeldAsync();
        Assert.Equal((1, 0), (chat.Upstream.Requests, chat.Server.Serving.Gateway.Idempotent.Count));
    }

    private static async Task<int> LimitAsync(ChatServer chat, string figure) =>
        (await chat.Server.GetAsync("/admin/v1/limits")).Json.GetProperty("limits")[0].GetProperty(figure).GetInt32();

    private static async Task<long> HeldAsync(ChatServer chat) =>
        (await chat.Server.GetAsync("/admin/v1/server")).Json.GetProperty("body_bytes_held").GetInt64();
}
