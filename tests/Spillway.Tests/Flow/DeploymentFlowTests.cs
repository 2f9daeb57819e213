using Spillway.Flow;
using Spillway.Policies.Batching;
using Spillway.Telemetry;
using static Spillway.Tests.Flow.FlowBench;

namespace Spillway.Tests.Flow;

/// <summary>The rules of a deployment, one by one, with an explicit now. This file is long because each rule has its own test.</summary>
public sealed class DeploymentFlowTests
{
    [Fact]
    public void A_request_to_an_idle_deployment_runs_on_the_arriving_thread_when_it_is_learned_to_be_short()
    {
        var bench = new FlowBench(curveMs: [0.5]);
        var step = bench.Flow.Ready(bench.Place(0).Slot, At(0));
        Assert.Equal(new Step(Launch.Inline, 0, Long: false), step);
    }

    [Fact]
    public void A_long_run_is_started_on_its_own_thread_even_when_nothing_else_runs()
    {
        var bench = new FlowBench(curveMs: [1.0]);
        var step = bench.Flow.Ready(bench.Place(0).Slot, At(0));
        Assert.Equal(new Step(Launch.Start, 0, Long: true), step);
    }

    [Fact]
    public void While_the_only_runner_works_a_request_waits()
    {
        var bench = new FlowBench();
        bench.Begin(0);
        Assert.Equal(Launch.Queue, bench.Flow.Ready(bench.Place(1).Slot, At(1)).How);
        Assert.Equal(1, bench.Flow.QueueLength);
    }

    [Fact]
    public void A_finished_runner_takes_everyone_who_waits_up_to_the_useful_size()
    {
        var bench = new FlowBench();
        var runner = bench.Begin(0);
        var slots = Enumerable.Range(0, 10).Select(i => bench.Come(1 + i, 5_000)).ToArray();
        var (batch, _, why) = bench.FinishAndTake(runner, 15);
        Assert.Equal(slots[..8], batch);
        Assert.Equal(CutReason.Full, why);
        (batch, _, why) = bench.FinishAndTake(runner, 35);
        Assert.Equal(slots[8..], batch);
        Assert.Equal(CutReason.Idle, why);
        Assert.Empty(bench.FinishAndTake(runner, 50).Batch);
        Assert.True(bench.Flow.IsIdle);
    }

    [Fact]
    public void Full_queue_refuses_and_says_when_the_run_under_way_ends()
    {
        var bench = new FlowBench(new() { BatchRowsMax = 8, QueueLengthMax = 2, SafetyFactor = 1 });
        bench.Begin(0);
        bench.Come(1, 5_000);
        bench.Come(2, 5_000);
        var refused = bench.Place(4, 5_000);
        Assert.Equal(FaultKind.QueueFull, refused.Refused);
        Assert.Equal(2, refused.QueueLength);
        Assert.Equal(TimeSpan.FromMilliseconds(6), refused.RetryAfter);
    }

    [Fact]
    public void A_request_that_is_being_decoded_holds_a_place_in_the_queue()
    {
        var bench = new FlowBench(new() { BatchRowsMax = 8, QueueLengthMax = 1, SafetyFactor = 1 });
        Assert.Null(bench.Place(0).Refused);
        Assert.Equal(FaultKind.QueueFull, bench.Place(0).Refused);
    }

    [Fact]
    public void Who_cannot_be_answered_in_time_is_refused_at_the_door_with_the_time_that_is_missing()
    {
        var bench = new FlowBench(curveMs: [10]);
        bench.Begin(0);
        bench.Come(0, 25);
        // 10 ms of the run and 10 ms of the one waiting, then its own 10 ms: 30 ms.
        Assert.Null(bench.Place(0, timeoutMs: 30).Refused);
        var refused = bench.Place(0, timeoutMs: 29);
        Assert.Equal(FaultKind.PredictedLate, refused.Refused);
        Assert.Equal(TimeSpan.FromMilliseconds(20), refused.Wait);
        Assert.Equal(TimeSpan.FromMilliseconds(1), refused.RetryAfter);
    }

    [Fact]
    public void The_safety_factor_stretches_what_is_predicted()
    {
        var bench = new FlowBench(new() { SafetyFactor = 1.5 }, curveMs: [10]);
        bench.Begin(0);
        Assert.Equal(FaultKind.PredictedLate, bench.Place(0, timeoutMs: 29).Refused);
        Assert.Null(bench.Place(0, timeoutMs: 30).Refused);
    }

