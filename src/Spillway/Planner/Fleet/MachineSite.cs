using Spillway.Planner.Language;
using Spillway.Planner.Outcomes;
using Spillway.Planner.Plans;
using Spillway.Policies.Scaling;

namespace Spillway.Planner.Fleet;

/// <summary>
/// A site with machines by the hour: replicas that are ordered, boot, load, serve, drain and go, as the scaling policy
/// wishes. Requests go to the less loaded of two drawn replicas (the power of two choices, Mitzenmacher 1996).
/// </summary>
/// <remarks>This file is long because the life of a replica, from its order to its last minute on the bill, is one
/// story.</remarks>
internal sealed class MachineSite : Site, IActor, IServerSink, ILanguageSink
{
    private readonly PlacementOptions _place;
    private readonly MachineOptions _machine;
    private readonly decimal _perHour;
    private readonly TimeSpan _provision;
    private readonly TimeSpan _load;
    private readonly Func<int, Server> _make;
    private readonly ScalingLimits? _policy;
    private readonly Chance _chance;
    private readonly int _reserved;
    private readonly decimal _overPrice;
    private readonly TimeSpan _patience;
    private readonly List<Server> _servers = [];
    private readonly List<Server> _ready = [];

    // Who gave up is left in it, and passed over by the ride's serial.
    private readonly Queue<(Ride Ride, long Serial)> _waiting = new();
    private int _waits;
    private readonly SiteMeter _meter;
    private readonly int _waitingMax;
    private int _numbers;
    private long _billedTicks;
    private long _overTicks;
    private Instant _overSince;
    private int _runners = 1;
    private long _readyTicks;
    private TimeSpan _busyOfGone;
    private TimeSpan _usedOfGone;
    private Instant _readySince;
    private int _startsWanted;

    /// <summary>An empty site.</summary>
    public MachineSite(
        string name, SiteOptions options, PlacementOptions place, MachineOptions machine, MachineParts parts,
        Simulation home)
        : base(name, options, home)
    {
        (_place, _machine) = (place, machine);
        var variant = parts.Variant;
        _make = number => parts.Make(number, this);
        _perHour = (decimal)PlanChecks.PriceOf(machine, place.Purchase)!.Value;
        _provision = TimeSpan.FromSeconds(options.ProvisionSeconds);
        _load = TimeSpan.FromSeconds(variant.LoadSeconds);
        // A fixed number is no policy: what is lost is replaced at once, as it is without one.
        _policy = Fleets.IsScaled(place) ? ScalingCatalogue.Create(place.Scaling!).Value : null;
        _reserved = place.Purchase is not Purchase.Reserved ? 0
            : Fleets.IsScaled(place) ? place.Replicas : Fleets.ReplicasFirst(place);
        _overPrice = (decimal)(machine.OnDemandPerHour ?? (double)_perHour);
        _patience = Capacity.PatienceOf(variant);
        _chance = new(home.Seed, $"balance {name}");
        _waitingMax = variant.Batching.QueueLengthMax;
        _meter = new(home.Calendar);
        PerServer = parts.PerReplica;
    }

    private enum What
    {
        Ready,
        Decide,
        TakenBack,
        GivesUp,
    }

    /// <inheritdoc/>
    public override int Ready => _ready.Count;

    /// <summary>Rows a second that a busy replica answers.</summary>
    public double PerServer { get; }

    /// <summary>Spot machines of which nobody knows how long they last.</summary>
    public bool InterruptionsUnknown => _place.Purchase is Purchase.Spot && _machine.SpotMeanHours <= 0;

    /// <inheritdoc/>
    public override double FullPerHour
    {
        get
        {
            var most = Fleets.ReplicasMost(_place);
            return _reserved == 0 ? most * (double)_perHour
                : (_reserved * (double)_perHour) + (Math.Max(0, most - _reserved) * (double)_overPrice);
        }
    }

    /// <inheritdoc/>
    public override void Open()
    {
        for (var i = 0; i < Fleets.ReplicasFirst(_place); i++)
            BeReady(Order());
        if (_policy is not null)
            Home.Calendar.Schedule(Now + _policy.Every, this, (int)What.Decide);
    }

