using Spillway.Policies.Batching;
using Spillway.Policies.Overload;
using Spillway.Policies.Sharing;

namespace Spillway.Flow;

/// <content>
/// The slots, the runs, and what is predicted from them. This file is long because all predictions read the same state.
/// </content>
public sealed partial class DeploymentFlow
{
    private readonly BatchingOptions _options;
    private readonly DeadlineOptions _deadlines;
    private readonly ServiceTimes _times;
    private readonly WaitingLine _line;
    private readonly TimeSpan _batchWait;
    private readonly Slot[] _slots;
    private readonly int[] _free;
    private readonly Run[] _runs;
    private readonly int[] _runSlots;
    private readonly int[] _idle;
    private readonly RunnerState[] _state;
    private static readonly TimeSpan s_tick = new(1);

    private TenantShares? _tenants;
    private int _freeCount;
    private int _readyCount;
    private int _idleCount;

    /// <summary>An idle deployment.</summary>
    /// <param name="options">Queue and batch limits.</param>
    /// <param name="deadlines">Default deadlines.</param>
    /// <param name="curve">The measured or declared batch curve.</param>
    /// <param name="elementsPerRow">Input elements of one typical row.</param>
    /// <param name="runners">Runs at once over all devices, at least 1.</param>
    /// <param name="line">The waiting line; null takes the standard one.</param>
    public DeploymentFlow(
        BatchingOptions options, DeadlineOptions deadlines, IReadOnlyList<BatchPoint> curve, long elementsPerRow,
        int runners, WaitingLine? line = null)
        : this(options, deadlines, [new(curve, elementsPerRow)], runners, line: line)
    {
    }