    [Fact]
    public void An_idle_deployment_never_refuses_by_prediction_and_runs_what_it_took()
    {
        var bench = new FlowBench(curveMs: [10]);
        var placement = bench.Place(0, timeoutMs: 3);
        Assert.Null(placement.Refused);
        var step = bench.Flow.Ready(placement.Slot, At(0));
        Assert.Equal([placement.Slot], bench.Take(step.Runner, 0).Batch);
    }

    [Fact]
    public void With_an_idle_runner_and_nobody_waiting_nothing_is_refused_by_prediction_though_another_works()
    {
        var bench = new FlowBench(curveMs: [10], runners: 2);
        bench.Begin(0);
        var placement = bench.Place(1, timeoutMs: 3);
        Assert.Null(placement.Refused);
        var step = bench.Flow.Ready(placement.Slot, At(1));
        Assert.Equal([placement.Slot], bench.Take(step.Runner, 1).Batch);
    }

    [Fact]
    public void A_refined_curve_parks_the_runners_that_it_does_not_call_for_and_brings_them_back()
    {
        var bench = new FlowBench(curveMs: [10], runners: 2);
        BatchPoint[] gains = [new(1, TimeSpan.FromMilliseconds(10)), new(8, TimeSpan.FromMilliseconds(12))];
        BatchPoint[] flat = [new(1, TimeSpan.FromMilliseconds(10))];
        var first = bench.Begin(0);
        var second = bench.Begin(0);
        bench.Flow.SetCurve(gains, 1, [true, false]);
        Assert.Equal(1, bench.Flow.RunnersInUse);
        bench.Come(1, 5_000);
        var (leaving, staying) = first == 1 ? (first, second) : (second, first);
        Assert.Empty(bench.FinishAndTake(leaving, 10).Batch);
        Assert.Single(bench.FinishAndTake(staying, 10).Batch);
        Assert.Equal(Launch.Queue, bench.Flow.Ready(bench.Place(11, 5_000).Slot, At(11)).How);
        bench.Flow.SetCurve(flat, 1, [true, true]);
        Assert.Equal(new Step(Launch.Start, leaving, Long: true), bench.Flow.Ready(bench.Place(12, 5_000).Slot, At(12)));
    }

    [Fact]
    public void A_poisoned_estimate_is_corrected_by_the_run_that_an_idle_deployment_never_refuses()
    {
        var bench = new FlowBench(curveMs: [10]);
        for (var i = 0; i < 40; i++)
        {
            var start = bench.Begin(i * 10_000);
            bench.Flow.Observe(start, completed: true, At((i * 10_000) + 5_000));
            bench.Take(start, (i * 10_000) + 5_000);
        }

        Assert.True(bench.Flow.Predict(1, 1) > TimeSpan.FromSeconds(1));
        for (var i = 0; i < 80; i++)
        {
            var at = 1_000_000 + (i * 100);
            var runner = bench.Begin(at, timeoutMs: 50);
            bench.FinishAndTake(runner, at + 10);
        }

        Assert.InRange(bench.Flow.Predict(1, 1).TotalMilliseconds, 9, 20);
    }

    [Fact]
    public void The_earliest_deadline_goes_first_and_a_more_urgent_level_before_that()
    {
        var bench = new FlowBench(curveMs: [10]);
        var runner = bench.Begin(0);
        var late = bench.Come(1, 900);
        var early = bench.Come(2, 500);
        var urgent = bench.Come(3, 2_000, priority: 1);
        Assert.Equal([urgent], bench.FinishAndTake(runner, 10).Batch);
        Assert.Equal([early], bench.FinishAndTake(runner, 20).Batch);
        Assert.Equal([late], bench.FinishAndTake(runner, 30).Batch);
    }

    [Fact]
    public void Waiting_raises_a_request_by_a_level_so_that_none_starves()
    {
        var bench = new FlowBench(new() { BatchRowsMax = 1, PriorityAgeingMs = 50, SafetyFactor = 1 }, curveMs: [10]);
        var runner = bench.Begin(0);
        var patient = bench.Come(1, 5_000, priority: 2);
        var urgent = bench.Come(40, 9_000, priority: 1);
        Assert.Equal([urgent], bench.FinishAndTake(runner, 45).Batch);
        var later = bench.Come(50, 9_000, priority: 1);
        Assert.Equal([patient], bench.FinishAndTake(runner, 55).Batch);
        Assert.Equal([later], bench.FinishAndTake(runner, 65).Batch);
    }

