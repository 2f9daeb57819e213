using Spillway.Tests.Support;

namespace Spillway.Tests.Server.Routes;

/// <summary>A route as a step of another one: its chain, its cache, its marks.</summary>
public sealed class RouteStepTests
{
    private const string Outer = "[{ model: inner }, { model: b }]";

    [Fact]
    public async Task Inner_chain_answers_first_and_its_own_steps_are_told()
    {
        await using var server = await StartAsync(Outer, "[{ model: a }, { model: b }]");
        var reply = (await server.AskAsync("1,2,3,4", ("X-Request-Id", "in"))).By("inner/a");
        Assert.Equal([1, 2, 3, 4], reply.Numbers("y"));
        Assert.Equal("r", reply.Json.GetProperty("model_name").GetString());
        (await server.RecordAsync("in")).AssertStagesSum();
        (await server.InferRowAsync("inner")).By("a");
        await server.CountsAsync("spillway_route_answered_total{route=\"inner\",step=\"0:a\"}", 2);
        await server.IdleAsync();
    }

    [Fact]
    public async Task Inner_route_that_falls_back_is_degraded_outside_and_not_remembered_there()
    {
        await using var server = await StartAsync(
            Outer, "[{ model: a }, { model: b }]", RoutedServer.Cache(), a: RoutedServer.Broken);
        for (var i = 0; i < 2; i++)
            Assert.Equal("miss", (await server.AskAsync()).By("inner/b", "runtime_failed").Header("X-Spillway-Cache"));
        await server.IdleAsync();
    }

    [Fact]
    public async Task Inner_route_without_an_answer_is_left_for_the_next_step()
    {
        await using var server = await StartAsync(Outer, "[{ model: a }]", a: RoutedServer.Broken);
        (await server.AskAsync("1,2,3,4", ("X-Request-Id", "left"))).By("b", "runtime_failed");
        Assert.Contains("inner", (await server.RecordAsync("left")).Says("step_left"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Answer_that_the_inner_cache_gives_is_as_old_outside_as_inside()
    {
        var time = new ManualTimeProvider();
        await using var server = await StartAsync(
            "[{ model: inner }]", "[{ model: a }]", RoutedServer.Cache("ttlMs: 60000"), inner: "{ enabled: true }",
            clock: new Spillway.Engine.Clock(time));
        await server.AnsweredAsync(time, server.InferRowAsync("inner"));
        time.Advance(TimeSpan.FromSeconds(50));

        var first = (await server.AnsweredAsync(time, server.AskAsync())).By("inner");
        Assert.Equal(("miss", "50"), (first.Header("X-Spillway-Cache"), first.Header("Age")));
        var second = (await server.AnsweredAsync(time, server.AskAsync())).By(null!);
        Assert.Equal(("hit", "50"), (second.Header("X-Spillway-Cache"), second.Header("Age")));
        time.Advance(TimeSpan.FromSeconds(11));
        // A minute after it was made it is no fresh answer of the outer route either.
        Assert.Equal("miss", (await server.AnsweredAsync(time, server.AskAsync())).Header("X-Spillway-Cache"));
    }

    [Fact]
    public async Task Switch_of_the_inner_route_holds_for_those_who_come_through_the_outer_one()
    {
        await using var server = await StartAsync("[{ model: inner, on: [off] }, { model: b }]", "[{ model: a }]");
        await server.SendAsync(new(HttpMethod.Post, "/admin/v1/switches/off?route=inner&why=test"));
        (await server.AskAsync()).By("b", "switched_off");
    }

    private static Task<TestServer> StartAsync(
        string outer, string inner1, string more = "", string inner = "{}", string? a = null,
        Spillway.Engine.Clock? clock = null) => RoutedServer.StartAsync(
        outer, more, $"  inner:\n    chain: {{ steps: {inner1} }}\n    cache: {inner}\n", a, clock: clock);
}
