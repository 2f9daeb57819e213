using Spillway.App.Simulate;
using Spillway.Policies.Breaking;
using Spillway.Tests.Config;
using Spillway.Tests.Server.Upstreams;

namespace Spillway.Tests.Server.OpenAi;

/// <summary>Targets that are asked how they are, where that is declared.</summary>
public sealed class TargetHealthTests
{
    private const string Answer = """
        {"choices":[{"index":0,"message":{"role":"assistant","content":"yes"},"finish_reason":"stop"}]}
        """;

    private static RogueServer.Manner Chat => RogueServer.Text(
        $"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {Answer.Length}\r\n\r\n{Answer}");

    private static Task<TestServer> StartAsync(string targets, string health)
    {
        var folder = new ConfigFolder().Write("spillway.yaml", $$"""
            server: { port: 0 }
            upstreams:
              u:
                kind: openai
                targets: { {{targets}} }
                breaker: { coolMs: 10, coolMaxMs: 10 }
                connectMs: 600000
                firstDeltaMs: 600000
                betweenDeltasMs: 600000
                {{health}}
            routes:
              chat: { chain: { steps: [{ model: u }] } }
            """);
        return TestServer.StartAsync(folder);
    }

    private static BreakerState State(TestServer server, int target) =>
        server.Serving.Gateway.Upstreams.Single().Look()[target].State;

    [Fact]
    public async Task A_target_that_dies_is_left_alone_before_a_request_finds_out_and_comes_back()
    {
        await using var dead = new RogueServer(Chat, listens: false);
        await using var alive = new RogueServer(Chat);
        await using var server = await StartAsync(
            $"dead: {{ url: \"{dead.Url}/v1\" }}, alive: {{ url: \"{alive.Url}/v1\" }}",
            "healthPath: /health\n    healthMs: 1");

        await TestServer.UntilAsync(() => State(server, 0) is not BreakerState.Closed);
        Assert.Equal(BreakerState.Closed, State(server, 1));
        Assert.Equal((0, 0), (dead.Calls, alive.Calls));

        dead.Listen();

        await TestServer.UntilAsync(() => State(server, 0) is BreakerState.Closed);
        Assert.Equal((0, 0), (dead.Calls, alive.Calls));
    }

    [Fact]
    public async Task Nobody_is_asked_where_nothing_is_declared()
    {
        await using var upstream = await SimulatedModelServer.StartAsync(ChatServer.Fast);
        await using var server = await StartAsync($"t: {{ url: \"{upstream.Address}v1\" }}", "model: simulated");
        for (var i = 1; i <= 3; i++)
        {
            var reply = await server.SendAsync(
                ChatServer.Request("/v1/chat/completions", ChatServer.Body(), []));
            Assert.True(reply.Status == 200, reply.Text);
            Assert.Equal((i, "/v1/chat/completions"), (upstream.Requests, upstream.LastPath));
        }
    }
}
