using System.Globalization;
using Spillway.Flow;
using Spillway.Runtimes.Simulated;
using Spillway.Tests.Config;
using Spillway.Tests.Server.Access;
using Spillway.Tests.Support;

namespace Spillway.Tests.Server.Routes;

/// <summary>
/// Routes over models that come when they are asked for: which are loaded, how long that is waited for, and what
/// answers when none comes.
/// </summary>
public sealed class RouteLoadTests
{
    private const string One = "[{ model: a }]";
    private const string ThenMessage = "[{ model: a }, { kind: message, message: busy }]";

    [Fact]
    public async Task Model_of_a_route_that_is_a_step_is_loaded_when_the_outer_route_is_asked()
    {
        await using var server = await TestServer.StartAsync(
            Folder(10, "[{ model: q }]", "  q: { chain: { steps: [{ model: a }] } }\n", ("a", Model(10))));
        (await AskAsync(server)).By("q/a");
        await AwayAsync(server, "a");
        (await AskAsync(server)).By("q/a");
    }

    [Fact]
    public async Task Version_in_the_place_of_another_is_the_one_that_is_loaded()
    {
        await using var server = await TestServer.StartAsync(Folder(10, One, "", ("a", Model(10))));
        (await AskAsync(server)).By("a");
        var old = server.Snapshot.Models.Single();
        Assert.Null(server.Serving.Models.Declare(old with { Version = 2 }, onDemand: true));
        await server.Serving.Models.RemoveAsync(old);

        (await AskAsync(server, "second")).By("a");
        Assert.Equal("2", (await server.RecordAsync("second")).GetProperty("version").GetString());
    }

    [Fact]
    public async Task Model_that_is_known_no_more_does_not_come()
    {
        await using var server = await TestServer.StartAsync(Folder(10, One, "", ("a", Model(10))));
        var door = server.Serving.Find("a")!;
        await server.Serving.Models.RemoveAsync(server.Snapshot.Models.Single());
        var fault = await server.Serving.Models.WantAsync(door, TestServer.Patience, CancellationToken.None);
        Assert.Equal(FaultKind.ModelNotReady, fault?.Kind);
    }

    [Fact]
    public async Task Route_that_never_had_a_model_is_answered_by_the_first_one_that_comes()
    {
        // Nothing is as large as a: it is refused, and b takes the room of what is there.
        await using var server = await TestServer.StartAsync(Folder(
            10, RoutedServer.Two, "", ("there", Model(10)), ("a", Model(20)), ("b", Model(10))));
        Assert.Equal(RouteState.Absent, server.Serving.Find("r")!.Route.State);
        (await AskAsync(server)).By("b", "model_not_ready");
    }

    [Fact]
    public async Task Route_whose_first_model_failed_at_the_start_loads_the_second()
    {
        var folder = Folder(10, RoutedServer.Two, "", ("there", Model(10)), ("a", "onnx: { cache: off }\n"),
            ("b", Model(10)));
        await File.WriteAllTextAsync(folder.PathOf("a/model.onnx"), "no model");
        await using var server = await TestServer.StartAsync(folder);
        Assert.Equal(RouteState.Failed, server.Serving.Find("a")!.Route.State);
        (await AskAsync(server)).By("b", "model_not_ready");
    }

    [Theory]
    [InlineData(ThenMessage, "message")]
    [InlineData("[{ model: a, on: [overload] }, { kind: message, message: busy }]", null)]
    public async Task Model_that_does_not_come_is_left_where_that_is_declared(string steps, string? by)
    {
        // With the other one pinned there is no room for it any more.
        await using var server = await TestServer.StartAsync(Folder(
            10, steps, "limits: { rates: { all: { requestsPerSecond: 1000 } } }\n", ("a", Model(10)),
            ("pinned", Model(10, "pinned: true"))));
        (await AskAsync(server)).By("a");
        await AwayAsync(server, "a");
        var reply = await AskAsync(server, "away");
        if (by is null)
            reply.Is(503, "model_not_ready", "pinned ones stay");
        else
            reply.By(by, "model_not_ready");
        (await server.RecordAsync("away")).AssertStagesSum();
        await server.IdleAsync();
    }

