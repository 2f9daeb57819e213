using System.Buffers.Binary;
using Spillway.Tests.Support;

namespace Spillway.Tests.Server.Routes;

/// <summary>The steps of a route over the wire: which one answers, why, and who is told.</summary>
public sealed class RouteChainTests
{
    [Fact]
    public async Task First_step_answers_plainly()
    {
        await using var server = await RoutedServer.StartAsync(RoutedServer.Two);
        var reply = (await server.AskAsync("1,2,3,4", ("X-Request-Id", "plain"))).By("a");
        Assert.Equal([1, 2, 3, 4], reply.Numbers("y"));
        Assert.Equal("r", reply.Json.GetProperty("model_name").GetString());
        Assert.Null(reply.Header("X-Spillway-Cache"));
        var record = await server.RecordAsync("plain");
        Assert.Contains("step_taken", MetadataTests.Decisions(record));
        Assert.DoesNotContain("step_left", MetadataTests.Decisions(record));
        record.AssertStagesSum();
        await server.CountsAsync("spillway_route_answered_total{route=\"r\",step=\"0:a\"}", 1);
    }

    [Fact]
    public async Task Failing_model_moves_on_and_header_record_and_metrics_say_why()
    {
        await using var server = await RoutedServer.StartAsync(RoutedServer.Two, a: RoutedServer.Broken);
        var reply = (await server.AskAsync("4,3,2,1", ("X-Request-Id", "moved"))).By("b", "runtime_failed");
        Assert.Equal([4, 3, 2, 1], reply.Numbers("y"));
        var record = await server.RecordAsync("moved");
        Assert.Contains("a", record.Says("step_left"), StringComparison.Ordinal);
        Assert.Contains("b", record.Says("step_taken"), StringComparison.Ordinal);
        record.AssertStagesSum();
        await server.CountsAsync("spillway_route_left_total{route=\"r\",step=\"0:a\"}", 1);
        await server.CountsAsync("spillway_route_answered_total{route=\"r\",step=\"1:b\"}", 1);
        // The model itself still says what it is when it is asked without the route.
        (await server.InferRowAsync("a")).Is(500, "runtime_failed");
    }

    [Fact]
    public async Task Deadline_of_the_route_is_in_its_metadata()
    {
        await using var server = await RoutedServer.StartAsync(RoutedServer.Two, "deadlineMs: 1234");
        var facts = (await server.GetAsync("/v2/models/r")).Json.GetProperty("properties");
        Assert.Equal("1234", facts.GetProperty("deadline_ms").GetString());
        Assert.False(facts.TryGetProperty("deadline_rule", out _));
        facts = (await server.GetAsync("/v2/models/a")).Json.GetProperty("properties");
        Assert.NotEqual("1234", facts.GetProperty("deadline_ms").GetString());
    }

    [Fact]
    public async Task Fault_that_is_not_named_does_not_move_on()
    {
        await using var server = await RoutedServer.StartAsync(
            "[{ model: a, on: [overload, timeout] }, { model: b }]", a: RoutedServer.Broken);
        var reply = await server.AskAsync("1,2,3,4", ("X-Request-Id", "stays"));
        reply.Is(500, "runtime_failed");
        Assert.Equal("a", reply.Header("X-Spillway-Step"));
        (await server.RecordAsync("stays")).AssertStagesSum();
        Assert.Equal(0, await server.CountAsync("spillway_route_answered_total{route=\"r\",step=\"1:b\"}"));
        await server.IdleAsync();
    }

    [Fact]
    public async Task Step_timeout_moves_on_and_the_run_that_was_left_is_stopped()
    {
        await using var server = await RoutedServer.StartAsync(
            "[{ model: a, timeoutMs: 30 }, { model: b }]", a: RoutedServer.Slow);
        (await server.AskAsync("1,2,3,4", ("X-Request-Id", "late"))).By("b", "deadline_exceeded");
        (await server.RecordAsync("late")).AssertStagesSum();
        await server.UntilModelAsync("a", "active_runs", 0);
        await server.IdleAsync();
    }

