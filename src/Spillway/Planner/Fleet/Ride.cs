using Spillway.Planner.Outcomes;
using Spillway.Planner.Workloads;

namespace Spillway.Planner.Fleet;

/// <summary>
/// A simulated request on its way. Its stages are the differences of consecutive stamps, so that none is a remainder.
/// Used again for another one when it has ended.
/// </summary>
internal sealed class Ride(int index)
{
    private readonly long[] _stages = new long[PlanStages.All.Count];
    private long _last;

    /// <summary>Its number while it lasts.</summary>
    public int Index => index;

    /// <summary>Unlike that of any ride before it under the same number.</summary>
    public long Serial { get; private set; }

    /// <summary>Waits at a site that has no replica yet.</summary>
    public bool Awaits { get; set; }

    /// <summary>On its way.</summary>
    public bool Active { get; private set; }

    /// <summary>Which workload.</summary>
    public int Workload { get; private set; }

    /// <summary>Which region.</summary>
    public int Region { get; private set; }

    /// <summary>What it asks.</summary>
    public Arrival Arrival { get; private set; }

    /// <summary>When its user gives up.</summary>
    public Instant Deadline { get; set; }

    /// <summary>Where it is served.</summary>
    public Site? Site { get; set; }

    /// <summary>Where it came to first; another place than <see cref="Site"/> in a later step of a
    /// pipeline.</summary>
    public Site? Entry { get; set; }

    /// <summary>The step of its pipeline that it is in, from 0.</summary>
    public int Step { get; set; }

    /// <summary>When it came to that step.</summary>
    public Instant StepBegan { get; set; }

    /// <summary>Who serves it.</summary>
    public Server? Server { get; set; }

    /// <summary>When the first token was there; never where nobody counts.</summary>
    public Instant First { get; set; }

    /// <summary>How it ended at the site; null when it was answered.</summary>
    public FaultKind? Fault { get; set; }

    /// <summary>In a run.</summary>
    public bool Running { get; set; }

    /// <summary>Answered from a cache.</summary>
    public bool FromCache { get; set; }

    /// <summary>Time in each stage so far, in ticks.</summary>
    public ReadOnlySpan<long> Stages => _stages;

    /// <summary>Begins at its user.</summary>
    public void Begin(int workload, int region, in Arrival arrival)
    {
        (Workload, Region, Arrival, Active) = (workload, region, arrival, true);
        (Site, Server, Fault, FromCache, Running, Awaits) = (null, null, null, false, false, false);
        (Entry, Step, StepBegan) = (null, 0, arrival.At);
        Serial++;
        (Deadline, First) = (Instant.Never, Instant.Never);
        _last = arrival.At.Ticks;
        Array.Clear(_stages);
    }

    /// <summary>The time since the last stamp was spent there.</summary>
    public void Spent(PlanStage stage, Instant now)
    {
        _stages[(int)stage] += now.Ticks - _last;
        _last = now.Ticks;
    }

    /// <summary>It is over.</summary>
    public void End() => Active = false;
}