    /// <inheritdoc/>
    public override void Enter(Ride ride)
    {
        _meter.Came();
        if (_ready.Count > 0)
        {
            Submit(ride);
            return;
        }

        if (_waits >= _waitingMax)
        {
            Home.Finish(ride, FaultKind.QueueFull);
            return;
        }

        _waiting.Enqueue((ride, ride.Serial));
        (ride.Awaits, _waits) = (true, _waits + 1);
        _meter.Waits(1);
        var patience = ride.Deadline == Instant.Never ? Now + _patience : ride.Deadline;
        Home.Calendar.Schedule(patience > Now ? patience : Now, this, (int)What.GivesUp, ride.Index, ride.Serial);
        // Whoever waits at an empty site must not wait for the policy's next turn as well: an activator asks at once.
        if (_policy is not null && _startsWanted == 0 && !Lost)
            Decide();
        if (Live() == 0 && _policy is null && !Lost)
            Start();
    }

    /// <inheritdoc/>
    public override double? Utilisation(Instant until)
    {
        var ready = ReadyTicks(until);
        var used = _servers.Aggregate(_usedOfGone, (sum, s) => sum + s.Used);
        return ready <= 0 ? 0 : Math.Min(1, used.Ticks / (double)ready);
    }

    /// <summary>Hours of all runners of ready replicas, busy or not.</summary>
    public double RunnerHours(Instant until) => new TimeSpan(ReadyTicks(until)).TotalHours * _runners;

    /// <inheritdoc/>
    public override double ReplicaHours(Instant until) =>
        new TimeSpan(_billedTicks + _servers.Sum(s => (until - s.Ordered).Ticks)).TotalHours;

    /// <inheritdoc/>
    void IActor.Happen(int what, int which, long id)
    {
        switch ((What)what)
        {
            case What.Ready:
                if (_servers.Find(s => s.Number == which) is { State: ServerState.Starting } started)
                    BeReady(started);
                break;
            case What.Decide:
                if (!Home.Over)
                    Home.Calendar.Schedule(Now + _policy!.Every, this, (int)What.Decide);
                if (!Lost)
                    Decide();
                break;
            case What.TakenBack:
                if (_servers.Find(s => s.Number == which) is { } taken)
                    Die(taken, replace: false);
                break;
            case What.GivesUp:
                GiveUp(Home.RideOf(which), id);
                break;
        }
    }

    /// <inheritdoc/>
    void ILanguageSink.Ended(Server server, Ride ride, in LanguageTimes times, FaultKind? fault)
    {
        if (times.IsDone)
        {
            ride.Spent(PlanStage.Queue, times.Scheduled);
            ride.Spent(PlanStage.Prefill, times.FirstToken);
            ride.Spent(PlanStage.Decode, times.LastToken);
            ride.First = times.FirstToken;
        }

        ((IServerSink)this).Ended(server, ride, fault);
    }

    /// <inheritdoc/>
    void IServerSink.Began(Ride ride)
    {
        ride.Spent(PlanStage.Queue, Now);
        ride.Running = true;
        _meter.Runs(1);
    }

    /// <inheritdoc/>
    void IServerSink.Ended(Server server, Ride ride, FaultKind? fault)
    {
        ride.Spent(ride.Running ? PlanStage.Execute : PlanStage.Queue, Now);
        Release(server, ride);
        Home.Finish(ride, fault);
        if (server is { State: ServerState.Draining, Holds: 0 })
            Leave(server);
    }