    [Fact]
    public async Task Predicted_wait_moves_on_before_anything_fails_and_comes_back()
    {
        var time = new ManualTimeProvider();
        await using var server = await TestServer.StartOnAsync(time, RoutedServer.Folder(
            "[{ model: a, whenPredictedWaitMs: 100 }, { model: b }]", a: RoutedServer.Slow));
        using var leave = new CancellationTokenSource();
        var holds = server.InferRowAsync("a", cancellation: leave.Token);
        await server.UntilModelAsync("a", "active_runs", 1);

        var reply = await TestServer.ThroughAsync(
            time, server.AskAsync("1,2,3,4", ("X-Request-Id", "early")));

        Assert.StartsWith("predicted_wait; ms=", reply.Header("X-Spillway-Degraded"), StringComparison.Ordinal);
        Assert.Equal("b", reply.Header("X-Spillway-Step"));
        Assert.Contains("step_avoided", MetadataTests.Decisions(await server.RecordAsync("early")));
        Assert.Equal(1, await server.CountAsync("spillway_route_avoided_total{route=\"r\"}"));

        await leave.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => holds);
        await server.UntilModelAsync("a", "active_runs", 0);
        // The hold is not over, and nothing waits: still the second step.
        (await TestServer.ThroughAsync(time, server.AskAsync())).By("b", "predicted_wait; ms=0");
        time.Advance(TimeSpan.FromMilliseconds(500));
        var back = server.AskAsync();
        await server.UntilModelAsync("a", "active_runs", 1);
        (await TestServer.ThroughAsync(time, back, stepMs: 500)).By("a");
    }

    [Fact]
    public async Task Sheddable_request_steps_aside_sooner_while_critical_ones_come()
    {
        var time = new ManualTimeProvider();
        // A run takes a minute: less than the bound, and more than a quarter of it.
        await using var server = await TestServer.StartOnAsync(time, RoutedServer.Folder(
            "[{ model: a, whenPredictedWaitMs: 100000 }, { model: b }]", "deadlineMs: 600000", a: RoutedServer.Slow));
        using var leave = new CancellationTokenSource();
        var holds = server.InferRowAsync("r", cancellation: leave.Token);
        await server.UntilModelAsync("a", "active_runs", 1);

        var reply = await TestServer.ThroughAsync(time, server.AskAsync(
            "1,2,3,4", ("X-Request-Id", "aside"), ("X-Spillway-Criticality", "sheddable")));

        reply.By("b", "predicted_wait; ms=60000");
        Assert.Contains("its bound for such a request is 25",
            (await server.RecordAsync("aside")).Says("step_avoided"), StringComparison.Ordinal);
        await leave.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => holds);
        await server.UntilModelAsync("a", "active_runs", 0);
    }

    [Fact]
    public async Task Answer_that_is_below_the_confidence_is_not_given()
    {
        await using var server = await RoutedServer.StartAsync(
            "[{ model: a, checks: [{ confidenceMin: 0.9 }] }, { model: b }]");
        (await server.AskAsync("0.1,0.95,0,0")).By("a");
        (await server.AskAsync("0.1,0.2,0.3,0.4", ("X-Request-Id", "unsure"))).By("b", "answer_unfit");
        (await server.RecordAsync("unsure")).AssertStagesSum();
    }

    [Fact]
    public async Task Check_of_an_output_that_the_caller_did_not_ask_for_is_made_and_the_output_is_not_shown()
    {
        const string outputs = "y: \"FP32 [-1,4]\", z: \"FP32 [-1,4]\"";
        await using var server = await RoutedServer.StartAsync(
            "[{ model: a, checks: [{ output: z, confidenceMin: 0.9 }] }, { model: b }]", RoutedServer.Cache(),
            a: TestServer.Simulated(outputs: outputs), b: TestServer.Simulated(outputs: outputs));
        var sure = RoutedServer.Row("1,1,1,1").Replace(
            "}]}", "}],\"outputs\":[{\"name\":\"y\"}]}", StringComparison.Ordinal);
        for (var i = 0; i < 2; i++)
        {
            var reply = (await server.InferAsync("r", sure)).By(i == 0 ? "a" : null!);
            Assert.Equal("y", Assert.Single(reply.Json.GetProperty("outputs").EnumerateArray())
                .GetProperty("name").GetString());
        }
    }

    [Theory]
    [InlineData("FP32 [-1,4]", "[0,0,0,0]")]
    [InlineData("INT64 [-1]", "[0]")]
    [InlineData("BOOL [-1,2]", "[false,false]")]
    [InlineData("BYTES [-1,2]", "[\"busy\",\"busy\"]")]
    public async Task Fixed_message_answers_in_every_type(string output, string expected)
    {
        var model = TestServer.Simulated(outputs: $"y: \"{output}\"", more: "  faultRate: 1");
        await using var server = await RoutedServer.StartAsync(
            "[{ model: a }, { kind: message, message: busy }]", a: model);
        var reply = (await server.AskAsync()).By("message", "runtime_failed");
        Assert.Equal(expected, reply.Output("y").GetProperty("data").GetRawText());
        Assert.Equal(1, reply.Output("y").GetProperty("shape")[0].GetInt32());
    }

    [Fact]
    public async Task Fixed_message_has_as_many_rows_as_the_request_also_in_binary()
    {
        await using var server = await RoutedServer.StartAsync(
            "[{ model: a }, { kind: message, message: \"né\" }]",
            a: TestServer.Simulated(outputs: "y: \"BYTES [-1]\"", more: "  faultRate: 1"));
        const string body = """
            {"parameters":{"binary_data_output":true},
             "inputs":[{"name":"x","shape":[2,4],"datatype":"FP32","data":[1,2,3,4,5,6,7,8]}]}
            """;
        var reply = (await server.InferAsync("r", body)).By("message", "runtime_failed");
        var binary = reply.Body.AsSpan()[int.Parse(
            reply.Header("Inference-Header-Content-Length")!, System.Globalization.CultureInfo.InvariantCulture)..];
        byte[] element = [3, 0, 0, 0, .. "né"u8];
        Assert.Equal([.. element, .. element], binary.ToArray());
        Assert.Equal(3u, BinaryPrimitives.ReadUInt32LittleEndian(binary));
    }

    [Fact]
    public async Task Request_with_a_sequence_is_refused_in_words()
    {
        await using var server = await RoutedServer.StartAsync(RoutedServer.Two);
        var body = TestServer.Row("\"sequence_id\":7,\"sequence_start\":true");
        var reply = await server.InferAsync("r", body);
        Assert.True(reply.Status is 400 or 501, reply.Text);
        Assert.Contains("sequence", reply.Error, StringComparison.Ordinal);
        await server.IdleAsync();
    }

    [Fact]
    public async Task Model_that_is_unloaded_is_left_and_taken_again_when_it_is_back()
    {
        await using var server = await RoutedServer.StartAsync(RoutedServer.Two);
        var options = server.Snapshot.Models.Single(m => m.Name == "a");
        await server.Serving.Models.UnloadAsync(options);
        (await server.AskAsync()).By("b", "model_not_ready");
        Assert.Null(await server.Serving.Models.LoadAsync(options));
        (await server.AskAsync()).By("a");
    }

    [Fact]
    public async Task Reloading_the_model_under_a_route_again_and_again_drops_no_request()
    {
        await using var server = await RoutedServer.StartAsync(RoutedServer.Two, RoutedServer.Cache());
        using var over = new CancellationTokenSource();
        var callers = Enumerable.Range(0, 4).Select(async caller =>
        {
            List<Reply> all = [];
            for (var i = 0; !over.IsCancellationRequested || i == 0; i++)
                all.Add(await server.AskAsync($"{caller},{i % 50},0,0"));
            return all;
        }).ToList();
        var options = server.Snapshot.Models.Single(m => m.Name == "a");
        for (var i = 0; i < 30; i++)
            Assert.Null(await server.Serving.Models.LoadAsync(options));
        await over.CancelAsync();
        foreach (var reply in (await Task.WhenAll(callers)).SelectMany(a => a))
            Assert.True(reply.Status == 200 && reply.Header("X-Spillway-Degraded") is null, reply.Text);
        await server.IdleAsync();
    }
}
