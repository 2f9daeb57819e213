using Spillway.Policies.Batching;
using Spillway.Policies.Overload;
using Spillway.Telemetry;

namespace Spillway.Flow;

/// <summary>
/// The life of a deployment, pure: its queue, batches and runners. Events come in as method calls with an explicit
/// <see cref="Instant"/>, effects go out as return values. No clock, task, lock or log inside; one caller at a time
/// (the Engine guards it with one short lock, the Planner has one thread). Requests are slots; after construction
/// nothing is allocated.
/// </summary>
/// <remarks>
/// The rules, in the order in which a request meets them:
/// <list type="number">
/// <item>Place: where the less critical ones are shed, those below the cut are refused while the queue is too long,
/// and sheddable ones behind more than a little while critical ones come (<see cref="CriticalityShedder"/>);
/// a full queue refuses; so does a predicted end after the deadline, unless a runner is idle.
/// A slot holds the room while the request is decoded.</item>
/// <item>Ready: with an idle runner it goes at once, on the arriving thread when nothing else runs and the learned
/// time is under <see cref="InlineMax"/>; otherwise it waits in line.</item>
/// <item>Take: whoever could no longer end in time, if a run of the target batch began now, is dropped first (early
/// drop: Nexus, SOSP'19). The target is the useful batch when that many rows wait beside it, so that a flood keeps its
/// batches large; else the request alone, and the batch is cut for it. Then the batch is filled in line order with
/// requests of one shape, as long as every deadline in it still holds. Lengths that are padded to one bucket are one
/// shape (<see cref="ShapeBuckets"/>).</item>
/// <item>Wake: the same drop, on time, while all runners are busy; and the end of the patience of those who run.</item>
/// <item>Observe: the run's time is learned, its slots are free.</item>
/// </list>
/// Where others share the device (<see cref="Turns"/>), a runner asks for a turn before it takes: Ready, Wake and
/// Release then answer that the request waits, and Take that the runner does, until the device starts it.
/// Deadlines of work that is predicted are held against the prediction times the safety factor.
/// This file holds the events; the predictions and the bookkeeping of slots are in DeploymentFlow.State.cs, what runs
/// together and how long that makes it in DeploymentFlow.Lengths.cs.
/// This file is long because the events of a deployment's life stand together.
/// </remarks>
public sealed partial class DeploymentFlow
{
    /// <summary>
    /// Runs learned to be shorter than this may use the arriving thread. 1 ms: longer native runs on a pool thread
    /// starve the HTTP server (a null request beside them took 15 ms in place of 0.09 ms).
    /// </summary>
    public static readonly TimeSpan InlineMax = TimeSpan.FromMilliseconds(1);

    /// <summary>
    /// When <see cref="Wake"/> is due; the interpreter keeps one timer for it. Never when nothing is.
    /// </summary>
    public Instant WakeAt { get; private set; } = Instant.Never;

    /// <summary>Requests that wait or are being decoded.</summary>
    public int QueueLength => _line.Count;

    /// <summary>Places that the queue has.</summary>
    public int QueueLengthMax => _options.QueueLengthMax;

    /// <summary>Runs that are under way.</summary>
    public int Active { get; private set; }

    /// <summary>The present size limit of a batch in rows, at the typical shape.</summary>
    public int UsefulRows => _useful[_typical];

    /// <summary>Asks for room; the only admission.</summary>
    public Placement Place(in Claim claim, Instant now)
    {
        _line.Age(now);
        var extent = Extend(claim);
        var service = _times.Predict(claim.Rows, extent.Elements, extent.Bucket);
        var (span, source) = DeadlineRule.Decide(_deadlines, claim.Timeout, service);
        var deadline = claim.Started + span;
        var level = Level(claim.Priority);
        var part = FindPart(claim, now);
        var rank = part is null ? 0 : _tenants!.RankOf(part, _options.PriorityLevels - level);
        var ahead = AheadOf(level, deadline, rank);
        var wait = PredictWait(ahead, now);
        var placement = new Placement
        {
            Slot = -1, Deadline = deadline, DeadlineSource = source, Wait = wait, Service = service,
            QueueLength = _line.Count,
        };
        if (deadline <= now)
            return placement with { Refused = FaultKind.DeadlineExceeded, RetryAfter = wait };
        if (Shed(claim, ahead, extent.Bucket, now) is { Admitted: false } shed)
            return placement with { Refused = FaultKind.Shed, RetryAfter = shed.Retry, Queued = shed.Queued };
        if (_line.Count >= _options.QueueLengthMax)
            return placement with { Refused = FaultKind.QueueFull, RetryAfter = RoomIn(now) };
        if (part is not null && _tenants!.PlacesOf(part) is var most && part.Held >= most)
            return placement with { Refused = FaultKind.QueueFull, RetryAfter = RoomIn(now), TenantPlaces = most };
        var late = now + Safe(wait + service) - deadline;
        // With an idle runner and an empty line it runs at once, or with the next turn when that comes in time,
        // whatever
        // is predicted of the run: so a wrong estimate is corrected.
        var isNext = _idleCount > 0 && _line.Count == 0 && deadline > now + Safe(wait);
        if (late > TimeSpan.Zero && !isNext)
            return placement with { Refused = FaultKind.PredictedLate, RetryAfter = late };
        var slot = Hold(claim, extent, level, deadline, now, part, rank);
        WakeAt = Instant.Earlier(WakeAt, deadline);
        return placement with { Slot = slot };
    }