    [Fact]
    public void Only_equal_shapes_run_together_and_the_cut_says_so()
    {
        var bench = new FlowBench();
        var runner = bench.Begin(0);
        var wide = bench.Come(1, 1_000, form: new([640]));
        var narrow = bench.Come(2, 1_001, form: new([320]));
        var wide2 = bench.Come(3, 1_002, form: new([640]));
        var (batch, _, why) = bench.FinishAndTake(runner, 10);
        Assert.Equal([wide, wide2], batch);
        Assert.Equal(CutReason.Shape, why);
        Assert.Equal([narrow], bench.FinishAndTake(runner, 20).Batch);
    }

    [Fact]
    public void A_batch_is_cut_before_a_deadline_in_it_is_missed()
    {
        // 10, 20, 30 ms: batching gains nothing in time per row but the curve is declared useful by GainMin.
        var bench = new FlowBench(new() { BatchRowsMax = 3, SafetyFactor = 1, GainMin = 0.01 }, curveMs: [10, 19, 28]);
        var runner = bench.Begin(0);
        var first = bench.Come(1, 40);
        bench.Come(2, 1_000);
        bench.Come(3, 1_000);
        // At 13.5 ms the first has 27.5 ms left: three rows would take 28.
        var (batch, drops, why) = bench.FinishAndTake(runner, 13.5);
        Assert.Empty(drops);
        Assert.Equal(2, batch.Length);
        Assert.Equal(first, batch[0]);
        Assert.Equal(CutReason.Deadline, why);
    }

    [Fact]
    public void A_head_that_could_no_longer_end_in_time_is_dropped_for_the_target_batch()
    {
        var bench = new FlowBench();
        var runner = bench.Begin(0);
        var hopeless = bench.Come(1, 24);
        var fine = Enumerable.Range(0, 8).Select(_ => bench.Come(2, 5_000)).ToArray();
        // At 11 ms it has 14 ms left; alone it would do in 10, but a full batch waits beside it, and that takes 17.
        var (batch, drops, why) = bench.FinishAndTake(runner, 11);
        Assert.Equal([new Drop(hopeless, FaultKind.DroppedLate)], drops);
        Assert.Equal(fine, batch);
        Assert.Equal(CutReason.Full, why);
    }

    [Fact]
    public void The_drop_happens_on_time_while_the_run_is_still_active()
    {
        var bench = new FlowBench(curveMs: [10]);
        bench.Begin(0);
        var slot = bench.Come(5, 30);
        // Deadline 35, run 10: from just after 25 on it is hopeless.
        Assert.Equal(At(25) + new TimeSpan(1), bench.Flow.WakeAt);
        Assert.Empty(bench.Wake(24.9, out _));
        Assert.Equal([new Drop(slot, FaultKind.DroppedLate)], bench.Wake(25.0001, out var start));
        Assert.Equal(Launch.Queue, start.How);
        Assert.Equal(0, bench.Flow.QueueLength);
    }

    [Fact]
    public void A_deadline_that_passes_in_a_run_ends_the_wait_and_stops_the_run_only_when_all_are_gone()
    {
        var bench = new FlowBench();
        var runner = bench.Begin(0);
        var short1 = bench.Come(1, 40);
        var long1 = bench.Come(1, 60);
        bench.FinishAndTake(runner, 10);
        Assert.Equal([new Drop(short1, FaultKind.DeadlineExceeded, StopRunner: -1)], bench.Wake(41, out _));
        Assert.Equal([new Drop(long1, FaultKind.DeadlineExceeded, StopRunner: runner)], bench.Wake(61, out _));
    }

    [Fact]
    public void A_caller_that_leaves_frees_its_place_in_the_queue_at_once_and_stops_a_run_it_was_alone_in()
    {
        var bench = new FlowBench();
        var runner = bench.Begin(0);
        var waiting = bench.Come(1, 5_000);
        Assert.Equal(-1, bench.Flow.Cancel(waiting, At(2)));
        Assert.Equal(0, bench.Flow.QueueLength);
        var alone = bench.Come(3, 5_000);
        bench.FinishAndTake(runner, 10);
        Assert.Equal(runner, bench.Flow.Cancel(alone, At(11)));
    }

