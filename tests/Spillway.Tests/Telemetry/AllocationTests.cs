using System.Runtime.CompilerServices;
using Spillway.Telemetry;

namespace Spillway.Tests.Telemetry;

public class AllocationTests
{
    private const int Rounds = 1000;

    [Fact]
    public void Counting_a_request_and_its_batch_allocates_nothing()
    {
        var registry = new InstrumentRegistry();
        using var model = new ModelInstruments(registry, new("m", "1"), simulated: false);
        using var deployment = new DeploymentInstruments(registry, new("m", "1"), ["cpu"], new()
        {
            QueueDepth = () => 0, InFlight = () => 0, PredictedWaitSeconds = () => 0, Runners = () => 1,
        });
        var timeline = Timelines.Of(execute: 1234);
        Assert.Equal(0, Allocated(() =>
        {
            model.Record(timeline, outcome: null, rows: 1, bytesIn: 1, bytesOut: 1);
            model.Record(timeline, FaultKind.DroppedLate, rows: 1, bytesIn: 1, bytesOut: 1);
            deployment.Took(rows: 4, requests: 4, CutReason.Full);
            deployment.Ran(device: 0, TimeSpan.FromTicks(5));
            deployment.Dropped(FaultKind.QueueFull);
        }));
    }

    [Fact]
    public void Filling_and_keeping_a_record_allocates_nothing()
    {
        var ring = new RecentRequests(16);
        Assert.Equal(0, Allocated(() =>
        {
            var record = new RequestRecord { RequestId = "r", Model = "m" };
            for (var i = 0; i < RequestRecord.DecisionsMax + 1; i++)
                record.Decide(DecisionKind.Placed, 1, 2, 3);
            record.Charge("run", new(5));
            record.Timeline.Mark(Stage.Execute, new(100));
            ring.Write(record);
        }));
    }

    [Fact]
    public void A_record_is_under_a_kilobyte() => Assert.InRange(Unsafe.SizeOf<RequestRecord>(), 500, 1024);

    [Fact]
    public void Server_timing_allocates_its_string_only()
    {
        var timeline = Timelines.Of(execute: 1234);
        var length = ServerTiming.Format(timeline).Length;
        Assert.InRange(Allocated(() => _ = ServerTiming.Format(timeline)) / Rounds, 1, 22 + 2 * length + 8);
    }

    [Fact]
    public void Traceparent_is_read_for_nothing_and_written_for_its_string()
    {
        const string Header = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        var ids = new SpanIds(1);
        Assert.Equal(0, Allocated(() => _ = TraceContext.TryParse(Header, out _)));
        Assert.True(TraceContext.TryParse(Header, out var context));
        Assert.InRange(Allocated(() => _ = context.Child(ids).ToString()) / Rounds, 1, 22 + 2 * Header.Length + 8);
    }

    private static long Allocated(Action work)
    {
        for (var i = 0; i < 100; i++)
            work();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < Rounds; i++)
            work();
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }
}
