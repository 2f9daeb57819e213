using Spillway.Flow;
using Spillway.Planner.Outcomes;
using Spillway.Planner.Plans;
using Spillway.Planner.Workloads;

namespace Spillway.Planner.Fleet;

/// <summary>Watches a simulation, and may end it.</summary>
public interface IRunWatch
{
    /// <summary>Goes on while this is true.</summary>
    /// <param name="share">How much of the simulated time is over, 0 to 1.</param>
    bool GoOn(double share);
}

/// <summary>
/// One candidate under the whole workload on virtual time: users, network, sites, and back. One thread; the same plan,
/// candidate and seed give the same outcome to the last bit.
/// </summary>
/// <remarks>
/// The laws are asserted in each run: a request's stages add up to its time, Little's law holds exactly between the
/// integral of requests in the system and the sum of their times, and a bill is the sum of its lines.
/// This file is long because the way of a request stands in one place.
/// </remarks>
internal sealed class Simulation : IActor, IStationSink, IStationTimes
{
    private const int WatchEvery = 16_384;

    private readonly Plan _plan;
    private readonly CandidateOptions _candidate;
    private readonly VariantOptions _variant;
    private readonly List<(IArrivalStream Stream, int Workload, int Region)> _streams;
    private readonly Arrival[] _next;
    private readonly List<Ride> _rides = [];
    private readonly Stack<int> _free = new();
    private readonly List<Site> _sites = [];
    private readonly string[] _regions;
    private readonly Site[][] _nearest;
    private readonly Dictionary<Site, Station> _before = [];
    private readonly Chance _beforeChance;
    private readonly List<(Mishap What, int Site)> _mishaps = [];
    private int _streamsLeft;
    private int _active;
    private Int128 _activeTicks;
    private Int128 _rideTicks;
    private long _activeSince;

    /// <summary>An empty world for a candidate.</summary>
    /// <param name="plan">Read and checked.</param>
    /// <param name="candidate">One of its candidates.</param>
    /// <param name="drill">What goes wrong; null for an ordinary day.</param>
    public Simulation(Plan plan, CandidateOptions candidate, Drill? drill = null)
    {
        (_plan, _candidate, _variant) = (plan, candidate, plan.Options.Variants[candidate.Variant]);
        Seed = plan.Options.Seed;
        _beforeChance = new(Seed, "before");
        _regions = [.. plan.Options.Regions.Keys];
        Tally = new(plan.Options);
        SpotShare = plan.Options.Drills.SpotShare;
        foreach (var (name, place) in candidate.Sites)
            _sites.Add(MakeSite(name, place));
        if (_variant.Before is { } before)
        {
            foreach (var site in _sites)
                _before[site] = new(Calendar, before.AtOnce, this, this);
        }

        _nearest = [.. _regions.Select(r => _sites.Where(s => Serves(s, r)).OrderBy(s => s.Options.NetworkMs[r])
            .ToArray())];
        _streams = [.. PlanStreams.Of(plan, drill)];
        _next = new Arrival[_streams.Count];
        _streamsLeft = _streams.Count;
        foreach (var (at, what, site) in drill?.Mishaps(plan.Options, [.. candidate.Sites.Keys]) ?? [])
        {
            Calendar.Schedule(at, this, (int)What.Mishap, _mishaps.Count);
            _mishaps.Add((what, site));
        }
    }

    private enum What
    {
        Arrives,
        Reaches,
        Returns,
        Mishap,
    }

    /// <summary>The virtual clock.</summary>
    public Calendar Calendar { get; } = new();

    /// <summary>Of the plan.</summary>
    public long Seed { get; }

    /// <summary>Of the drills.</summary>
    public double SpotShare { get; }

    /// <summary>No more requests are under way or to come.</summary>
    public bool Over => _streamsLeft == 0 && _active == 0;

    /// <summary>What was counted.</summary>
    public Tally Tally { get; }

    /// <summary>The candidate's sites.</summary>
    public IReadOnlyList<Site> Sites => _sites;

    /// <summary>Little's two sides: requests in the system, mean over time; and arrivals a second times mean
    /// time.</summary>
    public (double InSystem, double RateTimesTime) Little { get; private set; }

    /// <summary>When everything was over.</summary>
    public Instant Ended { get; private set; }

    /// <summary>The ride of a number.</summary>
    public Ride RideOf(int index) => _rides[index];

    /// <summary>Rides that a replica holds.</summary>
    public IReadOnlyList<Ride> RidesOf(Server server) => [.. _rides.Where(r => r.Active && r.Server == server)];

