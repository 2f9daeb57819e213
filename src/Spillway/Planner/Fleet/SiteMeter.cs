namespace Spillway.Planner.Fleet;

/// <summary>What a scaling policy is told: means over the time since it was last asked.</summary>
/// <param name="calendar">The virtual clock.</param>
internal sealed class SiteMeter(Calendar calendar)
{
    private int _waiting;
    private int _running;
    private long _came;
    private double _waitingTicks;
    private double _runningTicks;
    private Instant _last;
    private Instant _since;

    /// <summary>Busy time of all replicas when it was last asked.</summary>
    public TimeSpan BusyBefore { get; set; }

    /// <summary>A request came.</summary>
    public void Came() => _came++;

    /// <summary>More, or fewer, wait.</summary>
    public void Waits(int change)
    {
        Move();
        _waiting += change;
    }

    /// <summary>One that waited runs, or one that ran is done.</summary>
    public void Runs(int change)
    {
        Move();
        _running += change;
        _waiting -= change > 0 ? change : 0;
    }

    /// <summary>The means since the last call, and how long that was in seconds.</summary>
    public double Take(out (double Waiting, double Running, long Came) means)
    {
        Move();
        var ticks = (calendar.Now - _since).Ticks;
        means = ticks == 0 ? (_waiting, _running, _came) : (_waitingTicks / ticks, _runningTicks / ticks, _came);
        (_waitingTicks, _runningTicks, _came, _since) = (0, 0, 0, calendar.Now);
        return ticks / (double)TimeSpan.TicksPerSecond;
    }

    private void Move()
    {
        var passed = (calendar.Now - _last).Ticks;
        _waitingTicks += passed * (double)Math.Max(0, _waiting);
        _runningTicks += passed * (double)Math.Max(0, _running);
        _last = calendar.Now;
    }
}
