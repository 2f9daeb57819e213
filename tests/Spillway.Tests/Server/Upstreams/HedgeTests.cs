using Spillway.Tests.Server.Routes;

namespace Spillway.Tests.Server.Upstreams;

/// <summary>Second copies of slow requests.</summary>
public sealed class HedgeTests
{
    private const string Hedged = "healthMs: 0\nhedge: { enabled: true, samplesMin: 20, delayMinMs: 1 }\n"
        + "retry: { budgetFloor: 100 }\nbreaker: { failuresInRowMax: 1000, requestsMin: 10000 }";

    [Fact]
    public async Task Slow_request_is_answered_by_a_second_copy_and_the_first_one_is_stopped()
    {
        await using var slow = new RogueServer(RogueServer.Echo);
        await using var quick = new RogueServer(RogueServer.Echo);
        await using var server = await UpstreamServer.StartAsync("[{ model: gpu }]", [slow, quick], Hedged);
        await LearnAsync(server);

        slow.Infer = slow.HangAfter();
        var before = slow.Calls;
        for (var i = 0; slow.Calls == before; i++)
        {
            var reply = (await AskAsync(server, $"h{i}")).By("gpu");
            Assert.Equal([1, 2, 3, 4], reply.Numbers("y"));
        }

        Assert.Equal(1, await server.CountAsync("spillway_upstream_hedges_total{upstream=\"gpu\"}"));
        await TestServer.UntilAsync(() => Task.FromResult(slow.Left == 1));
        await server.AssertNothingHeldAsync();
    }

    [Fact]
    public async Task Without_hedging_a_slow_request_waits_for_its_target()
    {
        await using var slow = new RogueServer(RogueServer.Echo);
        await using var quick = new RogueServer(RogueServer.Echo);
        await using var server = await UpstreamServer.StartAsync(
            "[{ model: gpu }]", [slow, quick], "healthMs: 0\nfirstDeltaMs: 60000\nretry: { attemptsMax: 1 }");
        await LearnAsync(server);

        slow.Infer = slow.HangAfter();
        var (before, asked) = (slow.Calls, new List<Task<Reply>>());
        while (slow.Calls == before)
        {
            asked.Add(AskAsync(server, "w"));
            await Task.WhenAny(asked[^1], TestServer.UntilAsync(() => Task.FromResult(slow.Calls > before)));
        }

        Assert.Equal(0, await server.CountAsync("spillway_upstream_hedges_total{upstream=\"gpu\"}"));
        Assert.False(asked[^1].IsCompleted);
        await slow.StopAsync();
        Assert.Equal(502, (await asked[^1]).Status);
    }

    [Fact]
    public async Task Second_copy_that_fails_leaves_the_first_one_its_time()
    {
        await using var late = new RogueServer(RogueServer.Echo);
        await using var bad = new RogueServer(RogueServer.Echo);
        await using var server = await UpstreamServer.StartAsync("[{ model: gpu }]", [late, bad], Hedged);
        await LearnAsync(server);

        var failed = new TaskCompletionSource();
        late.Infer = async call =>
        {
            await failed.Task;
            await RogueServer.Echo(call);
        };
        bad.Infer = async call =>
        {
            await RogueServer.Status(400)(call);
            failed.TrySetResult();
        };
        var (before, asked) = (late.Calls, (Task<Reply>?)null);
        for (var i = 0; late.Calls == before; i++)
            await (asked = AskAsync(server, $"l{i}"));

        (await asked!).By("gpu");
        await server.AssertNothingHeldAsync();
    }

    private static async Task LearnAsync(TestServer server)
    {
        for (var i = 0; i < 60; i++)
            (await AskAsync(server, $"learn{i}")).By("gpu");
    }

    private static Task<Reply> AskAsync(TestServer server, string id) =>
        server.InferAsync("r", TestServer.Row("\"timeout\":60000000"), ("X-Request-Id", id));
}
