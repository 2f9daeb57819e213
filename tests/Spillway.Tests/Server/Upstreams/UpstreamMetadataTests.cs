using Spillway.Tests.Protocols.Grpc;
using Spillway.Tests.Server.Routes;

namespace Spillway.Tests.Server.Upstreams;

/// <summary>What a route says of itself while nobody knows its upstream, and afterwards.</summary>
public sealed class UpstreamMetadataTests
{
    [Fact]
    public async Task Upstream_that_comes_up_late_is_found()
    {
        await using var rogue = new RogueServer(RogueServer.Echo, listens: false);
        await using var server = await TestServer.StartAsync(UpstreamServer.Folder(
            UpstreamServer.ThenModel, [rogue.Url],
            "healthMs: 20\nbreaker: { coolMs: 10, coolMaxMs: 20 }"));
        (await server.AskAsync()).By("b", "model_not_ready");
        rogue.Listen();
        await server.KnownAsync();
        await TestServer.UntilAsync(async () => (await server.AskAsync()).Header("X-Spillway-Step") == "gpu");
        (await server.AskAsync()).By("gpu");
    }

    [Fact]
    public async Task Route_over_an_upstream_that_nobody_knows_yet_says_so()
    {
        await using var nobody = new RogueServer(RogueServer.Echo, listens: false);
        await using var server = await TestServer.StartAsync(UpstreamServer.Folder(
            "[{ model: gpu }]", [nobody.Url]));
        Assert.NotEqual(200, (await server.GetAsync("/v2/models/r/ready")).Status);
        var reply = await server.AskAsync();
        Assert.Equal((503, "model_not_ready"), (reply.Status, reply.Header("X-Spillway-Fault")));
        foreach (var path in new[] { "", "/config", "/stats" })
            Assert.NotEqual(500, (await server.GetAsync($"/v2/models/r{path}")).Status);
    }

    [Fact]
    public async Task Route_over_an_upstream_describes_itself_in_both_protocols()
    {
        await using var rogue = new RogueServer(RogueServer.Echo);
        await using var server = await UpstreamServer.StartAsync(UpstreamServer.ThenModel, [rogue]);
        (await server.AskAsync()).By("gpu");
        var about = (await server.GetAsync("/v2/models/r")).Json;
        Assert.Equal("r", about.GetProperty("name").GetString());
        Assert.Equal("x", about.GetProperty("inputs")[0].GetProperty("name").GetString());
        Assert.Equal("r", (await server.GetAsync("/v2/models/r/config")).Json.GetProperty("name").GetString());
        Assert.Equal("r", (await server.GetAsync("/v2/models/r/stats")).Json.GetProperty("model_stats")[0]
            .GetProperty("name").GetString());
        Assert.Equal(200, (await server.GetAsync("/v2/models/stats")).Status);
        Assert.Equal(200, (await server.GetAsync("/admin/v1/models")).Status);

        using var client = GrpcCalls.Client(server);
        foreach (var call in new[] { "ModelMetadata", "ModelConfig", "ModelStatistics", "ModelReady" })
        {
            var told = await client.CallAsync(GrpcCalls.Service + call, Proto.Message(Proto.Text(1, "r")));
            Assert.True(told.Status == 0, $"{call}: {told.Text}");
        }

        var answer = (await client.InferAsync(Proto.Message(
            Proto.Text(1, "r"), Proto.Input("x", "FP32", [1, 4]), Proto.Bytes(7, Proto.Floats(1, 2, 3, 4))))).Message;
        Assert.Equal("r", Proto.TextOf(answer, 1));
        await server.AssertNothingHeldAsync();
    }
}
