using Spillway.Config;
using Spillway.Flow;
using Spillway.Runtimes.Simulated;
using Spillway.Tests.Config;
using Spillway.Tests.Support;

namespace Spillway.Tests.Server;

/// <summary>Models come, are replaced and go while requests are on their way: none of them notices.</summary>
public sealed class ReloadTests
{
    private const int Callers = 6;

    private static readonly Dictionary<string, DoorOptions> s_own = [];

    /// <summary>Stands still while a run is to be held.</summary>
    private readonly ManualTimeProvider _time = new();

    [Fact]
    public async Task Replacing_a_model_again_and_again_under_load_drops_no_request()
    {
        await using var server = await StartAsync();
        using var over = new CancellationTokenSource();
        var callers = Enumerable.Range(0, Callers).Select(_ => AskUntilAsync(server, "echo", over.Token)).ToList();

        for (var i = 0; i < 60; i++)
            Assert.Null(await server.Serving.Models.LoadAsync(Echo(server)));
        await over.CancelAsync();

        foreach (var answers in await Task.WhenAll(callers))
        {
            Assert.NotEmpty(answers);
            Assert.All(answers, a => Assert.True(a.Status == 200, a.Text));
        }
    }

    [Fact]
    public async Task Of_several_versions_the_newest_answers_and_each_is_found_by_its_number()
    {
        await using var server = await StartAsync();

        Assert.Null(await server.Serving.Models.LoadAsync(Echo(server) with { Version = 3 }));
        Assert.Null(await server.Serving.Models.LoadAsync(Echo(server) with { Version = 2 }));

        Assert.Equal("3", (await server.InferRowAsync("echo")).Json.GetProperty("model_version").GetString());
        Assert.Equal("2", (await server.InferRowAsync("echo/versions/2")).Json.GetProperty("model_version")
            .GetString());
        var versions = (await server.GetAsync("/v2/models/echo")).Json.GetProperty("versions");
        Assert.Equal(["3", "2", "1"], versions.EnumerateArray().Select(v => v.GetString()!));

        await server.Serving.Models.UnloadAsync(Echo(server) with { Version = 3 });

        Assert.Equal("2", (await server.InferRowAsync("echo")).Json.GetProperty("model_version").GetString());
        (await server.InferRowAsync("echo/versions/3"))
            .Is(404, "unknown_model", "Request for unknown model: 'echo' version 3 is not loaded");
    }

    [Fact]
    public async Task A_replacement_that_fails_leaves_the_old_one_serving()
    {
        await using var server = await StartAsync();
        var broken = Echo(server) with { Runtime = "onnx", File = Path.Combine(Path.GetTempPath(), "no-such.onnx"),
            RuntimeOptions = new Spillway.Runtimes.Onnx.OnnxOptions() };

        var fault = await server.Serving.Models.LoadAsync(broken);

        Assert.Contains("no-such.onnx", fault!.Message, StringComparison.Ordinal);
        await server.AssertAliveAsync();
    }

