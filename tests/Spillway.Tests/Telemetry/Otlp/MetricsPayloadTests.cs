using Spillway.Telemetry;
using Spillway.Telemetry.Otlp;

namespace Spillway.Tests.Telemetry.Otlp;

public sealed class MetricsPayloadTests
{
    private static readonly DateTimeOffset s_start = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    private readonly InstrumentRegistry _registry = new();
    private readonly MetricsPayload _payload = new([new("service.name", "s")], "0.1.0", s_start);

    [Fact]
    public void A_counter_is_a_monotonic_cumulative_sum_under_the_name_of_the_page()
    {
        using var model = new ModelInstruments(_registry, new("m", "1"), simulated: false);
        model.Record(Timelines.Of(execute: 120_000), outcome: null, rows: 3, bytesIn: 10, bytesOut: 20);
        var metric = Write(s_start.AddSeconds(10))["spillway_request_rows_total"];

        Assert.Equal("{rows}", metric.Text(3));
        var sum = metric.Message(7);
        Assert.Equal((2ul, 1ul), (sum.Number(2), sum.Number(3)));
        var point = sum.Message(1);
        Assert.Equal(new Dictionary<string, object> { ["model"] = "m", ["version"] = "1" }, point.Attributes(7));
        Assert.Equal((Nanos(s_start), Nanos(s_start.AddSeconds(10)), 3ul),
            (point.Number(2), point.Number(3), point.Number(6)));
    }

    [Fact]
    public void A_histogram_has_the_pages_bounds_and_counts_and_is_consistent()
    {
        using var model = new ModelInstruments(_registry, new("m", "1"), simulated: false);
        model.Record(Timelines.Of(execute: 120_000), outcome: null, rows: 1, bytesIn: 1, bytesOut: 1);
        model.Record(Timelines.Of(execute: 120_000_000), outcome: null, rows: 1, bytesIn: 1, bytesOut: 1);
        var metric = Write(s_start.AddSeconds(1))["spillway_stage_duration_seconds"];

        Assert.Equal("s", metric.Text(3));
        Assert.Equal(2ul, metric.Message(9).Number(2));
        var execute = metric.Message(9).Messages(1).Single(p => (string)p.Attributes(9)["stage"] == "execute");
        var counts = execute.Packed(6);
        Assert.Equal(Histogram.TimeBounds, execute.Packed(7).Select(BitConverter.UInt64BitsToDouble));
        Assert.Equal(Histogram.TimeBounds.Count + 1, counts.Length);
        Assert.Equal((2ul, 2ul), (execute.Number(4), counts.Aggregate(0ul, (sum, count) => sum + count)));
        Assert.Equal(1ul, counts[Histogram.TimeBounds.ToList().IndexOf(0.025)]);
        Assert.Equal(12.012, execute.Double(5), 9);
    }

    [Fact]
    public void A_gauge_is_a_gauge_and_one_that_is_not_known_makes_no_point()
    {
        using var deployment = new DeploymentInstruments(_registry, new("d", "1"), ["cpu"], new()
        {
            QueueDepth = () => 3, InFlight = () => 1, PredictedWaitSeconds = () => double.NaN, Runners = () => 1,
        });
        var metrics = Write(s_start);

        Assert.Equal(3.0, metrics["spillway_queue_depth"].Message(5).Message(1).Double(4));
        Assert.Empty(metrics["spillway_predicted_wait_seconds"].Message(5).Messages(1));
    }

    [Fact]
    public void Every_family_of_the_page_is_sent()
    {
        using var model = new ModelInstruments(_registry, new("m", "1"), simulated: false);
        _ = new ServerInstruments(_registry, "0.1.0", new RecentRequests(1));
        var page = Exposition.Parse(_registry.Write());

        Assert.Equal(page.Types.Keys.Order(), Write(s_start).Keys.Order());
    }

    [Fact]
    public void A_series_that_comes_again_counts_from_the_export_before_so_that_readers_see_the_reset()
    {
        var first = new ModelInstruments(_registry, new("m", "1"), simulated: false);
        Write(s_start.AddSeconds(10));
        first.Dispose();
        using var second = new ModelInstruments(_registry, new("m", "1"), simulated: false);
        Write(s_start.AddSeconds(20));
        var point = Write(s_start.AddSeconds(30))["spillway_request_rows_total"].Message(7).Message(1);

        Assert.Equal(Nanos(s_start.AddSeconds(10)), point.Number(2));
    }

    private static ulong Nanos(DateTimeOffset time) => (ulong)time.ToUnixTimeMilliseconds() * 1_000_000;

    private Dictionary<string, ProtoMessage> Write(DateTimeOffset now)
    {
        var proto = new ProtoWriter();
        _payload.Write(proto, _registry, now);
        return new ProtoMessage(proto.Written.Span).Message(1).Message(2).Messages(2).ToDictionary(m => m.Text(1));
    }
}
