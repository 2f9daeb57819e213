using Spillway.Tests.Telemetry;

namespace Spillway.Tests.Server;

/// <summary>Traces and metrics by OTLP, over the wire, with the whole server between.</summary>
public sealed class OtlpExportTests
{
    private const string Trace = "0af7651916cd43dd8448eb211c80319c";
    private const string Never = "3600000";

    [Fact]
    public async Task A_stop_sends_what_is_left_and_spans_continue_the_callers_trace()
    {
        await using var sink = new OtlpSink();
        string traceparent;
        await using (var server = await StartAsync(sink.Url, ("OTEL_BSP_SCHEDULE_DELAY", Never)))
        {
            var reply = await InferAsync(server, "one", $"00-{Trace}-b7ad6b7169203331-01");
            traceparent = reply.Header("traceparent")!;
            Assert.Equal(200, (await InferAsync(server, "two", $"00-{Trace}-b7ad6b7169203331-00")).Status);
            Assert.Equal(200, (await InferAsync(server, "three")).Status);
            await Task.WhenAll(server.RecordAsync("one"), server.RecordAsync("two"), server.RecordAsync("three"));
        }

        var requests = sink.Spans.Where(s => s.Kind == 2).ToDictionary(s => s.Attributes["spillway.request_id"]);
        // The caller of the second does not record its trace.
        Assert.Equal(["one", "three"], requests.Keys.Order());
        var one = requests["one"];
        Assert.Equal((Trace, "b7ad6b7169203331"), (one.Trace, one.Parent));
        Assert.Equal(traceparent.Split('-')[2], one.Id);
        Assert.Equal("", requests["three"].Parent);
        var stages = sink.Spans.Where(s => s.Parent == one.Id).ToList();
        Assert.Contains("execute", stages.Select(s => s.Name));
        Assert.Equal((one.Start, one.End), (stages.Min(s => s.Start), stages.Max(s => s.End)));
        Assert.Equal(one.End - one.Start, stages.Aggregate(0ul, (sum, s) => sum + s.End - s.Start));
    }

    [Fact]
    public async Task Metrics_arrive_at_their_interval_cumulative_from_one_start_and_once_more_at_the_stop()
    {
        await using var sink = new OtlpSink();
        await using (var server = await StartAsync(
            sink.Url, ("OTEL_TRACES_EXPORTER", "none"), ("OTEL_METRIC_EXPORT_INTERVAL", "100")))
        {
            await TestServer.UntilAsync(async () =>
                (await InferAsync(server, "x")).Status == 200 && sink.Metrics.Count >= 2);
        }

        Assert.Empty(sink.Spans);
        var oks = sink.Metrics.Select(m => m["spillway_requests_total"].Message(7).Messages(1)
            .Single(p => (string)p.Attributes(7)["outcome"] == "ok")).ToList();
        Assert.Single(oks.Select(p => p.Number(2)).Distinct());
        Assert.Equal(oks.Select(p => p.Number(6)).Order(), oks.Select(p => p.Number(6)));
        Assert.True(oks[^1].Number(6) > 0);
        Assert.True(sink.Metrics[^1].ContainsKey("process_resident_memory_bytes"));
    }

    [Fact]
    public async Task A_receiver_that_hangs_costs_spans_that_are_counted_and_no_request()
    {
        var release = new TaskCompletionSource<byte[]?>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var sink = new OtlpSink(_ => release.Task);
        await using var server = await StartAsync(
            sink.Url, ("OTEL_METRICS_EXPORTER", "none"), ("OTEL_BSP_MAX_QUEUE_SIZE", "4"),
            ("OTEL_BSP_SCHEDULE_DELAY", Never), ("OTEL_EXPORTER_OTLP_TIMEOUT", "600000"));
        for (var i = 0; i < 20; i++)
            Assert.Equal(200, (await InferAsync(server, $"{i}")).Status);

        // At most four are under way and four wait.
        await TestServer.UntilAsync(async () => await LostAsync(server, "queue_full") >= 12 && sink.Arrived.Count > 0);
        Assert.Single(sink.Arrived);
        release.SetResult(OtlpSink.Status(200));
        await TestServer.UntilAsync(async () =>
            await LostAsync(server, "sent") + await LostAsync(server, "queue_full") == 20);
    }

