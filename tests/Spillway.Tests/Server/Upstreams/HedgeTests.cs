using Spillway.Engine;
using Spillway.Tests.Server.Routes;
using Spillway.Tests.Support;

namespace Spillway.Tests.Server.Upstreams;

/// <summary>
/// Second copies of slow requests, on a clock that stands still but where a request is to be slow: however long this
/// machine takes for the others, none of them is.
/// </summary>
public sealed class HedgeTests
{
    private const string Hedged = "healthMs: 0\nhedge: { enabled: true, samplesMin: 20, delayMinMs: 1 }\n"
        + "retry: { budgetFloor: 100 }\nbreaker: { failuresInRowMax: 1000, requestsMin: 10000 }";

    private readonly ManualTimeProvider _time = new();

    [Fact]
    public async Task Slow_request_is_answered_by_a_second_copy_and_the_first_one_is_stopped()
    {
        await using var slow = new RogueServer(RogueServer.Echo);
        await using var quick = new RogueServer(RogueServer.Echo);
        await using var server = await StartAsync([slow, quick]);
        await LearnAsync(server);

        slow.Infer = slow.HangAfter();
        var asked = await AskUntilAtAsync(server, slow);
        Assert.Equal(0, await HedgesAsync(server));
        var reply = (await TestServer.ThroughAsync(_time, asked, stepMs: 1)).By("gpu");

        Assert.Equal([1, 2, 3, 4], reply.Numbers("y"));
        Assert.Equal(1, await HedgesAsync(server));
        await TestServer.UntilAsync(() => slow.Left == 1);
        await server.AssertNothingHeldAsync();
    }

    [Fact]
    public async Task Without_hedging_a_slow_request_waits_for_its_target()
    {
        await using var slow = new RogueServer(RogueServer.Echo);
        await using var quick = new RogueServer(RogueServer.Echo);
        await using var server = await StartAsync([slow, quick], "healthMs: 0\nretry: { attemptsMax: 1 }");
        await LearnAsync(server);

        slow.Infer = slow.HangAfter();
        var asked = await AskUntilAtAsync(server, slow);
        _time.Advance(TimeSpan.FromSeconds(30));

        Assert.Equal(0, await HedgesAsync(server));
        Assert.False(asked.IsCompleted);
        await slow.StopAsync();
        Assert.Equal(502, (await asked).Status);
    }

    [Fact]
    public async Task Second_copy_that_fails_leaves_the_first_one_its_time()
    {
        await using var late = new RogueServer(RogueServer.Echo);
        await using var bad = new RogueServer(RogueServer.Echo);
        await using var server = await StartAsync([late, bad]);
        await LearnAsync(server);

        var failed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var before = late.Calls;
        late.Infer = async call =>
        {
            await failed.Task.WaitAsync(call.Stop);
            await RogueServer.Echo(call);
        };
        bad.Infer = async call =>
        {
            await RogueServer.Status(400)(call);
            if (late.Calls > before)
                failed.TrySetResult();
        };
        var asked = await AskUntilAtAsync(server, late);

        (await TestServer.ThroughAsync(_time, asked, stepMs: 1)).By("gpu");
        Assert.Equal(1, await HedgesAsync(server));
        await server.AssertNothingHeldAsync();
    }

    private Task<TestServer> StartAsync(IReadOnlyList<RogueServer> targets, string options = Hedged) =>
        UpstreamServer.StartAsync("[{ model: gpu }]", targets, options, clock: new Clock(_time));

    private static async Task LearnAsync(TestServer server)
    {
        for (var i = 0; i < 60; i++)
            (await AskAsync(server, $"learn{i}")).By("gpu");
    }

    /// <summary>Asks, one after the other, until a request is at that target, which does not answer it.</summary>
    private static async Task<Task<Reply>> AskUntilAtAsync(TestServer server, RogueServer target)
    {
        var before = target.Calls;
        while (true)
        {
            var asked = AskAsync(server, "slow");
            await TestServer.UntilAsync(() => target.Calls > before || asked.IsCompleted);
            if (target.Calls > before)
                return asked;
        }
    }

    private static Task<long> HedgesAsync(TestServer server) =>
        server.CountAsync("spillway_upstream_hedges_total{upstream=\"gpu\"}");

    private static Task<Reply> AskAsync(TestServer server, string id) =>
        server.InferAsync("r", TestServer.Row("\"timeout\":60000000"), ("X-Request-Id", id));
}