    /// <summary>A placed request is decoded and can run.</summary>
    public Step Ready(int slot, Instant now)
    {
        ref var item = ref _slots[slot];
        (item.State, item.ReadyAt) = (SlotState.Ready, now);
        _readyCount++;
        if (_idleCount == 0)
        {
            // One that is hopeless already is dropped by the very next wake.
            var latest = LatestStart(item, ReadyRows(item.Group));
            WakeAt = Instant.Earlier(WakeAt, latest > now ? latest : now + s_tick);
            return new(Launch.Queue);
        }

        if (DueAt() is var due && due > now)
        {
            WakeAt = Instant.Earlier(WakeAt, due);
            return new(Launch.Queue);
        }

        var alone = Active == 0 && _readyCount == 1;
        var quick = Alone(item) < InlineMax;
        return Begin(new(alone && quick ? Launch.Inline : Launch.Start, _idle[--_idleCount], Long: !quick), now);
    }

    /// <summary>
    /// A started runner, or one that ended its run, asks for the next batch. A count of 0 means that it is idle now,
    /// or waits for its turn; then it is started again.
    /// </summary>
    /// <param name="runner">Its number.</param>
    /// <param name="batch">Receives the slots; at least <see cref="BatchMax"/> long.</param>
    /// <param name="dropped">Receives what was dropped; at least <see cref="Capacity"/> long.</param>
    /// <param name="now">The present.</param>
    public Taken Take(int runner, Span<int> batch, Span<Drop> dropped, Instant now)
    {
        if (HasMore(runner, now) && Turns?.MayGoOn(runner, now) is false)
        {
            Await(now);
            return new(0, 0, CutReason.Idle, Dropped: 0, Waits: true);
        }

        _line.Age(now);
        var drops = DropHopeless(dropped, now, keepOne: true);
        // A leaving one takes once more when an idle one would have to be called for it.
        var head = _state[runner] is RunnerState.InUse || _idleCount > 0 ? FirstReady() : -1;
        if (head < 0 || DueAt() > now)
        {
            Rest(runner);
            if (head >= 0)
                WakeAt = Instant.Earlier(WakeAt, DueAt());
            Turns?.Return(runner, now);
            return new(0, 0, CutReason.Idle, drops);
        }

        var (load, why) = Fill(head, batch, now);
        _runs[runner] = new Run { Load = load, Waiting = load.Count, Began = now };
        for (var i = 0; i < load.Count; i++)
        {
            ref var item = ref _slots[batch[i]];
            (item.State, item.Runner) = (SlotState.Running, runner);
            _readyCount--;
            Charge(item);
            Queued(item, now);
            WakeAt = Instant.Earlier(WakeAt, item.Deadline);
            _runSlots[(runner * BatchMax) + i] = batch[i];
        }

        Active++;
        return new(load.Count, load.Rows, why, drops, Long: Predict(load) >= InlineMax)
        {
            Length = _buckets is null ? 0 : load.Length, Bucket = load.Bucket,
            Elements = load.Elements, Padding = load.Elements - load.Own,
        };
    }

    /// <summary>A run is over: learns its time unless it was stopped or failed, and frees its slots.</summary>
    public void Observe(int runner, bool completed, Instant now)
    {
        ref var run = ref _runs[runner];
        if (completed)
            _times.Observe(run.Load.Rows, run.Load.Elements, now - run.Began, run.Load.Bucket);
        for (var i = 0; i < run.Load.Count; i++)
            Free(_runSlots[(runner * BatchMax) + i]);
        run = default;
        Active--;
        Turns?.Ran(runner);
    }

    /// <summary>
    /// A runner that ran on an arriving thread is done, after <see cref="Observe"/>: it is to be started for what came
    /// meanwhile, or it is idle now. The arriving thread goes on with its own answer.
    /// </summary>
    public Step Release(int runner, Instant now)
    {
        if (HasMore(runner, now))
            return Turns?.MayGoOn(runner, now) is false ? Await(now) : new(Launch.Start, runner);
        Rest(runner);
        Turns?.Return(runner, now);
        if (_readyCount > 0)
            WakeAt = Instant.Earlier(WakeAt, DueAt());
        return new(Launch.Queue);
    }

