using Spillway.Policies.Drills;

namespace Spillway.Engine.Drills;

/// <summary>
/// What the places that a drill can break look at: one read of a field while nothing is drilled. A lease that is over
/// counts as none, also before anybody has put it away. Thread-safe.
/// </summary>
/// <param name="clock">The clock of leases.</param>
internal sealed class DrillSwitch(Clock clock)
{
    private volatile DrillRun? _run;

    // The replica that was killed: the first that came to run, plus one; 0 for none yet.
    private int _killed;

    /// <summary>What is broken now; null for nothing.</summary>
    public DrillRun? Now => _run is { } run && clock.Now < run.Ends ? run : null;

    /// <summary>Whether whatever would be written fails.</summary>
    public bool DiskIsFull => _run is not null && Now is { Order.Kind: DrillKind.Disk };

    /// <summary>Why a step of a route fails; null when it does not.</summary>
    public Fault? OfStep(string route, int step) =>
        _run is not null && Now is { Order: { Kind: DrillKind.Steps } order } run
            && order.Served == route && order.Breaks(step)
            ? new(FaultKind.RuntimeFailed, $"The drill {run.Id} lets {order.Text}.") : null;

    /// <summary>What becomes of a call to a target; null when nothing does.</summary>
    public DrillRun? OfTarget(string upstream, string target) =>
        _run is not null && Now is
        {
            Order: { Kind: DrillKind.TargetDead or DrillKind.TargetSlow or DrillKind.TargetThrottled } order,
        } run && order.Means(upstream, target) ? run : null;

    /// <summary>
    /// Why a run fails; null when it does not. The first that asks in a drill is the one that is killed.
    /// </summary>
    public Fault? OfRunner(string deployment, int runner)
    {
        if (_run is null || Now is not { Order: { Kind: DrillKind.Replica } order } run
            || order.Deployment != deployment)
            return null;
        var killed = Interlocked.CompareExchange(ref _killed, runner + 1, 0);
        return killed == 0 || killed == runner + 1
            ? new(
                FaultKind.RuntimeFailed, $"The drill {run.Id} lets every run of replica {runner} of {deployment} fail.")
            : null;
    }

    /// <summary>A lease that begins or is renewed; null: it is over.</summary>
    public void Set(DrillRun? run)
    {
        if (run?.Id != _run?.Id)
            Volatile.Write(ref _killed, 0);
        _run = run;
    }
}