    /// <inheritdoc/>
    protected override IEnumerable<CostLine> OwnCosts(Instant until)
    {
        var hours = (decimal)(_billedTicks + _servers.Sum(s => (until - s.Ordered).Ticks)) / TimeSpan.TicksPerHour;
        // What is reserved is paid for the whole time, used or not, and what goes beyond it on demand.
        var over = 0m;
        if (_place.Purchase is Purchase.Reserved)
        {
            CountOver(until);
            (hours, over) = (_reserved * (decimal)until.Ticks / TimeSpan.TicksPerHour,
                (decimal)_overTicks / TimeSpan.TicksPerHour);
        }

        var how = _place.Purchase switch
        {
            Purchase.OnDemand => "on demand",
            Purchase.Reserved => "reserved",
            Purchase.Spot => "spot",
        };
        yield return new(Name, $"{_place.Machine} {how}", hours, "hours", _perHour);
        if (over > 0)
            yield return new(Name, $"{_place.Machine} on demand, beyond the reserved", over, "hours", _overPrice);
    }

    /// <inheritdoc/>
    protected override void LoseNode()
    {
        if (_ready.Count > 0)
            Die(_ready[0], replace: true);
    }

    /// <inheritdoc/>
    protected override void LoseAll()
    {
        foreach (var server in _servers.ToList())
            Die(server, replace: false);
        LoseWaiting();
    }

    /// <inheritdoc/>
    protected override void ComeBack()
    {
        for (var i = Live(); i < Fleets.ReplicasFirst(_place); i++)
            Start();
    }

    /// <inheritdoc/>
    protected override void TakeBack()
    {
        if (_place.Purchase is not Purchase.Spot)
            return;
        foreach (var server in _ready.Take((int)Math.Ceiling(_ready.Count * Home.SpotShare)).ToList())
            Notice(server);
    }

    /// <inheritdoc/>
    protected override void Cool() =>
        Scale(_policy is null ? Fleets.ReplicasFirst(_place) : _place.Scaling!.ReplicasMin);

    private int Live() => _servers.Count(s => s.State is ServerState.Starting or ServerState.Ready);

    private void Submit(Ride ride)
    {
        var server = _ready[0];
        if (_ready.Count > 1)
        {
            var first = (int)(_chance.Next() * _ready.Count);
            var second = (first + 1 + (int)(_chance.Next() * (_ready.Count - 1))) % _ready.Count;
            server = _ready[first].Holds <= _ready[second].Holds ? _ready[first] : _ready[second];
        }

        ride.Server = server;
        server.Holds++;
        _meter.Waits(1);
        server.Submit(ride);
    }

    private void Release(Server server, Ride ride)
    {
        server.Holds--;
        if (ride.Running)
            _meter.Runs(-1);
        else
            _meter.Waits(-1);
        ride.Running = false;
    }

    private Server Order()
    {
        var server = _make(_numbers++);
        CountOver(Now);
        _runners = server.Runners;
        _servers.Add(server);
        return server;
    }

    private void Start()
    {
        var server = Order();
        _startsWanted++;
        Home.Calendar.Schedule(Now + _provision + _load, this, (int)What.Ready, server.Number);
    }

    private void BeReady(Server server)
    {
        // A lost site gets requests again when it can answer the first one.
        Lost = false;
        Count();
        _startsWanted = Math.Max(0, _startsWanted - 1);
        (server.State, server.ReadySince) = (ServerState.Ready, Now);
        _ready.Add(server);
        ReadyMost = Math.Max(ReadyMost, _ready.Count);
        if (_place.Purchase is Purchase.Spot && _machine.SpotMeanHours > 0)
        {
            var lasts = TimeSpan.FromHours(_chance.Exponential() * _machine.SpotMeanHours);
            Home.Calendar.Schedule(Now + lasts, () => Notice(server));
        }

        ColdStarts += _waits > 0 ? 1 : 0;
        while (NextWaiting() is { } ride)
            Submit(ride);
    }

    /// <summary>The first that still waits for a replica, its wait stamped; null when nobody does.</summary>
    private Ride? NextWaiting()
    {
        while (_waiting.TryDequeue(out var next))
        {
            if (next.Ride.Serial != next.Serial || !next.Ride.Awaits)
                continue;
            Unqueue(next.Ride);
            return next.Ride;
        }

        return null;
    }

    private void Unqueue(Ride ride)
    {
        (ride.Awaits, _waits) = (false, _waits - 1);
        _meter.Waits(-1);
        ride.Spent(PlanStage.ColdStart, Now);
    }

