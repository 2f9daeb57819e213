using System.Buffers;
using System.Diagnostics;
using System.Text;
using Spillway.Telemetry;
using Spillway.Tests.Support;

namespace Spillway.Tests.Telemetry;

public class PrometheusTextTests
{
    [Fact]
    public void Everything_that_is_registered_is_valid_exposition()
    {
        var page = Exposition.Parse(Full().Write());
        Assert.Equal(Instruments.All.Select(spec => spec.Name).Order(), page.Types.Keys.Order());
        Assert.Equal(2, page.Samples["""spillway_requests_total{model="line-ocr",version="1",outcome="ok"}"""]);
        Assert.Equal(1, page.Samples["""spillway_requests_total{model="line-ocr",version="1",outcome="queue_full"}"""]);
        Assert.Equal(0.024, page.Samples["""spillway_stage_duration_seconds_sum{model="line-ocr",version="1",stage="execute"}"""]);
        Assert.Equal(2, page.Samples["""spillway_stage_duration_seconds_count{model="line-ocr",version="1",stage="execute"}"""]);
        Assert.Equal(2, page.Samples["""spillway_request_rows_total{model="line-ocr",version="1"}"""]);
        Assert.Equal(1, page.Samples["""spillway_batch_cuts_total{deployment="line-ocr",version="1",reason="idle"}"""]);
        Assert.Equal(1, page.Samples["""spillway_drops_total{deployment="line-ocr",version="1",reason="queue_full"}"""]);
        Assert.Equal(0.5, page.Samples["""spillway_runner_busy_seconds_total{deployment="line-ocr",version="1",device="cpu"}"""]);
        Assert.Equal(0.012, page.Samples["""spillway_service_time_seconds{deployment="line-ocr",version="1",rows="1"}"""]);
        Assert.Equal(1, page.Samples["""spillway_config_info{digest="abc"}"""]);
        Assert.Equal(1, page.Samples["""spillway_unrouted_requests_total{outcome="unknown_model"}"""]);
        Assert.Equal(1, page.Samples["""nv_inference_request_success{model="line-ocr",version="1"}"""]);
        const string Failures = """nv_inference_request_failure{model="line-ocr",version="1",reason=""";
        Assert.Equal(1, page.Samples[Failures + "\"REJECTED\"}"]);
        Assert.Equal(0, page.Samples[Failures + "\"BACKEND\"}"]);
        Assert.Equal(2, page.Samples["""nv_inference_count{model="line-ocr",version="1"}"""]);
        Assert.Equal(1, page.Samples["""nv_inference_exec_count{model="line-ocr",version="1"}"""]);
        Assert.Equal(12_531, page.Samples["""nv_inference_request_duration_us{model="line-ocr",version="1"}"""]);
        Assert.Equal(12_000, page.Samples["""nv_inference_compute_infer_duration_us{model="line-ocr",version="1"}"""]);
        Assert.Equal(3, page.Samples["""nv_inference_pending_request_count{model="line-ocr",version="1"}"""]);
        Assert.True(page.Samples["process_cpu_seconds_total"] > 0);
        Assert.InRange(page.Samples["process_start_time_seconds"], 1.6e9, 1e10);
    }

    [Fact]
    public void Label_values_and_help_are_escaped()
    {
        var written = new ArrayBufferWriter<byte>();
        var text = new PrometheusText(written);
        var spec = new InstrumentSpec("a", InstrumentKind.Gauge, "1", "back\\slash\nline", "name");
        text.Family(spec);
        text.Sample("a", "", PrometheusText.Labels(spec.Labels, ["q\"b\\n\né"]), 1.5);
        Assert.Equal("# HELP a back\\\\slash\\nline\n# TYPE a gauge\na{name=\"q\\\"b\\\\n\\né\"} 1.5\n",
            Encoding.UTF8.GetString(written.WrittenSpan));
        Exposition.Parse(written.WrittenSpan);
    }

    [Theory]
    [InlineData(double.NaN, "NaN")]
    [InlineData(double.PositiveInfinity, "+Inf")]
    [InlineData(double.NegativeInfinity, "-Inf")]
    [InlineData(0.1, "0.1")]
    [InlineData(1e21, "1E+21")]
    public void Numbers_are_spelt_as_the_format_asks(double number, string text) =>
        Assert.Equal(text, Encoding.ASCII.GetString(PrometheusText.Number(number)));