    /// <summary>Lives through the simulated time; false when the watch ended it.</summary>
    public bool Run(IRunWatch? watch)
    {
        foreach (var site in _sites)
            site.Open();
        for (var stream = 0; stream < _streams.Count; stream++)
            Await(stream);
        var (seconds, events) = (_plan.Options.DurationSeconds, 0);
        while (!Over && Calendar.Step())
        {
            if (++events < WatchEvery)
                continue;
            events = 0;
            if (watch?.GoOn(Math.Min(1, Calendar.Now.Ticks / (seconds * TimeSpan.TicksPerSecond))) is false)
                return false;
        }

        Ended = new(Math.Max(Calendar.Now.Ticks, (long)(seconds * TimeSpan.TicksPerSecond)));
        Tally.Close(Ended, ReadyNow());
        KeepLaws();
        return true;
    }

    /// <summary>A site is done with a request: it returns to its user.</summary>
    public void Finish(Ride ride, FaultKind? fault)
    {
        var site = ride.Site!;
        if (fault is null && Calendar.Now > ride.Deadline)
            fault = FaultKind.DeadlineExceeded;
        ride.Fault = fault;
        if (fault is null && !ride.FromCache)
            site.Memory.Keep(KeyOf(ride), Calendar.Now);
        var bytes = fault is null ? _plan.Options.Workloads[ride.Workload].BytesOut : 0;
        site.BytesOut += bytes;
        site.Answered += fault is null ? 1 : 0;
        ride.Server = null;
        Calendar.Schedule(Calendar.Now + Travel(site, ride.Region, bytes), this, (int)What.Returns, ride.Index);
    }

    /// <summary>Requests of mean size a second that a busy replica on that machine answers; from its curve.</summary>
    public double CapacityOf(string machine) => Capacity.PerReplica(_plan, _candidate, machine);

    /// <inheritdoc/>
    void IActor.Happen(int what, int which, long id)
    {
        switch ((What)what)
        {
            case What.Arrives:
                Arrive(which);
                break;
            case What.Reaches:
                Reach(_rides[which]);
                break;
            case What.Returns:
                Return(_rides[which]);
                break;
            case What.Mishap:
                var (happens, site) = _mishaps[which];
                for (var i = 0; i < _sites.Count; i++)
                {
                    if (site < 0 || site == i)
                        _sites[i].Suffer(happens);
                }

                break;
        }
    }

    /// <inheritdoc/>
    long IStationTimes.Next(int tag) => TimeSpan.FromMilliseconds(
        _beforeChance.LogNormal(_variant.Before!.Ms, _variant.Before.Variation)).Ticks;

    /// <inheritdoc/>
    void IStationSink.Done(int tag, Instant now)
    {
        var ride = _rides[tag];
        ride.Spent(PlanStage.Io, now);
        if (ride.Site!.Lost)
            Finish(ride, FaultKind.UpstreamUnreachable);
        else
            ride.Site.Enter(ride);
    }

    private static bool Serves(Site site, string region) => site.Options.NetworkMs.ContainsKey(region)
        && (site.Options.Residents.Count == 0 || site.Options.Residents.Contains(region));

    private static long KeyOf(Ride ride) =>
        ride.Arrival.Key < 0 ? -1 : unchecked((ride.Arrival.Key * 64) + ride.Workload) & long.MaxValue;

    private Site MakeSite(string name, PlacementOptions place)
    {
        var options = _plan.Options.Sites[name];
        var memory = new AnswerMemory(_candidate.CacheEntries);
        return options.Kind switch
        {
            SiteKind.Cloud or SiteKind.Edge => new MachineSite(name, options, place, _plan.Machines[place.Machine],
                _variant, this, Maker(name, place.Machine)) { Memory = memory },
            SiteKind.Serverless => new ServerlessSite(name, options, place.Serverless!,
                _plan.Platforms[options.Platform],
                _variant, this) { Memory = memory },
            SiteKind.Upstream => new UpstreamSite(name, options, _variant.Upstream!, this) { Memory = memory },
        };
    }

