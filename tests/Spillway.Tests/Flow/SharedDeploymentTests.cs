using Spillway.Flow;
using Spillway.Telemetry;

namespace Spillway.Tests.Flow;

/// <summary>A deployment beside another one on a device of one turn.</summary>
public sealed class SharedDeploymentTests
{
    private readonly DeviceFlow _device = new();
    private readonly FlowBench _bench = new();
    private readonly DeviceShare _mine;
    private readonly DeviceShare _other;

    public SharedDeploymentTests()
    {
        _mine = _device.Join(new(), runners: 1, runsAtOnce: 1, TimeSpan.FromMilliseconds(10));
        _other = _device.Join(new(), runners: 1, runsAtOnce: 1, TimeSpan.FromMilliseconds(20));
        _bench.Flow.Turns = new([(_device, _mine)]);
    }

    [Fact]
    public void A_batch_is_formed_when_the_turn_comes_so_it_grows_while_it_waits()
    {
        Assert.True(_device.Ask(_other, 0, FlowBench.At(0)));
        var first = _bench.Place(1);
        Assert.Equal(Launch.Queue, _bench.Flow.Ready(first.Slot, FlowBench.At(1)).How);
        _bench.Come(2);
        _bench.Come(3);
        _device.Return(_other, 0, ran: true, FlowBench.At(20));
        Assert.True(_device.TryNext(FlowBench.At(20), out var grant));
        Assert.Equal(new Grant(_mine, 0), grant);
        Assert.Equal(3, _bench.Take(grant.Runner, 20).Batch.Length);
    }

    [Fact]
    public void After_a_run_it_waits_when_another_is_due_and_goes_on_when_nobody_is()
    {
        var runner = _bench.Begin(0);
        _bench.Come(1);
        _bench.Come(1);
        Assert.Equal(2, _bench.FinishAndTake(runner, 10).Batch.Length);
        _bench.Come(11);
        Assert.False(_device.Ask(_other, 0, FlowBench.At(12)));
        _bench.Flow.Observe(runner, completed: true, FlowBench.At(21));
        var taken = _bench.Flow.Take(runner, new int[8], new Drop[_bench.Flow.Capacity], FlowBench.At(21));
        Assert.Equal(new(0, 0, CutReason.Idle, 0, Waits: true), taken);
        Assert.True(_device.TryNext(FlowBench.At(21), out var grant));
        Assert.Same(_other, grant.Share);
    }

    [Fact]
    public void Without_more_work_the_turn_goes_back()
    {
        var runner = _bench.Begin(0);
        Assert.Empty(_bench.FinishAndTake(runner, 10).Batch);
        Assert.Equal(0, _device.Running);
        Assert.True(_device.Ask(_other, 0, FlowBench.At(11)));
    }

    [Fact]
    public void The_predicted_wait_knows_the_others_run_and_the_deployments_part()
    {
        Assert.True(_device.Ask(_other, 0, FlowBench.At(0)));
        Assert.Equal(TimeSpan.FromMilliseconds(15), _bench.Flow.PredictWait(FlowBench.At(5)));

        // Much later the other one is known to want the device all the time: a queue takes twice as long as alone.
        _bench.Come(5_000);
        _bench.Come(5_000);
        var alone = new FlowBench();
        alone.Begin(4_999);
        alone.Come(5_000);
        alone.Come(5_000);
        var shared = _bench.Flow.PredictWait(FlowBench.At(5_001));
        var single = alone.Flow.PredictWait(FlowBench.At(5_009));
        Assert.True(shared >= 1.5 * (single - TimeSpan.FromMilliseconds(1)), $"{shared} against {single}");
    }

    [Fact]
    public void One_whose_turn_cannot_come_in_time_is_refused()
    {
        Assert.True(_device.Ask(_other, 0, FlowBench.At(0)));
        var placement = _bench.Place(5, timeoutMs: 12);
        Assert.Equal(FaultKind.PredictedLate, placement.Refused);
        Assert.True(placement.RetryAfter > TimeSpan.Zero);
    }

    [Fact]
    public void An_idle_deployment_on_a_busy_device_is_not_refused_for_a_wrong_estimate_of_its_own_and_learns()
    {
        // It learned, from a machine that stood still, that a run takes far longer than any deadline.
        for (var i = 0; i < 12; i++)
            _bench.FinishAndTake(_bench.Begin(1_000 * i, timeoutMs: 5_000), (1_000 * i) + 900);
        Assert.True(_bench.Flow.Predict(1, 1) > TimeSpan.FromMilliseconds(100));

        var (at, before) = (20_000.0, _bench.Flow.Predict(1, 1));
        Assert.True(_device.Ask(_other, 0, FlowBench.At(at)));
        var placement = _bench.Place(at + 1, timeoutMs: 60);
        Assert.Null(placement.Refused);
        Assert.Equal(Launch.Queue, _bench.Flow.Ready(placement.Slot, FlowBench.At(at + 1)).How);
        Assert.Empty(_bench.Wake(at + 10, out _));
        _device.Return(_other, 0, ran: true, FlowBench.At(at + 20));
        Assert.True(_device.TryNext(FlowBench.At(at + 20), out var grant));
        Assert.Single(_bench.Take(grant.Runner, at + 20).Batch);
        _bench.Flow.Observe(grant.Runner, completed: true, FlowBench.At(at + 30));
        Assert.True(_bench.Flow.Predict(1, 1) < before);
    }

    [Fact]
    public void One_that_waits_for_its_turn_is_told_when_its_deadline_comes()
    {
        Assert.True(_device.Ask(_other, 0, FlowBench.At(0)));
        var slot = _bench.Come(1, timeoutMs: 50);
        // Its latest start is not its end: nothing else runs, so it is kept for the turn to come.
        Assert.Empty(_bench.Wake(45, out _));
        Assert.Equal(FlowBench.At(51), _bench.Flow.WakeAt);
        Assert.Equal([new Drop(slot, FaultKind.DeadlineExceeded)], _bench.Wake(51, out _));
        // The turn that comes for nobody is handed on at once.
        _device.Return(_other, 0, ran: true, FlowBench.At(60));
        Assert.True(_device.TryNext(FlowBench.At(60), out var grant));
        Assert.Empty(_bench.Take(grant.Runner, 60).Batch);
        Assert.Equal(0, _device.Running);
        Assert.NotEqual(Launch.Queue, _bench.Flow.Ready(_bench.Place(61).Slot, FlowBench.At(61)).How);
    }
}