    [Theory]
    [InlineData(One)]
    [InlineData("[{ model: a }, { kind: cached }]")]
    public async Task First_request_after_an_eviction_has_the_routes_time_from_the_load_on(string steps)
    {
        var time = new ManualTimeProvider();
        await using var server = await TestServer.StartOnAsync(time, Folder(10, steps, "", ("a", Model(10))));
        (await TestServer.ThroughAsync(time, server.AskAsync())).By("a");
        await SlowAsync(server, time);

        var asked = server.AskAsync("9,9,9,9", ("X-Request-Id", "first"));
        // The load begins when it does, and takes its time from then on.
        await TestServer.UntilAsync(() =>
        {
            time.Advance(TimeSpan.FromMilliseconds(20));
            return server.Serving.Find("a")!.Route.State is RouteState.Ready;
        });

        (await TestServer.ThroughAsync(time, asked)).By("a");
        var record = await server.RecordAsync("first");
        Assert.Contains("400 ms", record.Says("deadline_of_route"), StringComparison.Ordinal);
        record.AssertStagesSum();
    }

    [Theory]
    [InlineData(ThenMessage, "message", "")]
    [InlineData("[{ model: a }, { kind: cached }]", "cached", "")]
    [InlineData("[{ model: q }]", "q/message", "  q: { chain: { steps: " + ThenMessage + " } }\n")]
    public async Task What_is_at_hand_is_given_when_the_model_does_not_come_in_the_routes_time(
        string steps, string by, string more)
    {
        var time = new ManualTimeProvider();
        await using var server = await TestServer.StartOnAsync(time, Folder(10, steps, more, ("a", Model(10))));
        Assert.Equal(200, (await TestServer.ThroughAsync(time, server.AskAsync())).Status);
        await SlowAsync(server, time);
        time.Advance(TimeSpan.FromSeconds(2));

        var asked = server.AskAsync();
        (await TestServer.ThroughAsync(time, asked, stepMs: 50)).By(by, "model_not_ready");
    }

    [Fact]
    public async Task Caller_that_may_use_the_route_alone_has_the_models_of_its_steps_loaded()
    {
        var folder = KeyedServer.Folder(more: RoutedServer.Section("[{ model: echo }, { model: other }]"))
            .Write("echo/model.yaml", RoutedServer.Broken);
        await using var server = await KeyedServer.StartAsync(folder);
        var models = server.Server.Serving.Models;
        await models.UnloadAsync(server.Server.Snapshot.Models.Single(m => m.Name == "other"), RouteState.Absent);
        var (key, _) = await server.KeyAsync("""{"tenant":"a","models":["r"]}""");
        (await server.InferAsync("r", key)).By("other", "runtime_failed");
    }

    private static Task<Reply> AskAsync(TestServer server, string id = "") =>
        server.InferRowAsync("r", "\"timeout\":60000000", id);

    private static string Model(int bytes, string more = "") => TestServer.Simulated(
        more: string.Create(CultureInfo.InvariantCulture, $"  memoryBytes: {bytes}\n{more}"));

    /// <summary>A budget of memory, and the route r with 400 ms for callers that set no deadline.</summary>
    private static ConfigFolder Folder(int budget, string steps, string more, params (string, string)[] models)
    {
        var folder = TestServer.Folder("", models);
        var cache = steps.Contains("cached", StringComparison.Ordinal)
            ? "\n" + RoutedServer.Cache("ttlMs: 1000, staleIfErrorMs: 600000") : "";
        File.AppendAllText(folder.PathOf("spillway.yaml"), string.Create(
            CultureInfo.InvariantCulture, $"residency: {{ memoryBytesMax: {{ simulated: {budget} }} }}\n")
            + RoutedServer.Section(steps, "deadlineMs: 400" + cache) + more);
        return folder;
    }

    private static Task AwayAsync(TestServer server, string model) => server.Serving.Models.UnloadAsync(
        server.Snapshot.Models.Single(m => m.Name == model), RouteState.Absent);

    /// <summary>The model a is away, and its next load takes three seconds.</summary>
    private static async Task SlowAsync(TestServer server, ManualTimeProvider time)
    {
        await server.IdleAsync();
        await TestServer.ThroughAsync(time, AwayAsync(server, "a"));
        var options = server.Snapshot.Models.Single(m => m.Name == "a");
        Assert.Null(server.Serving.Models.Declare(
            options with { RuntimeOptions = (SimulatedOptions)options.RuntimeOptions! with { LoadMs = 3000 } },
            onDemand: true));
    }
}
