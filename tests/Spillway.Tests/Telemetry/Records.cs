using Spillway.Telemetry;

namespace Spillway.Tests.Telemetry;

/// <summary>Request records as the tests of this room and of the terminal need them.</summary>
internal static class Records
{
    public static long Ms(double ms) => TimeSpan.FromMilliseconds(ms).Ticks;

    /// <summary>A request that waited, ran in a batch of three, and was answered.</summary>
    public static RequestRecord Answered()
    {
        var record = new RequestRecord
        {
            RequestId = "r-000042", ClientId = "invoice-7", Model = "line-ocr", Version = "1", Deployment = "line-ocr-5",
            TraceId = new(0x0af7651916cd43dd, 0x8448eb211c80319c),
            Started = new(2026, 3, 4, 5, 6, 7, 89, TimeSpan.FromHours(2)), Status = 200,
            Rows = 1, Elements = 46_080, BytesIn = 9_120, BytesOut = 188,
            BatchRows = 3, BatchRequests = 3, Cut = CutReason.Idle, Runner = 0, Device = "cpu",
            Deadline = TimeSpan.FromMilliseconds(250), PredictedWait = TimeSpan.FromMilliseconds(4.1),
            PredictedRun = TimeSpan.FromMilliseconds(12), QueueDepth = 3,
        };
        record.Timeline = Spread();
        record.Decide(DecisionKind.GatePassed);
        record.Decide(DecisionKind.Routed);
        record.Decide(DecisionKind.CacheBypassed);
        record.Decide(DecisionKind.DeadlineFloor, Ms(250), Ms(12), 5000);
        record.Decide(DecisionKind.Placed, 3, 256);
        record.Decide(DecisionKind.Queued, 2, 1);
        record.Decide(DecisionKind.Batched);
        record.Decide(DecisionKind.Executed, Ms(29.7), Ms(30));
        record.Decide(DecisionKind.Settled, 1_500, 1);
        record.Decide(DecisionKind.Answered, 200, 188);
        record.Charge("run", new(500));
        record.Charge("rows", new(1_000));
        return record;
    }

    private static Timeline Spread()
    {
        var timeline = new Timeline();
        var now = new Instant(77);
        timeline.Begin(now);
        foreach (var (stage, ms) in new (Stage, double)[]
        {
            (Stage.Receive, 0.104), (Stage.Parse, 1.832), (Stage.Gate, 0.0021), (Stage.Queue, 8.25), (Stage.Batch, 0.3),
            (Stage.Execute, 29.7), (Stage.Output, 0.412), (Stage.Write, 0.0305),
        })
            timeline.Mark(stage, now += TimeSpan.FromMilliseconds(ms));
        return timeline;
    }
}