    [Fact]
    public void A_configured_wait_holds_a_batch_back_until_it_is_full_or_the_wait_is_over_or_a_deadline_calls()
    {
        BatchingOptions options = new() { BatchRowsMax = 4, BatchWaitMs = 20, SafetyFactor = 1 };
        var bench = new FlowBench(options, curveMs: [10, 11, 12, 13]);
        Assert.Equal(Launch.Queue, bench.Flow.Ready(bench.Place(0, 5_000).Slot, At(0)).How);
        Assert.Equal(At(20), bench.Flow.WakeAt);
        bench.Wake(20, out var start);
        Assert.Equal(Launch.Start, start.How);
        Assert.Equal(CutReason.Wait, bench.Take(start.Runner, 20).Why);

        var full = new FlowBench(options, curveMs: [10, 11, 12, 13]);
        Assert.Equal(
            [Launch.Queue, Launch.Queue, Launch.Queue, Launch.Start],
            Enumerable.Range(0, 4).Select(i => full.Flow.Ready(full.Place(i, 5_000).Slot, At(i)).How));

        var hurried = new FlowBench(options, curveMs: [10, 11, 12, 13]);
        hurried.Flow.Ready(hurried.Place(0, timeoutMs: 15).Slot, At(0));
        Assert.Equal(At(5), hurried.Flow.WakeAt);
    }

    [Fact]
    public void After_a_run_on_an_arriving_thread_a_batch_that_waits_is_still_woken_for()
    {
        var bench = new FlowBench(new() { BatchRowsMax = 2, BatchWaitMs = 20, SafetyFactor = 1 }, curveMs: [0.1, 0.12]);
        var step = bench.Flow.Ready(bench.Place(0, 5_000, rows: 2).Slot, At(0));
        Assert.Equal(Launch.Inline, step.How);
        bench.Take(step.Runner, 0);
        bench.Come(0.05, 5_000);
        bench.Flow.Observe(step.Runner, completed: true, At(0.1));
        Assert.Equal(Launch.Queue, bench.Flow.Release(step.Runner, At(0.1)).How);
        Assert.Equal(At(20.05), bench.Flow.WakeAt);
    }

    [Fact]
    public void Others_of_another_shape_do_not_make_a_request_hopeless()
    {
        var bench = new FlowBench();
        var runner = bench.Begin(0);
        var lone = bench.Come(1, 24, form: new([320]));
        for (var i = 0; i < 8; i++)
            bench.Come(2, 5_000, form: new([640]));
        var (batch, drops, why) = bench.FinishAndTake(runner, 11);
        Assert.Empty(drops);
        Assert.Equal([lone], batch);
        Assert.Equal(CutReason.Shape, why);
    }

    [Fact]
    public void A_wider_request_counts_for_what_it_is()
    {
        var bench = new FlowBench(curveMs: [10]);
        Assert.Equal(TimeSpan.FromMilliseconds(20), bench.Place(0, elements: 2).Service);
        Assert.Equal(TimeSpan.FromMilliseconds(20), bench.Place(0).Wait);
    }

    [Fact]
    public void A_stopped_or_failed_run_teaches_nothing()
    {
        var bench = new FlowBench(curveMs: [10]);
        var runner = bench.Begin(0);
        bench.Flow.Observe(runner, completed: false, At(1));
        Assert.Equal(TimeSpan.FromMilliseconds(10), bench.Flow.Predict(1, 1));
    }

    [Fact]
    public void The_path_of_a_queued_request_allocates_nothing()
    {
        var bench = new FlowBench();
        var runner = bench.Begin(0);
        var (batch, drops) = (new int[8], new Drop[bench.Flow.Capacity]);
        long Allocated(int rounds, double from)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < rounds; i++)
            {
                var at = from + (i * 20);
                for (var k = 0; k < 8; k++)
                {
                    var placed = bench.Flow.Place(new() { Started = At(at), Rows = 1, Elements = 1 }, At(at));
                    bench.Flow.Ready(placed.Slot, At(at));
                }

                bench.Flow.Observe(runner, completed: true, At(at + 10));
                bench.Flow.Take(runner, batch, drops, At(at + 10));
            }

            return GC.GetAllocatedBytesForCurrentThread() - before;
        }

        Allocated(10, 0);
        Assert.Equal(0, Allocated(100, 1_000));
    }
}
