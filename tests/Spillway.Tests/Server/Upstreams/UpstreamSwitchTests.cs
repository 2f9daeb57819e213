using Spillway.Tests.Server.Routes;

namespace Spillway.Tests.Server.Upstreams;

/// <summary>Kill switches of models elsewhere that take tensors.</summary>
public sealed class UpstreamSwitchTests
{
    private const string Declared = "[{ model: gpu, on: [off] }, { model: b }]";

    [Fact]
    public async Task Switched_off_it_is_asked_no_more_and_left_only_where_declared()
    {
        await using var rogue = new RogueServer(RogueServer.Echo);
        await using var server = await UpstreamServer.StartAsync(UpstreamServer.ThenModel, [rogue]);
        await using var declared = await UpstreamServer.StartAsync(Declared, [rogue]);
        (await server.AskAsync()).By("gpu");

        await PostAsync(server, "off?model=gpu&why=wrong%20answers");
        await PostAsync(declared, "off?model=gpu");

        (await server.AskAsync()).Is(503, "switched_off", "wrong answers");
        (await declared.AskAsync()).By("b", "switched_off");
        Assert.Equal(1, rogue.Calls);
        await PostAsync(server, "on?model=gpu");
        (await server.AskAsync()).By("gpu");
        await server.AssertNothingHeldAsync();
    }

    [Fact]
    public async Task A_switch_knows_it_by_its_name_also_behind_a_model_of_the_server()
    {
        await using var rogue = new RogueServer(RogueServer.Echo);
        await using var server = await TestServer.StartAsync(
            UpstreamServer.Folder("[{ model: a }, { model: gpu }]", [rogue.Url]));

        await PostAsync(server, "off?model=gpu");

        (await server.SendAsync(new(HttpMethod.Post, "/admin/v1/switches/off?model=gpuu"))).Is(
            404, "unknown_model", "gpu");
    }

    [Theory]
    [InlineData("model=gpu")]
    [InlineData("route=r")]
    [InlineData("tenant=local")]
    [InlineData("why=everything")]
    public async Task Abort_ends_what_is_under_way_there(string target)
    {
        await using var rogue = new RogueServer(RogueServer.Echo);
        await using var server = await UpstreamServer.StartAsync(UpstreamServer.ThenModel, [rogue]);
        rogue.Infer = rogue.HangAfter();
        var asked = server.AskAsync();
        await TestServer.UntilAsync(() => Task.FromResult(rogue.Calls == 1));

        var flip = await PostAsync(server, $"off?{target}&abort=true");

        Assert.Equal(1, flip.Json.GetProperty("ended_in_flight").GetInt32());
        (await asked).Is(503, "switched_off");
        await TestServer.UntilAsync(() => Task.FromResult(rogue.Left == 1));
        await server.AssertNothingHeldAsync();
    }

    [Fact]
    public async Task Abort_of_another_target_leaves_it_alone_and_what_declares_it_moves_on()
    {
        await using var rogue = new RogueServer(RogueServer.Echo);
        await using var server = await UpstreamServer.StartAsync(Declared, [rogue]);
        rogue.Infer = rogue.HangAfter();
        var asked = server.AskAsync();
        await TestServer.UntilAsync(() => Task.FromResult(rogue.Calls == 1));

        var other = await PostAsync(server, "off?model=b&abort=true");
        await PostAsync(server, "on?model=b");
        Assert.Equal(0, other.Json.GetProperty("ended_in_flight").GetInt32());
        Assert.False(asked.IsCompleted);
        await PostAsync(server, "off?model=gpu&abort=true");

        (await asked).By("b", "switched_off");
    }

    [Fact]
    public async Task Who_waited_for_its_limit_is_not_sent_there_after_the_switch()
    {
        await using var rogue = new RogueServer(RogueServer.Echo);
        var folder = UpstreamServer.Folder(UpstreamServer.ThenModel, [rogue.Url]);
        await File.AppendAllTextAsync(folder.PathOf("spillway.yaml"),
            "limits: { rates: { one: { models: [gpu], concurrency: 1, atLimit: queue, queueMs: 600000 } } }\n");
        await using var server = await TestServer.StartAsync(folder);
        await server.KnownAsync();
        rogue.Infer = rogue.HangAfter();
        var first = server.AskAsync("1,2,3,4", ("X-Request-Timeout-Ms", "600000"));
        await TestServer.UntilAsync(() => Task.FromResult(rogue.Calls == 1));
        var second = server.AskAsync("1,2,3,4", ("X-Request-Timeout-Ms", "600000"));
        await TestServer.UntilAsync(() => Task.FromResult(
            server.Serving.Guards.Desk!.States.Rates().Any(r => r.Line.Count == 1)));

        await PostAsync(server, "off?model=gpu&abort=true");

        (await first).Is(503, "switched_off");
        (await second).Is(503, "switched_off");
        Assert.Equal(1, rogue.Calls);
        await server.AssertNothingHeldAsync();
    }

    private static async Task<Reply> PostAsync(TestServer server, string path)
    {
        var reply = await server.SendAsync(new(HttpMethod.Post, $"/admin/v1/switches/{path}"));
        Assert.True(reply.Status == 200, reply.Text);
        return reply;
    }
}