    /// <summary>Its caller leaves before there is a replica.</summary>
    private void GiveUp(Ride ride, long serial)
    {
        if (ride.Serial != serial || !ride.Awaits)
            return;
        Unqueue(ride);
        Home.Finish(ride, FaultKind.DeadlineExceeded);
    }

    private long ReadyTicks(Instant until) => _readyTicks + (_ready.Count * (until - _readySince).Ticks);

    /// <summary>The integral of machines beyond the reserved ones, before their number changes.</summary>
    private void CountOver(Instant until)
    {
        if (Fleets.IsScaled(_place))
            _overTicks += Math.Max(0, _servers.Count - _reserved) * (until - _overSince).Ticks;
        _overSince = until;
    }

    /// <summary>The integral of ready replicas over time, before their number changes.</summary>
    private void Count()
    {
        _readyTicks += _ready.Count * (Now - _readySince).Ticks;
        _readySince = Now;
    }

    private void Drain(Server server)
    {
        if (server.State is ServerState.Ready)
        {
            Count();
            _ready.Remove(server);
        }
        else
        {
            _startsWanted = Math.Max(0, _startsWanted - 1);
        }

        server.State = ServerState.Draining;
        if (server.Holds == 0)
            Leave(server);
    }

    private void Leave(Server server)
    {
        CountOver(Now);
        server.State = ServerState.Gone;
        _servers.Remove(server);
        _billedTicks += (Now - server.Ordered).Ticks;
        _busyOfGone += server.Busy;
        _usedOfGone += server.Used;
    }

    /// <summary>A replica is gone at once, with whatever it holds.</summary>
    private void Die(Server server, bool replace)
    {
        if (server.State is ServerState.Gone)
            return;
        Drain(server);
        if (server.State is not ServerState.Gone)
            Leave(server);
        foreach (var ride in Home.RidesOf(server))
        {
            ride.Spent(ride.Running ? PlanStage.Execute : PlanStage.Queue, Now);
            Release(server, ride);
            Home.Finish(ride, FaultKind.RuntimeFailed);
        }

        if (replace && !Lost && _policy is null)
            Start();
    }

    private void LoseWaiting()
    {
        while (NextWaiting() is { } ride)
            Home.Finish(ride, FaultKind.RuntimeFailed);
    }

    /// <summary>A spot machine is to be taken back: it drains, another is ordered, and what it has not finished is
    /// lost.</summary>
    private void Notice(Server server)
    {
        if (server.State is not ServerState.Ready || Home.Over)
            return;
        Start();
        Drain(server);
        if (server.State is ServerState.Draining)
        {
            Home.Calendar.Schedule(Now + TimeSpan.FromSeconds(_machine.SpotNoticeSeconds), this, (int)What.TakenBack,
                server.Number);
        }
    }

    private void Decide()
    {
        var every = _meter.Take(out var mean);
        var busy = _servers.Aggregate(_busyOfGone, (sum, s) => sum + s.Busy);
        var ready = Math.Max(1, _ready.Count);
        var wish = _policy!.Decide(new()
        {
            Wanted = Live(), Ready = _ready.Count, Starting = _startsWanted,
            Utilisation = every <= 0 ? 0
                : Math.Clamp((busy - _meter.BusyBefore).TotalSeconds / every / ready / _runners, 0, 1),
            InFlight = mean.Running, Queued = mean.Waiting, RatePerSecond = every <= 0 ? 0 : mean.Came / every,
            ReplicaPerSecond = PerServer, ProvisionDelay = _provision, LoadDelay = _load,
        }, Now);
        _meter.BusyBefore = busy;
        Scale(wish.Replicas);
    }

    private void Scale(int wanted)
    {
        for (var live = Live(); live < wanted; live++)
            Start();
        for (var live = Live(); live > wanted; live--)
        {
            var least = _servers.Find(s => s.State is ServerState.Starting) ?? _ready.MinBy(s => s.Holds)!;
            Drain(least);
        }
    }
}
