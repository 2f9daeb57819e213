using Spillway.Policies.Sharing;

namespace Spillway.Flow;

/// <summary>
/// The life of a device that several deployments run on, pure: who may run, who waits, who is next. The third machine
/// beside <see cref="RequestFlow"/> and <see cref="DeploymentFlow"/>; no clock, task, lock or log inside, one caller at
/// a time.
/// </summary>
/// <remarks>
/// The rules:
/// <list type="number">
/// <item>A device has so many turns at once. A runner asks for one before it forms a batch, so that the batch grows
/// while it waits, and has it for one run; then it goes on if nobody else is due.</item>
/// <item>The next turn goes to the share with the lowest rank (<see cref="FairQueue"/>): time by weight, earlier by
/// priority, the longest waiting among equals. Whoever was idle starts level with the others, without credit.</item>
/// <item>No turn stays idle while somebody waits whose group has room; and no group ever has more than its
/// limit.</item>
/// <item>A run is never interrupted. So a share that is due waits for at most the rest of one run of each turn, and a
/// turn of short runs is kept for <see cref="Quantum"/>: handing over costs a wake of another thread.</item>
/// </list>
/// </remarks>
public sealed class DeviceFlow : ITurns
{
    /// <summary>
    /// A runner with more to do keeps its turn at least this long. 250 µs: ten times what the hand-over to another
    /// thread costs, and still short beside any deadline.
    /// </summary>
    public static readonly TimeSpan Quantum = TimeSpan.FromMicroseconds(250);

    private readonly IReadOnlyDictionary<string, int> _limits;
    private readonly Dictionary<string, GroupTurns> _groups = new(StringComparer.Ordinal);
    private readonly List<DeviceShare> _shares = [];
    private readonly List<DeviceShare> _active = [];
    private readonly FairQueue _fair = new();
    private BusyMeter _busy;
    private long _askings;

    /// <summary>A device that nobody uses.</summary>
    /// <param name="groups">The limit of each concurrency group; null for none.</param>
    public DeviceFlow(IReadOnlyDictionary<string, int>? groups = null) =>
        _limits = groups ?? new Dictionary<string, int>();

    /// <summary>
    /// Runs at once: the most that any deployment on it calls for. A batching.runners above the device's parallelism
    /// widens it for everybody.
    /// </summary>
    public int Turns { get; private set; }

    /// <summary>Turns that are taken.</summary>
    public int Running { get; private set; }

    /// <summary>Runners that wait for a turn.</summary>
    public int Waiting { get; private set; }

    /// <summary>Somebody may be due: the interpreter asks <see cref="TryNext"/>.</summary>
    public bool HasNext => Waiting > 0 && Running < Turns;

    /// <summary>A deployment comes to the device.</summary>
    /// <param name="options">Its weight, priority and group; a group without a limit limits nothing.</param>
    /// <param name="runners">The number of its runners; their numbers are below it.</param>
    /// <param name="runsAtOnce">Runs of it that the device is to carry at once, at least 1.</param>
    /// <param name="expected">The time of one run, until runs were seen.</param>
    /// <param name="owner">Whom the interpreter is to start.</param>
    public DeviceShare Join(
        SharingOptions options, int runners, int runsAtOnce, TimeSpan expected, object? owner = null)
    {
        GroupTurns? group = null;
        if (_limits.TryGetValue(options.Group, out var limit) && !_groups.TryGetValue(options.Group, out group))
            _groups[options.Group] = group = new(limit);
        var share = new DeviceShare(options, group, runners, runsAtOnce, expected, owner);
        _shares.Add(share);
        Turns = Math.Max(Turns, runsAtOnce);
        return share;
    }

    /// <summary>A deployment leaves; its turns are free, and what its runners still say is not heard.</summary>
    public void Leave(DeviceShare share, Instant now)
    {
        if (share.Gone || !_shares.Remove(share))
            return;
        var wanted = share.Running + share.Waiting;
        (Running, Waiting) = (Running - share.Running, Waiting - share.Waiting);
        if (share.Group is not null)
            share.Group.Running -= share.Running;
        if (wanted > 0)
        {
            _active.Remove(share);
            Count(share, -share.Fair.Weight, -wanted, now);
            _fair.Rest(share.Fair, _active.Count == 0);
        }

        share.Gone = true;
        Turns = _shares.Count == 0 ? 0 : _shares.Max(s => s.RunsAtOnce);
    }

    /// <inheritdoc/>
    public bool Ask(DeviceShare share, int runner, Instant now)
    {
        if (share.Gone)
            return true;
        if (share.IsActive)
        {
            _fair.KeepUp(share.Fair);
            Count(share, 0, 1, now);
        }
        else
        {
            _fair.Wake(share.Fair);
            _active.Add(share);
            Count(share, share.Fair.Weight, 1, now);
        }

        if (Waiting == 0 && Running < Turns && share.HasRoom)
        {
            _fair.Passed(share.Fair.Tag);
            Begin(share, runner, isNewTurn: true, now);
            return true;
        }

        return Compete(share, runner, now);
    }