    [Fact]
    public void A_series_that_exists_already_is_refused_and_none_of_its_owner_is_added()
    {
        var registry = new InstrumentRegistry();
        using var first = new ModelInstruments(registry, new("m", "1"), simulated: false);
        var before = registry.Write();
        Assert.Throws<ArgumentException>(() => new ModelInstruments(registry, new("m", "1"), simulated: false));
        Assert.Equal(before, registry.Write());
    }

    [Fact]
    public void A_model_that_is_gone_is_gone_from_the_page_and_may_come_again()
    {
        var registry = new InstrumentRegistry();
        new ModelInstruments(registry, new("m", "1"), simulated: true).Dispose();
        Assert.Empty(registry.Write());
        using var again = new ModelInstruments(registry, new("m", "1"), simulated: true);
        Assert.Equal(1, Exposition.Parse(registry.Write()).Samples["""spillway_simulated{model="m",version="1"}"""]);
    }

    [Fact]
    public async Task Scrapes_are_consistent_and_never_fall_while_others_record()
    {
        var registry = new InstrumentRegistry();
        using var model = new ModelInstruments(registry, new("m", "1"), simulated: false);
        const int PerWriter = 20_000;
        var writers = Enumerable.Range(0, 3).Select(seed => Task.Run(() =>
        {
            var random = new Random(seed);
            for (var i = 0; i < PerWriter; i++)
            {
                var timeline = Timelines.Of(execute: random.Next(1, 100_000));
                model.Record(timeline, outcome: null, rows: 1, bytesIn: 10, bytesOut: 5);
            }
        })).ToArray();
        var last = new Dictionary<string, double>();
        while (!writers.All(writer => writer.IsCompleted))
        {
            var now = Exposition.Parse(registry.Write()).Samples;
            foreach (var (series, value) in last)
                Assert.True(now[series] >= value, $"{series} fell from {value} to {now[series]}");
            last = now;
        }

        await Task.WhenAll(writers);
        var end = Exposition.Parse(registry.Write()).Samples;
        Assert.Equal(3 * PerWriter, end["""spillway_request_duration_seconds_count{model="m",version="1",result="ok"}"""]);
        Assert.Equal(3 * PerWriter * 10, end["""spillway_request_body_bytes_total{model="m",version="1"}"""]);
    }

