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
    private readonly string[] _steps;
    private readonly List<Site[]> _places = [];
    private readonly List<(IArrivalStream Stream, int Workload, int Region)> _streams;
    private readonly Arrival[] _next;
    private readonly List<Ride> _rides = [];
    private readonly Stack<int> _free = new();
    private readonly List<Site> _sites = [];
    private readonly Site[][] _nearest;
    private readonly Station?[] _before;
    private readonly Journeys _journeys;
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
        (_plan, _candidate, _steps) = (plan, candidate, [.. Pipelines.Steps(plan, candidate)]);
        Seed = plan.Options.Seed;
        _beforeChance = new(Seed, "before");
        string[] regions = [.. plan.Options.Regions.Keys];
        Tally = new(plan.Options)
        {
            BySteps = _steps.Length < 2 ? [] : [.. _steps.Select(_ => new TimeHistogram())],
        };
        SpotShare = plan.Options.Drills.SpotShare;
        foreach (var name in candidate.Sites.Keys)
            MakePlace(name);
        _before = [.. _sites.Select(s => BeforeOf(s) is { } before
            ? new Station(Calendar, before.AtOnce, this, this) : null)];
        _journeys = new(plan.Options, [.. _sites.Select(s => s.Options)]);
        _nearest = [.. regions.Select(r => _sites.Where(s => s.IsEntry && Serves(s, r))
            .OrderBy(s => s.Options.NetworkMs[r]).ToArray())];
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
        Continues,
        GoesWithout,
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

    /// <summary>What a request asks, for caches: no two workloads ask the same. Negative: never again.</summary>
    public static long KeyOf(Ride ride) =>
        ride.Arrival.Key < 0 ? -1 : unchecked((ride.Arrival.Key * 64) + ride.Workload) & long.MaxValue;

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
        if (fault is null && Calendar.Now > ride.Deadline)
            fault = FaultKind.DeadlineExceeded;
        ride.Server = null;
        if (fault is null && Tally.BySteps.Length > 0 && !ride.FromCache)
        {
            Tally.Passed(ride, Calendar.Now);
            if (++ride.Step < _steps.Length)
            {
                // Not at once: a step may be served where the one before it was, which is in the middle of its own.
                Calendar.Schedule(Calendar.Now, this, (int)What.Continues, ride.Index);
                return;
            }
        }

        var site = ride.Entry!;
        ride.Fault = fault;
        if (fault is null)
            Answer(site, ride);
        var way = fault is null ? _journeys.Back(site.Index, ride.Workload, ride.Region)
            : _journeys.Empty(site.Index, ride.Region);
        Calendar.Schedule(Calendar.Now + way, this, (int)What.Returns, ride.Index);
    }

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
                foreach (var other in _sites.Where(s => site < 0 || s.Place == site))
                    other.Suffer(happens);
                break;
            case What.Continues:
                Continue(_rides[which]);
                break;
            case What.GoesWithout:
                GoWithout(_rides[which]);
                break;
        }
    }

    /// <inheritdoc/>
    long IStationTimes.Next(int tag)
    {
        var before = BeforeOf(_rides[tag].Site!)!;
        return TimeSpan.FromMilliseconds(_beforeChance.LogNormal(before.Ms, before.Variation)).Ticks;
    }

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

    /// <summary>What is done before the model there: the pipeline's own work before its first step.</summary>
    private BeforeOptions? BeforeOf(Site site) =>
        (site.IsEntry ? _plan.Options.Variants[_candidate.Variant].Before : null) ?? site.Variant.Before;

    /// <summary>A site of the candidate: one, or one for each different step of a pipeline.</summary>
    private void MakePlace(string name)
    {
        if (!Pipelines.IsOne(_plan, _candidate))
        {
            _places.Add([MakeSite(_candidate, name, name)]);
            return;
        }

        var made = new Dictionary<string, Site>();
        foreach (var part in Pipelines.Parts(_plan, _candidate))
            made[part.Variant] = MakeSite(part, name, $"{name}/{part.Variant}");
        _places.Add([.. _steps.Select(s => made[s])]);
    }

    private Site MakeSite(CandidateOptions part, string placeName, string name)
    {
        var (options, place) = (_plan.Options.Sites[placeName], part.Sites[placeName]);
        var (index, placeIndex, variant) = (_sites.Count, _places.Count, _plan.Options.Variants[part.Variant]);
        var isEntry = !_sites.Exists(s => s.Place == placeIndex);
        var memory = new AnswerMemory(isEntry ? _candidate.CacheEntries : 0);
        Site site = options.Kind switch
        {
            SiteKind.Cloud or SiteKind.Edge => new MachineSite(name, options, place,
                _plan.Machines[place.Machine].In(options.PriceRegion),
                MachineParts.Of(_plan, this, part, name, place.Machine), this)
            {
                Memory = memory, Index = index, Place = placeIndex, PlaceName = placeName, IsEntry = isEntry,
                Variant = variant,
            },
            SiteKind.Serverless => new ServerlessSite(name, options, place.Serverless!,
                _plan.Platforms[options.Platform].In(options.PriceRegion), variant, this)
            {
                Memory = memory, Index = index, Place = placeIndex, PlaceName = placeName, IsEntry = isEntry,
                Variant = variant,
            },
            SiteKind.Upstream when variant.Route is not null || variant.Upstream!.Policies is not null =>
                new RoutedSite(name, options, _plan, part.Variant, this)
                {
                    Memory = memory, Index = index, Place = placeIndex, PlaceName = placeName, IsEntry = isEntry,
                    Variant = variant,
                },
            SiteKind.Upstream => new UpstreamSite(name, options, variant.Upstream!, this)
            {
                Memory = memory, Index = index, Place = placeIndex, PlaceName = placeName, IsEntry = isEntry,
                Variant = variant,
            },
        };
        _sites.Add(site);
        return site;
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
        (ride.Site, ride.Entry) = (site, site);
        if (_journeys.Patience(workload) is { } patience)
            ride.Deadline = Calendar.Now + patience;
        site.BytesIn += _plan.Options.Workloads[workload].BytesIn;
        Calendar.Schedule(Calendar.Now + _journeys.There(site.Index, workload, region), this, (int)What.Reaches, index);
    }

    /// <summary>A site has an answer: it leaves, and is remembered.</summary>
    private void Answer(Site site, Ride ride)
    {
        if (!ride.FromCache)
            site.Memory.Keep(KeyOf(ride), Calendar.Now);
        site.BytesOut += _plan.Options.Workloads[ride.Workload].BytesOut;
        site.Answered++;
        site.Remembered += ride.FromCache ? 1 : 0;
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
        else
        {
            ride.StepBegan = Calendar.Now;
            Prepare(ride);
        }
    }

    /// <summary>The next step of a pipeline.</summary>
    private void Continue(Ride ride)
    {
        var next = _places[ride.Entry!.Place][ride.Step];
        (ride.Site, ride.StepBegan) = (next, Calendar.Now);
        if (next.Lost)
            Finish(ride, FaultKind.UpstreamUnreachable);
        else
            Prepare(ride);
    }

    /// <summary>What is done before the model, where there is such work; then the model.</summary>
    private void Prepare(Ride ride)
    {
        var site = ride.Site!;
        if (_before[site.Index] is not { } station)
            site.Enter(ride);
        else if (site.HasFeatures)
            station.Enter(ride.Index);
        else
            Calendar.Schedule(Calendar.Now + TimeSpan.FromMilliseconds(BeforeOf(site)!.TimeoutMs), this,
                (int)What.GoesWithout, ride.Index);
    }

    /// <summary>It waited in vain for what is done before the model.</summary>
    private void GoWithout(Ride ride)
    {
        var site = ride.Site!;
        ride.Spent(PlanStage.Io, Calendar.Now);
        if (site.Lost || !BeforeOf(site)!.Optional)
            Finish(ride, FaultKind.UpstreamUnreachable);
        else
            site.Enter(ride);
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
        Tally.Ended(ride, now, _journeys.Empty(ride.Entry!.Index, ride.Region));
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