    /// <summary>The caller went away, or decoding failed. The slot is free again unless it is in a run.</summary>
    /// <returns>The runner whose run nobody waits for any more, or -1.</returns>
    public int Cancel(int slot, Instant now)
    {
        ref var item = ref _slots[slot];
        if (item.State is SlotState.Running)
            return Leave(ref item);
        if (item.State is SlotState.Placed or SlotState.Ready && _line.Remove(slot))
            Free(slot);
        return -1;
    }

    /// <summary>
    /// The timer. Drops whoever can no longer end in time, ends the patience of those in a run, and says whether an
    /// idle runner is due to start because a batch has waited long enough.
    /// </summary>
    /// <param name="dropped">Receives who was dropped; at least <see cref="Capacity"/> long.</param>
    /// <param name="now">The present.</param>
    /// <param name="start">An idle runner that is to be started, or a step that queues.</param>
    /// <returns>How many were dropped.</returns>
    public int Wake(Span<Drop> dropped, Instant now, out Step start)
    {
        _line.Age(now);
        // While nothing runs, the last one is kept for the turn to come: a wrong estimate must not refuse for ever.
        var drops = _idleCount == 0 ? DropHopeless(dropped, now, keepOne: Active == 0) : 0;
        for (var runner = 0; runner < _runs.Length; runner++)
            drops += ExpireRun(runner, dropped[drops..], now);
        start = _idleCount > 0 && _readyCount > 0 && DueAt() <= now
            ? Begin(new(Launch.Start, _idle[--_idleCount]), now)
            : new(Launch.Queue);
        WakeAt = NextWake(now);
        return drops;
    }

    /// <summary>A better measured curve, with what follows from it; takes effect with the next batch.</summary>
    /// <param name="curve">At least one point, rows ascending.</param>
    /// <param name="elementsPerRow">Input elements of one row of it.</param>
    /// <param name="inUse">Which runners may work from now on, by number; at least one. The others rest.</param>
    public void SetCurve(IReadOnlyList<BatchPoint> curve, long elementsPerRow, ReadOnlySpan<bool> inUse) =>
        SetCurves([new(curve, elementsPerRow)], inUse);

    /// <summary>Better measured curves, one a bucket; they take effect with the next batch.</summary>
    /// <param name="curves">As many as before.</param>
    /// <param name="inUse">Which runners may work from now on, by number; at least one. The others rest.</param>
    public void SetCurves(IReadOnlyList<BucketCurve> curves, ReadOnlySpan<bool> inUse)
    {
        _times.SetCurves(curves);
        Useful(curves);
        var idle = _idle[.._idleCount];
        _idleCount = 0;
        for (var runner = 0; runner < inUse.Length; runner++)
        {
            var rested = _state[runner] is RunnerState.Parked || idle.Contains(runner);
            _state[runner] = inUse[runner] ? RunnerState.InUse : rested ? RunnerState.Parked : RunnerState.Leaving;
            if (rested && inUse[runner])
                _idle[_idleCount++] = runner;
        }

        RunnersInUse = inUse.Count(true);
    }

    private int ExpireRun(int runner, Span<Drop> dropped, Instant now)
    {
        var drops = 0;
        for (var i = 0; i < _runs[runner].Load.Count; i++)
        {
            var slot = _runSlots[(runner * BatchMax) + i];
            ref var item = ref _slots[slot];
            if (item.State is SlotState.Running && item.Deadline <= now)
                dropped[drops++] = new(slot, FaultKind.DeadlineExceeded, Leave(ref item));
        }

        return drops;
    }

    private int Leave(ref Slot item)
    {
        item.State = SlotState.Gone;
        return --_runs[item.Runner].Waiting == 0 ? item.Runner : -1;
    }

    private int DropHopeless(Span<Drop> dropped, Instant now, bool keepOne)
    {
        var (ready, group) = (-1, default(Group));
        var drops = 0;
        for (var i = 0; i < _line.Count;)
        {
            var slot = _line[i];
            ref var item = ref _slots[slot];
            // Most often all are of one group, and it is counted once.
            if (ready < 0 || item.Group != group)
                (ready, group) = (ReadyRows(item.Group), item.Group);
            // A free runner never gives up the last request on a prediction: it has nothing better to do, and learns.
            var kept = keepOne && _readyCount == 1 && item.Deadline > now;
            if (item.State is not SlotState.Ready || kept || LatestStart(item, ready) > now)
            {
                i++;
                continue;
            }

            dropped[drops++] = new(slot, item.Deadline <= now ? FaultKind.DeadlineExceeded : FaultKind.DroppedLate);
            Queued(item, now);
            _line.RemoveAt(i);
            ready -= item.Rows;
            Free(slot);
        }

        return drops;
    }
}