    [NeedsFact(Need.Promtool)]
    public async Task Promtool_has_nothing_to_say()
    {
        using var promtool = Process.Start(new ProcessStartInfo(Needs.OnPath("promtool")!, "check metrics")
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        })!;
        await promtool.StandardInput.BaseStream.WriteAsync(Full(triton: false).Write());
        promtool.StandardInput.Close();
        var said = await promtool.StandardOutput.ReadToEndAsync() + await promtool.StandardError.ReadToEndAsync();
        await promtool.WaitForExitAsync();
        Assert.Equal("", said);
        Assert.Equal(0, promtool.ExitCode);
    }

    [Fact]
    public void Padding_and_real_elements_are_counted_apart_and_rows_by_the_bucket_that_they_were_padded_to()
    {
        var samples = Exposition.Parse(Full().Write()).Samples;
        double Of(string name) => samples.Single(s => s.Key.StartsWith(name.Split('/')[0], StringComparison.Ordinal)
            && s.Key.Contains($"=\"{name.Split('/')[1]}\"", StringComparison.Ordinal)).Value;
        Assert.Equal(60, Of("spillway_batch_elements_total/padding"));
        Assert.Equal(1920, Of("spillway_batch_elements_total/real"));
        Assert.Equal(
            (2, 3, 1),
            (Of("spillway_bucket_rows_total/160"), Of("spillway_bucket_rows_total/320"), Of("spillway_bucket_rows_total/own")));
    }

    /// <summary>Triton's names are not what promtool advises, which is why nobody can mend them.</summary>
    private static InstrumentRegistry Full(bool triton = true)
    {
        var registry = new InstrumentRegistry();
        var server = new ServerInstruments(registry, "0.1.0", new RecentRequests(4));
        server.ConfigInForce("old");
        server.ConfigInForce("abc");
        server.Unrouted(FaultKind.UnknownModel);
        server.Memory([("cpu", 8_000_000_000, () => 5e9)]);
        _ = new OtlpInstruments(registry, new Counter());
        var costs = new CostCounters();
        costs.Billed.Add(7_389);
        registry.Add(costs, costs.Series("line-ocr", "vision"));
        registry.Add(new(), LedgerInstruments.Of(new() { Waiting = () => 3, Written = () => 7 }));
        registry.Add(new(), LedgerInstruments.Threshold("all", "day", () => 1.5, () => 20));
        var model = new ModelInstruments(registry, new("line-ocr", "1"), simulated: false);
        var timeline = Timelines.Of(execute: 120_000);
        model.Record(timeline, outcome: null, rows: 1, bytesIn: 100, bytesOut: 20);
        model.Record(timeline, outcome: null, rows: 1, bytesIn: 100, bytesOut: 20);
        model.Record(Timelines.Of(execute: 0), FaultKind.QueueFull, rows: 1, bytesIn: 100, bytesOut: 20);
        var statistics = new ModelStatistics(rowsMax: 8);
        statistics.Ended(timeline, outcome: null, rows: 2, startedUnixMs: 1);
        statistics.Ended(timeline, FaultKind.DroppedLate, rows: 0, startedUnixMs: 1);
        statistics.Executed(rows: 2, TimeSpan.Zero, TimeSpan.FromMilliseconds(12), TimeSpan.Zero);
        if (triton)
            _ = new TritonInstruments(registry, new("line-ocr", "1"), statistics, () => 3);
        var deployment = new DeploymentInstruments(registry, new("line-ocr", "1"), ["cpu"], new()
        {
            QueueDepth = () => 3, InFlight = () => 1, PredictedWaitSeconds = () => 0.01, Runners = () => 1,
            ServiceRows = [1, 2], ServiceSeconds = rows => rows * 0.012, Buckets = [160, 320], Sequences = () => 2,
        });
        deployment.Took(rows: 3, requests: 2, CutReason.Idle);
        deployment.Filled(rows: 3, bucket: 1, length: 320, elements: 960, padding: 60);
        deployment.Filled(rows: 2, bucket: 0, length: 160, elements: 320, padding: 0);
        deployment.Filled(rows: 1, bucket: 1, length: 700, elements: 700, padding: 0);
        deployment.Ran(device: 0, TimeSpan.FromMilliseconds(500));
        deployment.Dropped(FaultKind.QueueFull);
        deployment.Dropped(FaultKind.Internal);
        var (rate, budget, counts) = (new GuardInstruments(), new GuardInstruments(), new GuardCounts());
        registry.Add(counts, [
            .. new RouteInstruments(["full", "half"]).Of("resilient"),
            .. RouteInstruments.OfCache("resilient", [("hit", () => 1)], () => 0, () => 1, () => 100),
            .. new RolloutInstruments().Of("resilient", () => 0.05, () => 1, [("canary", () => true)]),
            .. new UpstreamInstruments(["a"]).Of("far", () => 0, _ => 0, _ => 0, _ => 20),
            .. new ChatInstruments(default, default, [new("mail", isAnswer: true, "masked")]).Of("chat"),
            // Names of others, which promtool would write otherwise, as Triton's.
            .. triton ? new ChatInstruments(default, default).OfVllm("chat") : [],
            .. rate.OfRate("each-key"), .. budget.OfBudget("monthly", () => 0.5, () => 0, () => 0),
            .. counts.OfBudgets(), .. counts.OfSwitches(() => 1),
        ]);
        // Those of rooms that register their own.
        foreach (var spec in Instruments.All.Where(
            s => s.Name.StartsWith("spillway_a", StringComparison.Ordinal)
                || s.Name.Contains("_drill", StringComparison.Ordinal)))
        {
            Instrument one = spec.Kind is InstrumentKind.Counter ? new Counter() : new Gauge(() => 1);
            registry.Add(new(), [new(spec, one, [.. spec.Labels.Select(l => $"some {l}")])]);
        }

        return registry;
    }
}