    [Fact]
    public async Task A_receiver_that_is_away_neither_holds_requests_nor_the_stop()
    {
        // Port 1 is reserved and nobody listens there.
        await using (var server = await StartAsync("http://127.0.0.1:1", ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "1")))
        {
            Assert.Equal(200, (await InferAsync(server, "x")).Status);
            await server.RecordAsync("x");
            await server.AssertAliveAsync();
        }
    }

    /// <summary>
    /// Without the bound of a stop it would take ten minutes: traces and metrics are both under way, and each answer
    /// is waited for that long.
    /// </summary>
    [Theory]
    [InlineData("never answers")]
    [InlineData("begins an answer and never ends it")]
    public async Task A_receiver_that_never_answers_does_not_keep_the_server_from_stopping(string how)
    {
        var silence = new TaskCompletionSource<byte[]?>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var sink = new OtlpSink(_ => how == "never answers" ? silence.Task : Task.FromResult<byte[]?>(
            "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nx"u8.ToArray()));
        var server = await StartAsync(
            sink.Url, ("OTEL_BSP_SCHEDULE_DELAY", "10"), ("OTEL_EXPORTER_OTLP_TIMEOUT", "600000"));
        Assert.Equal(200, (await InferAsync(server, "x")).Status);
        await TestServer.UntilAsync(async () =>
        {
            await Task.Yield();
            return sink.Arrived.Count > 0;
        });
        await server.DisposeAsync().AsTask().WaitAsync(TestServer.Patience);
        // What is left was tried, and said to be lost.
        Assert.Contains(sink.Arrived, a => a.Head.StartsWith("POST /v1/metrics", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_busy_receiver_is_asked_again_and_one_that_refuses_is_not()
    {
        await using var sink = new OtlpSink(number => Task.FromResult<byte[]?>(number switch
        {
            1 => OtlpSink.Status(503, "Retry-After: 0\r\n"),
            2 => OtlpSink.Status(200),
            _ => OtlpSink.Status(400),
        }));
        await using var server = await StartAsync(
            sink.Url, ("OTEL_METRICS_EXPORTER", "none"), ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "1"));
        await InferAsync(server, "first");
        await TestServer.UntilAsync(async () => await LostAsync(server, "sent") == 1);
        await InferAsync(server, "second");
        await TestServer.UntilAsync(async () => await LostAsync(server, "refused") == 1);

        Assert.Equal(3, sink.Arrived.Count);
        Assert.Equal(sink.Arrived[0].Body, sink.Arrived[1].Body);
        Assert.Equal(0, await LostAsync(server, "unreachable"));
    }

    [Fact]
    public async Task Headers_and_compression_follow_the_variables_and_keys_are_shown_nowhere()
    {
        await using var sink = new OtlpSink();
        await using (var server = await StartAsync(
            "", ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", sink.Url + "/v1/traces"),
            ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"), ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=s%3Decret,x=y"),
            ("OTEL_SERVICE_NAME", "shop"), ("OTEL_RESOURCE_ATTRIBUTES", "service.name=no,deployment.environment=test")))
        {
            await InferAsync(server, "x");
            await server.RecordAsync("x");
            Assert.DoesNotContain("ecret", (await server.GetAsync("/admin/v1/config")).Text, StringComparison.Ordinal);
        }

        Assert.NotEmpty(sink.Spans);
        Assert.Empty(sink.Metrics);
        Assert.All(sink.Arrived, a => Assert.Contains("api-key: s=ecret\r\n", a.Head, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Without_an_endpoint_there_is_no_exporter()
    {
        await using var server = await StartAsync("");
        Assert.DoesNotContain("spillway_otlp", (await server.GetAsync("/metrics")).Text, StringComparison.Ordinal);
    }

    private static async Task<double> LostAsync(TestServer server, string result)
    {
        var page = Exposition.Parse((await server.GetAsync("/metrics")).Body);
        return page.Samples[$"spillway_otlp_traces_total{{result=\"{result}\"}}"];
    }

    private static Task<Reply> InferAsync(TestServer server, string id, string? traceparent = null) =>
        server.InferAsync("echo", TestServer.Row(), traceparent is null
            ? [("X-Request-Id", id)] : [("X-Request-Id", id), ("traceparent", traceparent)]);

    private static Task<TestServer> StartAsync(string endpoint, params (string Name, string Value)[] variables)
    {
        var folder = TestServer.Folder("", ("echo", TestServer.Simulated())).Write(
            "spillway.yaml", $"server: {{ port: 0 }}\ntelemetry: {{ otlpEndpoint: '{endpoint}' }}\nmodels: [echo]\n");
        // A receiver that is only slow, as everything here may be, is waited for.
        if (!variables.Any(v => v.Name == "OTEL_EXPORTER_OTLP_TIMEOUT"))
            variables = [.. variables, ("OTEL_EXPORTER_OTLP_TIMEOUT", "600000")];
        return TestServer.StartAsync(folder.PathOf("spillway.yaml"), folder, environment: variables);
    }
}
