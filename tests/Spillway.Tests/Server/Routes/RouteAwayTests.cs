using Spillway.Tests.Protocols.Grpc;

namespace Spillway.Tests.Server.Routes;

/// <summary>A route none of whose models is there: what needs no model is given all the same.</summary>
public sealed class RouteAwayTests
{
    [Fact]
    public async Task Remembered_answer_is_given_while_the_only_model_is_away_and_what_is_new_says_why_not()
    {
        await using var server = await RoutedServer.StartAsync("[{ model: a }]", RoutedServer.Cache());
        (await server.AskAsync()).By("a");
        await UnloadAsync(server, "a");

        var hit = (await server.AskAsync("1,2,3,4", ("X-Request-Id", "away"))).By(null!);
        Assert.Equal(("hit", "0"), (hit.Header("X-Spillway-Cache"), hit.Header("Age")));
        Assert.Equal([1, 2, 3, 4], hit.Numbers("y"));
        (await server.RecordAsync("away")).AssertStagesSum();
        (await server.AskAsync("9,9,9,9")).Is(503, "model_not_ready", "not loaded");
        // Who asks whether its model is there hears that it is not.
        Assert.NotEqual(200, (await server.GetAsync("/v2/models/r/ready")).Status);
        Assert.Equal(200, (await server.GetAsync("/v2/models/r")).Status);

        Assert.Null(await server.Serving.Models.LoadAsync(server.Snapshot.Models.Single(m => m.Name == "a")));
        (await server.AskAsync("9,9,9,9")).By("a");
        await server.IdleAsync();
    }

    [Fact]
    public async Task Message_answers_over_both_protocols_while_every_model_is_away()
    {
        await using var server = await RoutedServer.StartAsync(
            "[{ model: a }, { model: b }, { kind: message, message: closed }]");
        await UnloadAsync(server, "a");
        (await server.AskAsync()).By("b", "model_not_ready");
        await UnloadAsync(server, "b");

        (await server.AskAsync()).By("message", "model_not_ready");
        using var client = GrpcCalls.Client(server);
        var reply = await client.InferAsync(Proto.Row("r"));
        Assert.Equal(0, reply.Status);
        Assert.Equal("message", reply.Header("X-Spillway-Step"));
        (await server.InferRowAsync("a")).Is(404, "unknown_model");
    }

    [Fact]
    public async Task Route_that_never_had_a_model_says_so()
    {
        // A model that nobody loads: what it takes and gives is known to nobody.
        await using var server = await TestServer.StartAsync(
            RoutedServer.Folder("[{ model: a }, { kind: message, message: closed }]"), load: false);
        (await server.AskAsync()).Is(503, "model_not_ready");
    }

    private static async Task UnloadAsync(TestServer server, string model) =>
        await server.Serving.Models.UnloadAsync(server.Snapshot.Models.Single(m => m.Name == model));
}