    /// <summary>An idle deployment of a model whose requests may be padded to buckets of lengths.</summary>
    /// <param name="options">Queue and batch limits.</param>
    /// <param name="deadlines">Default deadlines.</param>
    /// <param name="curves">One a bucket; one where there are none.</param>
    /// <param name="runners">Runs at once over all devices, at least 1.</param>
    /// <param name="buckets">The ladder of lengths; null pads nothing.</param>
    /// <param name="typical">The bucket of the typical shape.</param>
    /// <param name="line">The waiting line; null takes the standard one.</param>
    public DeploymentFlow(
        BatchingOptions options, DeadlineOptions deadlines, IReadOnlyList<BucketCurve> curves, int runners,
        ShapeBuckets? buckets = null, int typical = 0, WaitingLine? line = null)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(curves.Count, buckets?.Lengths.Count ?? 1);
        (_options, _deadlines, _buckets, _typical) = (options, deadlines, buckets, typical);
        _times = new(options.BatchRowsMax, curves);
        _useful = new int[curves.Count];
        Useful(curves);
        _batchWait = TimeSpan.FromMilliseconds(options.BatchWaitMs);
        _line = line ?? new WaitingLine(options.QueueLengthMax, TimeSpan.FromMilliseconds(options.PriorityAgeingMs));
        (Runners, RunnersInUse) = (runners, runners);
        _state = new RunnerState[runners];
        Capacity = options.QueueLengthMax + (runners * BatchMax);
        _slots = new Slot[Capacity];
        _free = new int[Capacity];
        for (var slot = Capacity - 1; slot >= 0; slot--)
            _free[_freeCount++] = slot;
        (_runs, _runSlots, _idle) = (new Run[runners], new int[runners * BatchMax], new int[runners]);
        for (var runner = runners - 1; runner >= 0; runner--)
            _idle[_idleCount++] = runner;
    }

    private enum SlotState
    {
        Free,
        Placed,
        Ready,
        Running,
        Gone,
    }

    private enum RunnerState
    {
        /// <summary>Works, or is idle and may.</summary>
        InUse,

        /// <summary>Works, and rests for good when it is done.</summary>
        Leaving,

        /// <summary>Rests.</summary>
        Parked,
    }

    /// <summary>The most requests in one batch.</summary>
    public int BatchMax => _options.BatchRowsMax;

    /// <summary>The most slots that can be held at once.</summary>
    public int Capacity { get; }

    /// <summary>Runners that exist.</summary>
    public int Runners { get; }

    /// <summary>Runs at once: the runners that the batch curve calls for.</summary>
    public int RunnersInUse { get; private set; }

    /// <summary>Requests inside runs.</summary>
    public int RequestsInRuns
    {
        get
        {
            var requests = 0;
            foreach (ref readonly var run in _runs.AsSpan())
                requests += run.Load.Count;
            return requests;
        }
    }

    /// <summary>Nothing runs and nobody waits.</summary>
    public bool IsIdle => Active == 0 && _line.Count == 0;

    /// <summary>Sheds by criticality; null where all requests are equal. Set before the first request.</summary>
    internal CriticalityShedder? Shedder { get; init; }

    /// <summary>
    /// Whether the class of a request is let in now. An idle deployment lets everybody in: it has nothing better to do.
    /// </summary>
    private ShedVerdict? Shed(in Claim claim, in Ahead ahead, int bucket, Instant now)
    {
        if (Shedder is null)
            return null;
        // A batch that is not full yet is room, and no queue.
        var waits = ahead.Rows < _useful[bucket] ? TimeSpan.Zero
            : ahead.Work / (Turns?.Outlook(now).Turns ?? RunnersInUse);
        var verdict = Shedder.Decide(claim.Criticality ?? Criticality.Critical, claim.CallerHash, waits, now);
        return _idleCount > 0 && _line.Count == 0 ? null : verdict;
    }

    /// <summary>It leaves the queue, to run or because it would be late.</summary>
    private void Queued(in Slot item, Instant now) => Shedder?.Waited(now - item.ReadyAt, now);

    /// <summary>The learned time of a run, in the bucket of the typical shape.</summary>
    public TimeSpan Predict(int rows, long elements) => _times.Predict(rows, elements, _typical);

    /// <summary>The predicted wait of a newcomer of middle priority.</summary>
    public TimeSpan PredictWait(Instant now) => PredictWait(AheadOf(Level(0), Instant.Never), now);

    private int Level(int priority) =>
        priority <= 0 ? (_options.PriorityLevels + 1) / 2 : Math.Min(priority, _options.PriorityLevels);

    private TimeSpan Safe(TimeSpan predicted) => predicted * _options.SafetyFactor;

    /// <summary>
    /// Who stands before it, and the runs under way, shared over the runners; stretched to the deployment's part of a
    /// contended device, and begun with its next turn.
    /// </summary>
    private TimeSpan PredictWait(in Ahead ahead, Instant now)
    {
        var outlook = Turns?.Outlook(now) ?? new(TimeSpan.Zero, RunnersInUse);
        if (ahead.Work == TimeSpan.Zero && Active < RunnersInUse)
            return outlook.TurnIn;
        var wait = WaitForRunner(ahead.Work, now) * Math.Max(1, RunnersInUse / outlook.Turns);
        return Active == 0 ? outlook.TurnIn + wait : wait;
    }

    /// <summary>Who stands before a newcomer.</summary>
    private Ahead AheadOf(int level, Instant deadline, double rank = 0)
    {
        var (work, rows) = (TimeSpan.Zero, 0);
        for (var i = _line.PositionOf(level, deadline, rank) - 1; i >= 0; i--)
        {
            ref var item = ref _slots[_line[i]];
            (work, rows) = (work + item.Work, rows + item.Rows);
        }

        return new(work, rows);
    }

    /// <summary>Who stands before a newcomer: their runs, and their rows.</summary>
    private readonly record struct Ahead(TimeSpan Work, int Rows);

    private TimeSpan WaitForRunner(TimeSpan ahead, Instant now)
    {
        var (left, least) = (TimeSpan.Zero, TimeSpan.MaxValue);
        foreach (ref readonly var run in _runs.AsSpan())
        {
            // One without work, though others are busy, is resting or about to take what is ahead.
            var remaining = Remaining(run, now);
            left += remaining;
            least = remaining < least && (run.Load.Count > 0 || Active < RunnersInUse) ? remaining : least;
        }

        if (ahead == TimeSpan.Zero)
            return least;
        var shared = (left + ahead) / RunnersInUse;
        return shared > least ? shared : least;
    }

    private TimeSpan Remaining(in Run run, Instant now)
    {
        if (run.Load.Count == 0)
            return TimeSpan.Zero;
        var left = run.Began + Predict(run.Load) - now;
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    /// <summary>When a place in the queue may come free: with the first run that ends.</summary>
    private TimeSpan RoomIn(Instant now)
    {
        var least = TimeSpan.MaxValue;
        foreach (ref readonly var run in _runs.AsSpan())
        {
            if (run.Load.Count > 0 && Remaining(run, now) is var left && left < least)
                least = left;
        }

        if (least < TimeSpan.MaxValue)
            return least;
        var turnIn = Turns?.Outlook(now).TurnIn ?? TimeSpan.Zero;
        return turnIn > TimeSpan.FromMilliseconds(1) ? turnIn : TimeSpan.FromMilliseconds(1);
    }

    /// <summary>The time of the target run, made of rows like this item's.</summary>
    private TimeSpan RideTime(in Slot item, int readyRows)
    {
        var (useful, extent) = (_useful[item.Extent.Bucket], item.Extent);
        return readyRows - item.Rows >= useful && item.Rows < useful
            ? _times.Predict(useful, extent.Elements / item.Rows * useful, extent.Bucket)
            : Alone(item);
    }

    /// <summary>Its tenant's part, where tenants share.</summary>
    private TenantShares.Part? FindPart(in Claim claim, Instant now) => claim.Tenant is null ? null
        : (_tenants ??= new(_options.QueueLengthMax)).Find(claim.Tenant, claim.Weight, now);

    /// <summary>It begins to run: its tenant has had its turn.</summary>
    private void Charge(in Slot item)
    {
        if (item.Part is not null)
            _tenants!.Begin(item.Part, item.Due);
    }

    private int Hold(
        in Claim claim, in Extent extent, int level, Instant deadline, Instant now, TenantShares.Part? part,
        double rank)
    {
        var slot = _free[--_freeCount];
        var useful = Math.Max(_useful[extent.Bucket], claim.Rows);
        var whole = _times.Predict(useful, extent.Elements / claim.Rows * useful, extent.Bucket);
        _slots[slot] = new Slot
        {
            State = SlotState.Placed, Deadline = deadline, Rows = claim.Rows, Extent = extent,
            Group = new(claim.Form, extent.PadTo), Work = whole * (claim.Rows / (double)useful),
        };
        if (part is not null)
            (_slots[slot].Part, _slots[slot].Due) = (part, _tenants!.Enter(part, _slots[slot].Work));
        _line.Add(slot, level, deadline, now, rank);
        return slot;
    }

    private void Rest(int runner)
    {
        if (_state[runner] is RunnerState.InUse)
            _idle[_idleCount++] = runner;
        else
            _state[runner] = RunnerState.Parked;
    }

    private void Free(int slot)
    {
        _readyCount -= _slots[slot].State is SlotState.Ready ? 1 : 0;
        if (_slots[slot] is { State: SlotState.Placed or SlotState.Ready, Part: { } part } left)
            _tenants!.Leave(part, left.Work);
        _slots[slot] = default;
        _free[_freeCount++] = slot;
    }

    private int FirstReady()
    {
        for (var i = 0; i < _line.Count; i++)
        {
            if (_slots[_line[i]].State is SlotState.Ready)
                return i;
        }

        return -1;
    }

    /// <summary>Rows of that group that are ready.</summary>
    private int ReadyRows(in Group group)
    {
        var rows = 0;
        for (var i = 0; i < _line.Count; i++)
        {
            ref readonly var item = ref _slots[_line[i]];
            rows += item.State is SlotState.Ready && item.Group == group ? item.Rows : 0;
        }

        return rows;
    }

    /// <summary>
    /// When the next batch may leave: at once without a configured wait or when full; else when its first has waited
    /// long enough, or must go to meet its deadline.
    /// </summary>
    private Instant DueAt()
    {
        if (_batchWait == TimeSpan.Zero)
            return new(long.MinValue);
        var due = Instant.Never;
        for (var i = 0; i < _line.Count; i++)
        {
            ref readonly var item = ref _slots[_line[i]];
            if (item.State is not SlotState.Ready)
                continue;
            var ready = ReadyRows(item.Group);
            if (ready >= _useful[item.Extent.Bucket])
                return new(long.MinValue);
            due = Instant.Earlier(due, Instant.Earlier(item.ReadyAt + _batchWait, LatestStart(item, ready) - s_tick));
        }

        return due;
    }

    /// <summary>The first instant at which the target run, begun then, is predicted to end too late for it.</summary>
    private Instant LatestStart(in Slot item, int readyRows) =>
        item.Deadline - Safe(RideTime(item, readyRows)) + s_tick;

    private Instant NextWake(Instant now)
    {
        var next = Instant.Earlier(NextInLine(now), NextExpiry(now));
        if (_batchWait > TimeSpan.Zero && _idleCount > 0 && _readyCount > 0 && DueAt() is var due && due > now)
            next = Instant.Earlier(next, due);
        return next;
    }

    /// <summary>When somebody who waits or is being decoded is hopeless next.</summary>
    private Instant NextInLine(Instant now)
    {
        var (next, ready, group) = (Instant.Never, -1, default(Group));
        for (var i = 0; i < _line.Count; i++)
        {
            ref readonly var item = ref _slots[_line[i]];
            var at = item.Deadline;
            if (item.State is SlotState.Ready)
            {
                // Most often all are of one group, and it is counted once.
                if (ready < 0 || item.Group != group)
                    (ready, group) = (ReadyRows(item.Group), item.Group);
                // What is already past is seen to when a runner next asks, or with its deadline.
                at = LatestStart(item, ready) is var latest && latest > now ? latest : at;
            }

            if (at > now)
                next = Instant.Earlier(next, at);
        }

        return next;
    }

    /// <summary>When the patience of somebody in a run ends next.</summary>
    private Instant NextExpiry(Instant now)
    {
        var next = Instant.Never;
        for (var runner = 0; runner < _runs.Length; runner++)
        {
            for (var i = 0; i < _runs[runner].Load.Count; i++)
            {
                ref readonly var item = ref _slots[_runSlots[(runner * BatchMax) + i]];
                if (item.State is SlotState.Running && item.Deadline > now)
                    next = Instant.Earlier(next, item.Deadline);
            }
        }

        return next;
    }

    private struct Slot
    {
        public SlotState State;
        public Instant Deadline;
        public Instant ReadyAt;
        public int Rows;
        public Extent Extent;
        public Group Group;
        public TimeSpan Work;
        public int Runner;
        public TenantShares.Part? Part;
        public double Due;
    }

    private struct Run
    {
        public Load Load;
        public int Waiting;
        public Instant Began;
    }
}
