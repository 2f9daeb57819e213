using Microsoft.Extensions.Logging;
using Spillway.Engine.Billing;
using Spillway.Engine.Sequences;
using Spillway.Flow;
using Spillway.Policies.Batching;
using Spillway.Policies.Sharing;
using Spillway.Runtimes;
using Spillway.Store.Provenance;
using Spillway.Telemetry;

namespace Spillway.Engine;

/// <summary>
/// One loaded model version, live: interprets <see cref="DeploymentFlow"/> with a clock, threads and replicas. One
/// short lock guards the flow; whoever arrives or finishes steps it, there is no pump. Inside the lock there is no
/// await, no native call, no completion and no log.
/// </summary>
/// <remarks>
/// This file is long because every step over the lock stands in it: whoever checks that nothing slow happens inside
/// reads one file.
/// </remarks>
public sealed partial class Deployment : IDisposable
{
    private readonly Lock _lock = new();
    private readonly DeploymentFlow _flow;
    private readonly Work?[] _bySlot;
    private readonly Runner[] _runners;
    private readonly ITimer _timer;
    private readonly Drop[] _wakeDrops;
    private readonly FlowJournal? _journal;
    private Instant _armedAt = Instant.Never;
    private Instant _placedAt;
    private bool _closed;
    private DeviceSeat? _seat;