    /// <inheritdoc/>
    public bool Again(DeviceShare share, int runner, Instant now)
    {
        if (share.Gone)
            return true;
        share.Charge(runner, ran: true, now);
        if (Waiting == 0 || now - share.HoldOf(runner).TurnBegan < Quantum)
        {
            _fair.Passed(share.Fair.Tag);
            Begin(share, runner, isNewTurn: false, now);
            return true;
        }

        share.End(runner);
        Running--;
        _fair.KeepUp(share.Fair);
        return Compete(share, runner, now);
    }

    /// <inheritdoc/>
    public void Return(DeviceShare share, int runner, bool ran, Instant now)
    {
        if (share.Gone)
            return;
        share.Charge(runner, ran, now);
        share.End(runner);
        Running--;
        Count(share, share.IsActive ? 0 : -share.Fair.Weight, -1, now);
        if (share.IsActive)
            return;
        _active.Remove(share);
        _fair.Rest(share.Fair, _active.Count == 0);
    }

    /// <summary>
    /// Gives a free turn to who is due. The interpreter starts it, and asks again until there is nobody.
    /// </summary>
    public bool TryNext(Instant now, out Grant grant)
    {
        if (!HasNext || Pick(out var lowestTag) is not { } next)
        {
            grant = default;
            return false;
        }

        _fair.Passed(lowestTag);
        var runner = next.Dequeue();
        Waiting--;
        Begin(next, runner, isNewTurn: true, now);
        grant = new(next, runner);
        return true;
    }

    /// <inheritdoc/>
    public TurnOutlook Outlook(DeviceShare share, Instant now)
    {
        var own = share.Busy.At(now);
        var turns = Part(share, Turns, _busy.At(now).Less(own));
        if (share.Group is { } group)
            turns = Math.Min(turns, Part(share, group.Limit, group.Busy.At(now).Less(own)));
        return new(Running < Turns && Waiting == 0 && share.HasRoom ? TimeSpan.Zero : TurnIn(share, now), turns);
    }

    /// <summary>
    /// Its weight's part of what there is, or what the others leave over when that is more. Without contention that is
    /// everything it can use.
    /// </summary>
    private static double Part(DeviceShare share, int turns, Busyness others) => Math.Min(
        share.RunsAtOnce,
        Math.Max(turns * share.Fair.Weight / (share.Fair.Weight + others.Weight), turns - others.Runs));

    /// <summary>The first run to end whose turn it could have, and one run of each who is due before it.</summary>
    private TimeSpan TurnIn(DeviceShare share, Instant now)
    {
        var (first, ahead) = (TimeSpan.MaxValue, 0.0);
        var rank = share.Fair.Rank + (share.IsActive ? 0 : Math.Max(_fair.Now - share.Fair.Tag, 0));
        foreach (var other in _active)
        {
            if (Frees(share, other) && other.FirstEnd(now) is { } end && end < first)
                first = end;
            if (other != share && other.IsDue && other.Fair.Rank <= rank)
                ahead += other.MeanTicks;
        }

        return (first == TimeSpan.MaxValue ? TimeSpan.Zero : first) + new TimeSpan((long)(ahead / Turns));
    }

    /// <summary>The end of one of the other's runs is what the share waits for.</summary>
    private bool Frees(DeviceShare share, DeviceShare other) =>
        share.HasRoom ? Running >= Turns : other.Group == share.Group;

    private bool Compete(DeviceShare share, int runner, Instant now)
    {
        share.Enqueue(runner, _askings++);
        Waiting++;
        // A turn may be free for an instant, while its last holder is on the way to hand it on: no overtaking then.
        if (Running >= Turns || Pick(out var lowestTag) != share)
            return false;
        _fair.Passed(lowestTag);
        share.Dequeue(runner);
        Waiting--;
        Begin(share, runner, isNewTurn: true, now);
        return true;
    }

    private DeviceShare? Pick(out double lowestTag)
    {
        DeviceShare? next = null;
        lowestTag = double.MaxValue;
        foreach (var share in _active)
        {
            if (!share.IsDue)
                continue;
            lowestTag = Math.Min(lowestTag, share.Fair.Tag);
            if (next is null || share.Fair.Rank < next.Fair.Rank
                || (share.Fair.Rank <= next.Fair.Rank && share.AskedAt < next.AskedAt))
                next = share;
        }

        return next;
    }

    private void Begin(DeviceShare share, int runner, bool isNewTurn, Instant now)
    {
        share.Begin(runner, isNewTurn, now);
        Running += isNewTurn ? 1 : 0;
    }

    private void Count(DeviceShare share, double weight, int runs, Instant now)
    {
        _busy.Add(weight, runs, now);
        share.Busy.Add(weight, runs, now);
        share.Group?.Busy.Add(weight, runs, now);
    }
}