    private Func<int, MachineSite, Server> Maker(string site, string machine)
    {
        if (_variant.Language is { } language)
        {
            var roofline = LanguageFleet.RooflineOf(_plan, language, _plan.Machines[machine]);
            var memory = LanguageFleet.Memory(_plan, language, _plan.Machines[machine]).Value;
            var queue = _variant.Batching.QueueLengthMax;
            var patience = Capacity.PatienceOf(_variant);
            return (number, sink) => new LanguageServer(
                roofline, language.Serving, memory, (queue, patience), this, sink)
            {
                Number = number, Ordered = Calendar.Now,
            };
        }

        var curve = Capacity.CurveOf(_variant, machine);
        var batching = Capacity.BatchingOf(_variant, _candidate);
        var runners = Capacity.RunnersOf(_plan, _candidate, machine);
        return (number, sink) =>
        {
            var seed = new Chance(Seed, $"{site} replica {number}");
            var flow = new DeploymentFlow(batching, _variant.Deadline, curve, BatchServer.ElementsPerRow, runners);
            return new BatchServer(flow, new SpreadTimes(curve, _variant.RunSpread, seed), this, sink)
            {
                Number = number, Ordered = Calendar.Now,
            };
        };
    }

    private void Await(int stream)
    {
        if (_streams[stream].Stream.Next(out _next[stream]))
            Calendar.Schedule(_next[stream].At, this, (int)What.Arrives, stream);
        else
            _streamsLeft--;
    }

    private void Arrive(int stream)
    {
        if (!_free.TryPop(out var index))
        {
            index = _rides.Count;
            _rides.Add(new(index));
        }

        var ride = _rides[index];
        var (_, workload, region) = _streams[stream];
        ride.Begin(workload, region, _next[stream]);
        Active(1);
        Tally.Came(Calendar.Now);
        Await(stream);
        var site = Nearest(region);
        ride.Site = site;
        if (_plan.Options.Workloads[workload].DeadlineMs is { } patience)
            ride.Deadline = Calendar.Now + TimeSpan.FromMilliseconds(patience);
        var bytes = _plan.Options.Workloads[workload].BytesIn;
        site.BytesIn += bytes;
        Calendar.Schedule(Calendar.Now + Travel(site, region, bytes), this, (int)What.Reaches, index);
    }

    private Site Nearest(int region)
    {
        foreach (var site in _nearest[region])
        {
            if (!site.Lost)
                return site;
        }

        return _nearest[region][0];
    }

    private TimeSpan Travel(Site site, int region, double bytes)
    {
        var wire = bytes * 8 / (site.Options.BandwidthMbps * 1e6);
        return TimeSpan.FromMilliseconds(site.Options.NetworkMs[_regions[region]]) + TimeSpan.FromSeconds(wire);
    }

    private void Reach(Ride ride)
    {
        ride.Spent(PlanStage.Network, Calendar.Now);
        var site = ride.Site!;
        if (site.Lost)
        {
            Finish(ride, FaultKind.UpstreamUnreachable);
        }
        else if (site.Memory.Finds(KeyOf(ride)))
        {
            ride.FromCache = true;
            Finish(ride, null);
        }
        else if (_before.TryGetValue(site, out var station))
        {
            station.Enter(ride.Index);
        }
        else
        {
            site.Enter(ride);
        }
    }

    private void Return(Ride ride)
    {
        var now = Calendar.Now;
        ride.Spent(PlanStage.Network, now);
        var total = (now - ride.Arrival.At).Ticks;
        var stages = 0L;
        foreach (var stage in ride.Stages)
            stages += stage;
        if (stages != total)
            throw new InvalidOperationException($"The stages of a simulated request add up to {stages} ticks, its time "
                + $"is {total}: a stage was not stamped.");
        _rideTicks += total;
        Tally.Ended(ride, now, Travel(ride.Site!, ride.Region, 0));
        if (Tally.IsDue(now))
            Tally.Sample(now, ReadyNow());
        Active(-1);
        ride.End();
        _free.Push(ride.Index);
    }

    private int ReadyNow()
    {
        var ready = 0;
        foreach (var site in _sites)
            ready += site.Ready;
        return ready;
    }

    private void Active(int change)
    {
        var now = Calendar.Now.Ticks;
        _activeTicks += (Int128)_active * (now - _activeSince);
        (_active, _activeSince) = (_active + change, now);
    }

    private void KeepLaws()
    {
        if (_activeTicks != _rideTicks)
            throw new InvalidOperationException($"Little's law does not hold: requests in the system over time come to "
                + $"{_activeTicks} ticks, the times of the requests to {_rideTicks}. A request was lost or counted "
                    + $"twice.");
        var seconds = (Ended - default(Instant)).TotalSeconds;
        var mean = Tally.All == 0 ? 0 : (double)_rideTicks / Tally.All / TimeSpan.TicksPerSecond;
        Little = ((double)_activeTicks / TimeSpan.TicksPerSecond / seconds, Tally.All / seconds * mean);
    }
}