    /// <summary>Makes a deployment ready to answer.</summary>
    /// <param name="name">Its name, for messages.</param>
    /// <param name="clock">The clock.</param>
    /// <param name="flow">Its flow, idle.</param>
    /// <param name="replicas">One per runner of the flow, each with its device.</param>
    /// <param name="logger">Where surprises go.</param>
    /// <param name="journal">Keeps each decision in order; null outside tests and drills.</param>
    public Deployment(
        string name, Clock clock, DeploymentFlow flow, IReadOnlyList<(Device Device, IBatchReplica Replica)> replicas,
        ILogger logger, FlowJournal? journal = null)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(replicas.Count, flow.Runners);
        (Name, Clock, Logger, _flow, _journal) = (name, clock, logger, flow, journal);
        _bySlot = new Work?[flow.Capacity];
        _wakeDrops = new Drop[flow.Capacity];
        Devices = [.. replicas.Select(r => r.Device.Name).Distinct()];
        _runners = [.. replicas.Select((r, i) => new Runner(this, i, r.Device, r.Replica, flow.BatchMax, flow.Capacity))];
        _timer = clock.Time.CreateTimer(static self => ((Deployment)self!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>What is counted for it; null outside a server.</summary>
    internal DeploymentInstruments? Instruments { get; set; }

    /// <summary>What its runs cost; null where nothing has a price.</summary>
    internal DeploymentBilling? Billing { get; init; }

    internal Clock Clock { get; }

    internal ILogger Logger { get; }

    /// <summary>The largest size of a batch whose time it knows.</summary>
    public int BatchMax => _flow.BatchMax;

    /// <summary>Runners that exist, in use or not.</summary>
    public int RunnerCount => _runners.Length;

    /// <summary>Places that its queue has.</summary>
    public int QueueLengthMax => _flow.QueueLengthMax;

    /// <summary>The names of its devices, each once.</summary>
    public IReadOnlyList<string> Devices { get; }

    /// <summary>The device of a runner.</summary>
    public Device DeviceOf(int runner) => _runners[runner].Device;

    /// <summary>The hardware that a runner's runs are billed for; empty where it has no price.</summary>
    internal string HardwareOf(int runner) => Billing?.Hardware(_runners[runner].DeviceIndex) ?? "";

    /// <summary>A consistent look at its state.</summary>
    public DeploymentState Look()
    {
        lock (_lock)
        {
            var wait = _flow.PredictWait(Clock.Now);
            return new(_flow.QueueLength, _flow.Active, _flow.RunnersInUse, _flow.UsefulRows, wait)
            {
                PlacedAt = _placedAt, RequestsInRuns = _flow.RequestsInRuns,
            };
        }
    }

    /// <summary>The learned time of a run.</summary>
    public TimeSpan Predict(int rows, long elements)
    {
        lock (_lock)
            return _flow.Predict(rows, elements);
    }

    /// <summary>The learned time of a run of one typical row.</summary>
    public TimeSpan TypicalRun => Predict(1, TypicalElements);

    /// <summary>Input elements of one typical row.</summary>
    internal long TypicalElements { get; init; } = 1;

    /// <summary>Where its model comes from.</summary>
    internal ModelProvenance Provenance { get; init; } = ModelProvenance.Unknown;

    /// <summary>How it deals with requests of different lengths.</summary>
    internal Lengths Lengths { get; init; } = Lengths.None;

    /// <summary>The sequences of a model with state; null for one without.</summary>
    internal SequenceKeeper? Sequences { get; private set; }

    /// <summary>Keeps sequences from now on. Once, before the first request.</summary>
    internal void KeepSequences(SequencePlan plan) => Sequences = new(this, plan, _flow.Capacity);

    /// <summary>The model's version.</summary>
    internal string Version { get; init; } = "1";

    /// <summary>Shares its devices with other deployments from now on. Once, before the first request.</summary>
    internal void Share(Devices devices, SharingOptions sharing) =>
        (_seat, _flow.Turns) = devices.Seat(sharing, _runners, TypicalRun, _journal);

    /// <summary>Takes better curves, one a bucket, and the runners that they call for.</summary>
    public DeploymentState SetCurves(IReadOnlyList<BucketCurve> curves, ReadOnlySpan<bool> inUse)
    {
        lock (_lock)
            _flow.SetCurves(curves, inUse);
        return Look();
    }

    /// <summary>The only admission. On success the deployment holds the work until it is done with it.</summary>
    public Placement Place(Work work)
    {
        lock (_lock)
        {
            if (_closed)
                return new() { Slot = -1, Closed = true };
            var now = Clock.Now;
            _placedAt = now;
            var placement = _flow.Place(work.Claim, now);
            work.Placement = placement;
            _journal?.Placed(now, work.Request.Id, placement);
            if (placement.Slot < 0)
                return placement;
            (work.Slot, work.Deployment) = (placement.Slot, this);
            _bySlot[placement.Slot] = work;
            work.Hold();
            Arm(now);
            return placement;
        }
    }

    /// <summary>The work is decoded; it gets ready now, or when its sequence lets it.</summary>
    public void Arrive(Work work)
    {
        if (Sequences is null)
            Ready(work);
        else
            Sequences.Arrive(work);
    }

    /// <summary>
    /// The work is decoded; it runs here and now, or a runner comes for it. Its answer says how it ended.
    /// </summary>
    public void Ready(Work work)
    {
        Step step;
        Runner? runner = null;
        List<Ending>? endings = null;
        Clock.Stamping?.Invoke(Stage.Queue);
        lock (_lock)
        {
            // The caller may have left while its input was decoded.
            if (work.Slot < 0)
                return;
            var now = Clock.Now;
            step = _flow.Ready(work.Slot, now);
            (work.Launch, work.IsReady, work.ActiveWhenReady) = (step.How, true, _flow.Active);
            if (step.How is not Launch.Queue)
                runner = _runners[step.Runner];
            _journal?.Ready(now, work.Request.Id, step);
            if (step.How is Launch.Inline && !TakeLocked(runner!, now, out endings))
                step = default;
            Arm(now);
        }

        CompleteDropped(endings);
        _seat?.HandOn();
        if (step.How is Launch.Start)
            runner!.Start(step.Long);
        if (step.How is not Launch.Inline)
            return;
        runner!.Run();
        ReleaseInline(runner);
    }

    /// <summary>The caller left, or its input could not be decoded.</summary>
    public void Cancel(Work work, Fault fault)
    {
        Runner? stop = null;
        long runId = 0;
        var wasWaiting = false;
        lock (_lock)
        {
            if (work.Slot < 0 || work.Gone)
                return;
            var now = Clock.Now;
            var slot = work.Slot;
            var running = _flow.Cancel(slot, now);
            wasWaiting = work.Run.Requests == 0;
            if (running >= 0)
                (stop, runId) = (_runners[running], _runners[running].RunId);
            _journal?.Cancelled(now, work.Request.Id, running);
            if (wasWaiting)
                Forget(slot, work, now);
            else
                Leave(work, now);
            (work.Ended, work.StoppedRun) = (fault.Kind, running >= 0);
            Arm(now);
        }

        if (wasWaiting)
            Sequences?.Over(work, succeeded: false);
        work.Answer.Complete(fault);
        stop?.Stop(runId);
        if (wasWaiting)
            work.Release();
    }

    /// <summary>Takes no more work; what it holds runs to its end.</summary>
    public void Close()
    {
        lock (_lock)
            _closed = true;
    }

    /// <summary>Stops threads and replicas. Only when nothing is in flight.</summary>
    public void Dispose()
    {
        _timer.Dispose();
        Sequences?.Dispose();
        _seat?.Leave();
        foreach (var runner in _runners)
            runner.Dispose();
    }

    /// <summary>Fills the runner's batch; false when the runner is idle now.</summary>
    internal bool Take(Runner runner)
    {
        bool any;
        List<Ending>? endings;
        lock (_lock)
        {
            var now = Clock.Now;
            any = TakeLocked(runner, now, out endings);
            Arm(now);
        }

        CompleteDropped(endings);
        _seat?.HandOn();
        return any;
    }

    /// <summary>A run is over: learn, free, complete.</summary>
    internal void Finish(Runner runner, Fault? fault)
    {
        var count = runner.Taken.Count;
        Instant now;
        lock (_lock)
        {
            now = Clock.Now;
            _flow.Observe(runner.Number, completed: fault is null, now);
            Instruments?.Ran(runner.DeviceIndex, now - runner.TakenAt);
            _journal?.Finished(now, runner.Number, fault is null);
            for (var i = 0; i < count; i++)
            {
                var work = runner.Items[i];
                _bySlot[work.Slot] = null;
                work.Slot = -1;
                if (work.Gone)
                    continue;
                work.Timeline.Mark(Stage.Queue, runner.TakenAt);
                work.Timeline.Mark(Stage.Batch, runner.GatheredAt);
                work.Timeline.Mark(Stage.Execute, runner.ExecutedAt);
                work.Ended = (fault ?? work.OutputFault)?.Kind;
            }

            Arm(now);
        }

        Account(runner, fault, now);
        // Before the answers: whoever has one finds the state that it left.
        for (var i = 0; i < count && Sequences is not null; i++)
        {
            var work = runner.Items[i];
            Sequences.Over(work, succeeded: fault is null && work.OutputFault is null && !work.Gone);
        }

        Completions.Of(runner.Items.AsSpan(0, count), fault);
    }

    /// <summary>What a run cost, and that it was; before its requests are told of its end.</summary>
    private void Account(Runner runner, Fault? fault, Instant over)
    {
        Billing?.Ran(
            runner.Items.AsSpan(0, runner.Taken.Count), runner.DeviceIndex, over - runner.TakenAt,
            Clock.Time.GetUtcNow());
        if (fault is null)
            CountRun(runner, over);
    }

    /// <summary>A run counts once for each served name that had requests in it.</summary>
    private static void CountRun(Runner runner, Instant over)
    {
        var items = runner.Items.AsSpan(0, runner.Taken.Count);
        for (var i = 0; i < items.Length; i++)
        {
            var counts = items[i].Door.Instruments;
            // Backwards: neighbours mostly came by the same name, so one look is enough.
            var before = i - 1;
            while (before >= 0 && items[before].Door.Instruments != counts)
                before--;
            if (before >= 0)
                continue;
            counts?.Statistics.Executed(
                runner.Taken.Rows, runner.GatheredAt - runner.TakenAt, runner.ExecutedAt - runner.GatheredAt,
                over - runner.ExecutedAt);
        }
    }

    private bool TakeLocked(Runner runner, Instant now, out List<Ending>? endings)
    {
        var taken = _flow.Take(runner.Number, runner.Slots, runner.Drops, now);
        runner.Taken = taken;
        endings = Collect(runner.Drops.AsSpan(0, taken.Dropped), now);
        var facts = new RunFacts(taken.Count, taken.Rows, taken.Why, runner.Number)
        {
            Length = taken.Length, Elements = taken.Elements, Padding = taken.Padding,
        };
        for (var i = 0; i < taken.Count; i++)
        {
            var work = _bySlot[runner.Slots[i]]!;
            work.Run = facts;
            runner.Items[i] = work;
            _journal?.Took(now, work.Request.Id, runner.Number);
        }

        _journal?.Batch(now, runner.Number, taken);
        if (taken.Count == 0)
            return false;
        Instruments?.Took(taken.Rows, taken.Count, taken.Why);
        Instruments?.Filled(taken.Rows, taken.Bucket, taken.Length, taken.Elements, taken.Padding);
        runner.Began(now);
        return true;
    }

    private void ReleaseInline(Runner runner)
    {
        Step next;
        lock (_lock)
        {
            var now = Clock.Now;
            next = _flow.Release(runner.Number, now);
            _journal?.Released(now, runner.Number, next);
            Arm(now);
        }

        _seat?.HandOn();
        if (next.How is Launch.Start)
            runner.Start(next.Long);
    }

    private void OnTimer()
    {
        Step start;
        List<Ending>? endings;
        List<(Runner Runner, long RunId)>? stops = null;
        lock (_lock)
        {
            var now = Clock.Now;
            _armedAt = Instant.Never;
            if (now < _flow.WakeAt)
            {
                Arm(now);
                return;
            }

            var drops = _flow.Wake(_wakeDrops, now, out start);
            for (var i = 0; i < drops; i++)
            {
                if (_wakeDrops[i].StopRunner is >= 0 and var running)
                    (stops ??= []).Add((_runners[running], _runners[running].RunId));
            }

            endings = Collect(_wakeDrops.AsSpan(0, drops), now);
            _journal?.Woke(now, start);
            Arm(now);
        }

        CompleteDropped(endings);
        foreach (var (runner, runId) in stops ?? [])
            runner.Stop(runId);
        _seat?.HandOn();
        if (start.How is Launch.Start)
            _runners[start.Runner].Start(start.Long);
    }

    /// <summary>
    /// Under the lock: finds the works of dropped slots and closes their timelines. Only where somebody is given up a
    /// list is made, and the faults that follow allocate anyway.
    /// </summary>
    private List<Ending>? Collect(ReadOnlySpan<Drop> drops, Instant now)
    {
        if (drops.IsEmpty)
            return null;
        var endings = new List<Ending>(drops.Length);
        foreach (ref readonly var drop in drops)
        {
            var work = _bySlot[drop.Slot]!;
            _journal?.Dropped(now, work.Request.Id, drop);
            (work.Ended, work.StoppedRun) = (drop.Reason, drop.StopRunner >= 0);
            endings.Add(new(work, drop.Reason));
            if (work.Run.Requests == 0)
            {
                Forget(drop.Slot, work, now);
                continue;
            }

            // Its run may end, and its caller be gone, before this ending is told: it holds the work for itself.
            work.Hold();
            Leave(work, now);
        }

        return endings;
    }

    private void Forget(int slot, Work work, Instant now)
    {
        _bySlot[slot] = null;
        work.Slot = -1;
        if (work.IsReady)
            work.Timeline.Mark(Stage.Queue, now);
    }

    private void Leave(Work work, Instant now)
    {
        work.Gone = true;
        work.Timeline.Mark(Stage.Queue, _runners[work.Run.Runner].TakenAt);
        work.Timeline.Mark(Stage.Execute, now);
    }

    private void CompleteDropped(List<Ending>? endings)
    {
        foreach (var (work, reason) in endings ?? [])
        {
            if (work.Run.Requests == 0)
                Sequences?.Over(work, succeeded: false);
            work.Answer.Complete(work.Flow.Dropped(reason, work.Placement));
            work.Release();
        }
    }

    private void Arm(Instant now)
    {
        var at = _flow.WakeAt;
        if (at == _armedAt)
            return;
        _armedAt = at;
        _journal?.Armed(now, at);
        _timer.Change(at == Instant.Never ? Timeout.InfiniteTimeSpan : Clock.Until(at), Timeout.InfiniteTimeSpan);
    }
}
