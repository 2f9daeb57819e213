using Spillway.Planner.Plans;

namespace Spillway.Planner.Fleet;

/// <summary>How long requests and answers are on their way between users and sites, found out once. Pure.</summary>
internal sealed class Journeys
{
    private readonly int _regions;
    private readonly int _workloads;
    private readonly TimeSpan[] _there;
    private readonly TimeSpan[] _back;
    private readonly TimeSpan[] _empty;
    private readonly TimeSpan?[] _patience;

    /// <summary>Of a plan's workloads and regions.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="sites">The candidate's sites, in order.</param>
    public Journeys(PlanOptions plan, IReadOnlyList<SiteOptions> sites)
    {
        string[] regions = [.. plan.Regions.Keys];
        (_regions, _workloads) = (regions.Length, plan.Workloads.Count);
        _there = new TimeSpan[sites.Count * _workloads * _regions];
        (_back, _empty) = (new TimeSpan[_there.Length], new TimeSpan[sites.Count * _regions]);
        _patience = [.. plan.Workloads.Select(w => w.DeadlineMs is { } ms ? TimeSpan.FromMilliseconds(ms)
            : (TimeSpan?)null)];
        for (var site = 0; site < sites.Count; site++)
        {
            for (var region = 0; region < _regions; region++)
            {
                if (!sites[site].NetworkMs.TryGetValue(regions[region], out var networkMs))
                    continue;
                TimeSpan Way(double bytes) => TimeSpan.FromMilliseconds(networkMs)
                    + TimeSpan.FromSeconds(bytes * 8 / (sites[site].BandwidthMbps * 1e6));
                _empty[(site * _regions) + region] = Way(0);
                for (var workload = 0; workload < _workloads; workload++)
                {
                    _there[Cell(site, workload, region)] = Way(plan.Workloads[workload].BytesIn);
                    _back[Cell(site, workload, region)] = Way(plan.Workloads[workload].BytesOut);
                }
            }
        }
    }

    /// <summary>A request's way to the site.</summary>
    public TimeSpan There(int site, int workload, int region) => _there[Cell(site, workload, region)];

    /// <summary>An answer's way back.</summary>
    public TimeSpan Back(int site, int workload, int region) => _back[Cell(site, workload, region)];

    /// <summary>The way of nothing but a word.</summary>
    public TimeSpan Empty(int site, int region) => _empty[(site * _regions) + region];

    /// <summary>How long a workload's callers wait; null where they do not say.</summary>
    public TimeSpan? Patience(int workload) => _patience[workload];

    private int Cell(int site, int workload, int region) => (((site * _workloads) + workload) * _regions) + region;
}
