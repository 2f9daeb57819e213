using Spillway.Policies.Sharing;

namespace Spillway.Flow;

/// <summary>
/// One deployment's part of one device: its handle for <see cref="DeviceFlow"/>, which alone changes it. Bounded by the
/// deployment's runners; nothing is allocated after its construction.
/// </summary>
public sealed class DeviceShare
{
    private readonly int[] _line;
    private readonly Hold[] _holds;

    internal DeviceShare(
        SharingOptions options, GroupTurns? group, int runners, int runsAtOnce, TimeSpan expected, object? owner)
    {
        (Fair, Group, RunsAtOnce, Owner) = (new(options), group, runsAtOnce, owner);
        (_line, _holds) = (new int[runners], new Hold[runners]);
        MeanTicks = Math.Max(expected.Ticks, 1);
    }

    /// <summary>Whom an interpreter is to start when its turn comes; not looked at here.</summary>
    public object? Owner { get; }

    /// <summary>Its runners that have a turn.</summary>
    public int Running { get; private set; }

    /// <summary>Its runners that wait for one.</summary>
    public int Waiting { get; private set; }

    /// <summary>The learned time of one of its runs.</summary>
    public TimeSpan MeanRun => new((long)MeanTicks);

    internal FairShare Fair { get; }

    internal GroupTurns? Group { get; }

    /// <summary>The most runs that it could have at once.</summary>
    internal int RunsAtOnce { get; }

    /// <summary>It left the device: what its runners still say is not heard.</summary>
    internal bool Gone { get; set; }

    /// <summary>When the first of its waiting runners asked, as a count of all askings.</summary>
    internal long AskedAt { get; private set; }

    internal double MeanTicks { get; private set; }

    internal bool IsActive => Running > 0 || Waiting > 0;

    internal bool HasRoom => Group is null || Group.Running < Group.Limit;

    /// <summary>It would run if there were a turn.</summary>
    internal bool IsDue => Waiting > 0 && HasRoom;

    internal BusyMeter Busy;

    internal ref Hold HoldOf(int runner) => ref _holds[runner];

    internal void Enqueue(int runner, long asked)
    {
        AskedAt = Waiting == 0 ? asked : AskedAt;
        _line[Waiting++] = runner;
    }

    /// <summary>The first of its runners leaves the line, or that one.</summary>
    internal int Dequeue(int runner = -1)
    {
        var at = runner < 0 ? 0 : Array.IndexOf(_line, runner, 0, Waiting);
        var next = _line[at];
        Array.Copy(_line, at + 1, _line, at, --Waiting - at);
        return next;
    }

    /// <summary>A runner has the turn: charged with what its run will probably take.</summary>
    internal void Begin(int runner, bool isNewTurn, Instant now)
    {
        ref var hold = ref _holds[runner];
        hold = new Hold(Held: true, isNewTurn ? now : hold.TurnBegan, now, MeanTicks);
        FairQueue.Charge(Fair, MeanTicks);
        if (!isNewTurn)
            return;
        Running++;
        if (Group is not null)
            Group.Running++;
    }

    /// <summary>A run is over, or ended before it began: charged with what it took.</summary>
    internal void Charge(int runner, bool ran, Instant now)
    {
        ref var hold = ref _holds[runner];
        var took = (double)Math.Max((now - hold.RunBegan).Ticks, 0);
        FairQueue.Charge(Fair, took - hold.Charged);
        if (ran)
            MeanTicks = Math.Max(MeanTicks + (MeanWeight * (took - MeanTicks)), 1);
    }

    /// <summary>A runner gives its turn away.</summary>
    internal void End(int runner)
    {
        _holds[runner] = default;
        Running--;
        if (Group is not null)
            Group.Running--;
    }

    /// <summary>When the first of its runs is expected to be over, from now; null when it has none.</summary>
    internal TimeSpan? FirstEnd(Instant now)
    {
        if (Running == 0)
            return null;
        var least = long.MaxValue;
        foreach (ref readonly var hold in _holds.AsSpan())
        {
            if (hold.Held)
                least = Math.Min(least, Math.Max((long)MeanTicks - (now - hold.RunBegan).Ticks, 0));
        }

        return new(least);
    }

    /// <summary>Weight of the newest run in the mean, as in the learned times of a deployment.</summary>
    private const double MeanWeight = 0.15;

    /// <summary>A runner's turn.</summary>
    /// <param name="Held">It has one.</param>
    /// <param name="TurnBegan">Since when.</param>
    /// <param name="RunBegan">Since when the present run of it counts.</param>
    /// <param name="Charged">Ticks that the share was charged with for that run.</param>
    internal readonly record struct Hold(bool Held, Instant TurnBegan, Instant RunBegan, double Charged);
}

/// <summary>The members' runs of one concurrency group on one device.</summary>
/// <param name="limit">The most at once.</param>
internal sealed class GroupTurns(int limit)
{
    public int Limit => limit;

    public int Running { get; set; }

    public BusyMeter Busy;
}
