using Spillway.Telemetry;

namespace Spillway.Tests.Telemetry;

public sealed class ModelStatisticsTests
{
    private static readonly TimeSpan s_tick = new(1);

    [Fact]
    public void Answered_and_failed_requests_are_counted_with_their_times()
    {
        var statistics = new ModelStatistics(rowsMax: 4);
        var timeline = Timelines.Of(execute: 120_000);
        timeline.Mark(Stage.Write, timeline.Last + TimeSpan.FromSeconds(1));
        statistics.Ended(timeline, outcome: null, rows: 3, startedUnixMs: 1_700_000_000_123);
        statistics.Ended(timeline, outcome: null, rows: 1, startedUnixMs: 1_600_000_000_000);
        statistics.Ended(Timelines.Of(execute: 0), FaultKind.QueueFull, rows: 0, startedUnixMs: 1_800_000_000_000);
        statistics.Executed(rows: 4, s_tick, s_tick * 10, s_tick * 2);

        var view = statistics.Look();

        Assert.Equal((4, 1, 1_700_000_000_123), (view.InferenceCount, view.ExecutionCount, view.LastInferenceUnixMs));
        // Parse 0.5 ms, gate 0.01 ms, execute 12 ms, output 0.0213 ms: neither receiving nor writing.
        Assert.Equal((2, 2 * 12_531_300), (view.Success.Count, view.Success.Nanoseconds));
        Assert.Equal((2, 24_000_000), (view.ComputeInfer.Count, view.ComputeInfer.Nanoseconds));
        Assert.Equal((2, 42_600), (view.ComputeOutput.Count, view.ComputeOutput.Nanoseconds));
        Assert.Equal((2, 0), (view.Queue.Count, view.Queue.Nanoseconds));
        Assert.Equal((1, 510_000), (view.Fail.Count, view.Fail.Nanoseconds));
        Assert.Equal(1, view.Failures[(int)TritonReason.Rejected]);
        var batch = Assert.Single(view.Batches);
        Assert.Equal(4, batch.Rows);
        Assert.Equal((100, 1000), (batch.ComputeInput.Nanoseconds, batch.ComputeInfer.Nanoseconds));
        Assert.Equal((1, 200), (batch.ComputeOutput.Count, batch.ComputeOutput.Nanoseconds));
    }

    [Fact]
    public void Every_fault_has_one_of_the_four_reasons()
    {
        Assert.Equal(TritonReasons.Count, Enum.GetValues<TritonReason>().Length);
        Assert.Equal(
            ["REJECTED", "CANCELED", "BACKEND", "OTHER"], Enum.GetValues<TritonReason>().Select(r => r.Label()));
        Assert.Equal(TritonReason.Canceled, TritonReasons.Of(FaultKind.Cancelled));
        Assert.Equal(TritonReason.Backend, TritonReasons.Of(FaultKind.RuntimeFailed));
        Assert.Equal(TritonReason.Other, TritonReasons.Of(FaultKind.InvalidInput));
        Assert.All(Enum.GetValues<FaultKind>(), kind => Assert.True(Enum.IsDefined(TritonReasons.Of(kind))));
    }

    [Fact]
    public async Task A_count_and_its_time_belong_together_whoever_looks_when()
    {
        var statistics = new ModelStatistics(rowsMax: 8);
        var timeline = Timelines.Of(execute: 100);
        const int Each = 20_000;
        var writers = Enumerable.Range(0, 3).Select(writer => Task.Run(() =>
        {
            for (var i = 0; i < Each; i++)
            {
                statistics.Ended(timeline, outcome: null, rows: 2, startedUnixMs: i);
                statistics.Executed(rows: 1 + writer, s_tick, s_tick * 10, s_tick);
            }
        })).ToList();
        var looks = 0;
        while (looks++ < 10 || writers.Any(w => !w.IsCompleted))
        {
            var view = statistics.Look();
            Assert.Equal(view.ComputeInfer.Count * 10_000, view.ComputeInfer.Nanoseconds);
            Assert.Equal(view.Success.Count * 2, view.InferenceCount);
            Assert.Equal(view.Success.Count, view.Queue.Count);
            Assert.Equal(view.ExecutionCount, view.Batches.Sum(b => b.ComputeInfer.Count));
            Assert.All(view.Batches, b => Assert.Equal(b.ComputeInfer.Count * 1000, b.ComputeInfer.Nanoseconds));
        }

        await Task.WhenAll(writers);
        Assert.Equal(3 * Each, statistics.Look().Success.Count);
        Assert.Equal([1, 2, 3], statistics.Look().Batches.Select(b => b.Rows));
    }

    [Fact]
    public void Counting_allocates_nothing()
    {
        var statistics = new ModelStatistics(rowsMax: 8);
        var timeline = Timelines.Of(execute: 100);
        var before = 0L;
        for (var i = 0; i < 1_000; i++)
        {
            if (i == 100)
                before = GC.GetAllocatedBytesForCurrentThread();
            statistics.Ended(timeline, outcome: null, rows: 1, startedUnixMs: i);
            statistics.Ended(timeline, FaultKind.Cancelled, rows: 0, startedUnixMs: i);
            statistics.Executed(rows: 3, s_tick, s_tick, s_tick);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }
}