    [Fact]
    public async Task What_a_removed_model_holds_is_answered_and_then_it_is_unknown()
    {
        await using var server = await TestServer.StartOnAsync(_time, Folder());
        var (slow, held) = await HoldAsync(server);

        var gone = server.Serving.Models.RemoveAsync(slow);
        var next = await server.InferRowAsync("slow");

        next.Is(404, "unknown_model", "Request for unknown model: 'slow'");
        Assert.Equal(200, (await TestServer.ThroughAsync(_time, held, stepMs: 5)).Status);
        await TestServer.ThroughAsync(_time, gone, stepMs: 5);
        Assert.DoesNotContain("model=\"slow\"", (await server.GetAsync("/metrics")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stop_in_the_middle_of_a_replacement_answers_what_the_old_one_holds()
    {
        await using var server = await TestServer.StartOnAsync(_time, Folder());
        var (slow, held) = await HoldAsync(server);
        Assert.Null(await server.Serving.Models.LoadAsync(slow));

        Assert.True(await TestServer.ThroughAsync(_time, server.Serving.DrainAsync(TestServer.Patience), stepMs: 5));

        Assert.Equal(200, (await held).Status);
    }

    [Fact]
    public async Task A_model_that_is_removed_and_comes_back_before_its_last_answer_is_still_measured()
    {
        await using var server = await TestServer.StartOnAsync(_time, Folder());
        var (slow, held) = await HoldAsync(server);
        var gone = server.Serving.Models.RemoveAsync(slow);

        Assert.Null(await server.Serving.Models.LoadAsync(slow));
        Assert.Equal(200, (await TestServer.ThroughAsync(_time, held, stepMs: 5)).Status);
        await TestServer.ThroughAsync(_time, gone, stepMs: 5);

        var metrics = (await server.GetAsync("/metrics")).Text;
        Assert.Contains("spillway_queue_depth{deployment=\"slow\"", metrics, StringComparison.Ordinal);
        Assert.Contains("spillway_model_ready{model=\"slow\"", metrics, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_replacement_that_fails_late_leaves_the_series_of_the_one_that_serves()
    {
        await using var server = await StartAsync();
        await server.InferRowAsync("echo");
        var other = Echo(server) with
        {
            Batching = Echo(server).Batching with { BatchRowsMax = 3 },
            Expects = new() { Inputs = new Dictionary<string, string> { ["z"] = "FP32 [-1,4]" } },
        };

        Assert.NotNull(await server.Serving.Models.LoadAsync(other));
        await server.InferRowAsync("echo");

        var metrics = (await server.GetAsync("/metrics")).Text;
        Assert.Contains(
            "spillway_batched_requests_total{deployment=\"echo\",version=\"1\"} 2\n", metrics,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Everybody_who_asks_for_an_absent_model_waits_for_one_load()
    {
        await using var server = await StartAsync();
        var cold = Echo(server) with { Name = "cold", Serve = s_own };
        Assert.Null(server.Serving.Models.Declare(cold, onDemand: true));
        Assert.Equal(200, (await server.GetAsync("/v2/health/ready")).Status);

        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => server.InferRowAsync("cold")));

        Assert.All(answers, a => Assert.True(a.Status == 200, a.Text));
        await server.Serving.Models.UnloadAsync(cold, RouteState.Absent);
        Assert.Equal(200, (await server.InferRowAsync("cold")).Status);
    }

    [Fact]
    public async Task A_model_that_is_asked_for_and_cannot_be_loaded_says_why()
    {
        await using var server = await StartAsync();
        var bad = Echo(server) with { Name = "bad", Serve = s_own, Runtime = "onnx", File = "/nowhere/model.onnx",
            RuntimeOptions = new Spillway.Runtimes.Onnx.OnnxOptions() };
        Assert.Null(server.Serving.Models.Declare(bad, onDemand: true));

        var refused = await server.InferRowAsync("bad");

        refused.Is(503, "model_not_ready", "/nowhere/model.onnx");
    }

    [Fact]
    public async Task A_request_that_finds_a_closed_deployment_behind_its_door_is_refused()
    {
        await using var server = await StartAsync();
        server.Serving.Find("echo")!.Deployment!.Close();

        (await server.InferRowAsync("echo")).Is(503, "model_not_ready", "it is being unloaded");
    }

    [Fact]
    public async Task A_name_that_another_model_has_is_refused()
    {
        await using var server = await StartAsync();
        var thief = Echo(server) with { Name = "thief", Serve = new Dictionary<string,
            DoorOptions> { ["echo"] = new() } };

        var fault = await server.Serving.Models.LoadAsync(thief);

        Assert.Contains("cannot be served as echo/1: echo is", fault!.Message, StringComparison.Ordinal);
    }

    /// <summary>A slow model, loaded, and a request inside its run.</summary>
    private static async Task<(ModelOptions Slow, Task<Reply> Held)> HoldAsync(TestServer server)
    {
        var slow = Slow(server);
        Assert.Null(await server.Serving.Models.LoadAsync(slow));
        var held = server.InferRowAsync("slow");
        await server.UntilModelAsync("slow", "active_runs", 1);
        return (slow, held);
    }

    /// <summary>Its runs take 300 ms.</summary>
    private static ModelOptions Slow(TestServer server) => Echo(server) with
    {
        Name = "slow", Serve = s_own, RuntimeOptions = ((SimulatedOptions)Echo(server)
            .RuntimeOptions!) with { LatencyMs = new Dictionary<int, double> { [1] = 300 } },
    };

    private static ConfigFolder Folder() => TestServer.Folder("", ("echo", TestServer.Simulated()));

    private static Task<TestServer> StartAsync() => TestServer.StartAsync(Folder());

    private static ModelOptions Echo(TestServer server) => server.Snapshot.Models.Single();

    private static async Task<List<Reply>> AskUntilAsync(TestServer server, string model, CancellationToken over)
    {
        List<Reply> answers = [];
        while (!over.IsCancellationRequested)
            answers.Add(await server.InferRowAsync(model, cancellation: CancellationToken.None));
        return answers;
    }
}
