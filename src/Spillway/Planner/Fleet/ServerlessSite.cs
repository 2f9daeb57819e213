using Spillway.Planner.Outcomes;
using Spillway.Planner.Plans;

namespace Spillway.Planner.Fleet;

/// <summary>
/// A site with instances by the millisecond: one request an instance at a time, a cold start where none is free, an end
/// after the keep-alive, a limit on instances at once, and some that are always there when they are paid for.
/// </summary>
internal sealed class ServerlessSite : Site, IActor
{
    private readonly PlatformOptions _platform;
    private readonly ServerlessOptions _options;
    private readonly TimeSpan _load;
    private readonly double _runMs;
    private readonly double _spread;
    private readonly Chance _chance;
    private readonly int _most;
    private readonly TimeSpan _longest;
    private readonly TimeSpan _keepAlive;

    // The instance used last is used next, so that those not needed grow old. Each rest of an instance has a number of
    // its own, larger than those before: the first in the list is the next to expire.
    private readonly LinkedList<long> _idle = new();
    private int _provisionedFree;
    private int _instances;
    private long _numbers;
    private long _calls;
    private decimal _gbSeconds;
    private decimal _provisionedRunGbSeconds;
    private long _runTicks;

    /// <summary>A site without instances but the provisioned ones.</summary>
    public ServerlessSite(
        string name, SiteOptions options, ServerlessOptions serverless, PlatformOptions platform,
        VariantOptions variant, Simulation home)
        : base(name, options, home)
    {
        (_options, _platform) = (serverless, platform);
        (_runMs, _spread) = (variant.ServerlessMs!.Value, variant.SpreadOfRuns);
        _load = TimeSpan.FromSeconds(variant.LoadSeconds);
        _chance = new(home.Seed, $"serverless {name}");
        _most = Fleets.ConcurrencyOf(serverless, platform);
        _longest = TimeSpan.FromSeconds(platform.DurationSecondsMax);
        _keepAlive = TimeSpan.FromSeconds(serverless.KeepAliveSeconds);
        _provisionedFree = Math.Min(serverless.Provisioned, _most);
    }

    private enum What
    {
        Loaded,
        Done,
        CutOff,
        Expired,
    }

    /// <inheritdoc/>
    public override int Ready => _instances + _options.Provisioned;

    /// <inheritdoc/>
    public override void Open() => ReadyMost = Ready;

    /// <inheritdoc/>
    public override void Enter(Ride ride)
    {
        if (_provisionedFree > 0)
        {
            _provisionedFree--;
            Run(ride, instance: -1);
        }
        else if (TakeIdle() is var idle and >= 0)
        {
            Run(ride, idle);
        }
        else if (_instances + _options.Provisioned < _most)
        {
            ColdStarts++;
            _instances++;
            ReadyMost = Math.Max(ReadyMost, Ready);
            var cold = TimeSpan.FromMilliseconds(_platform.ColdStartMs) + _load;
            Home.Calendar.Schedule(Now + cold, this, (int)What.Loaded, ride.Index, _numbers++);
        }
        else
        {
            Home.Finish(ride, FaultKind.UpstreamThrottled);
        }
    }

    /// <inheritdoc/>
    public override double? Utilisation(Instant until) => null;

    /// <inheritdoc/>
    public override double ReplicaHours(Instant until) => new TimeSpan(_runTicks).TotalHours;

    /// <inheritdoc/>
    void IActor.Happen(int what, int which, long id)
    {
        switch ((What)what)
        {
            case What.Loaded:
                var ride = Home.RideOf(which);
                ride.Spent(PlanStage.ColdStart, Now);
                _gbSeconds += Billed(_load);
                Run(ride, id);
                break;
            case What.Done:
                Done(Home.RideOf(which), id, null);
                break;
            case What.CutOff:
                Done(Home.RideOf(which), id, FaultKind.UpstreamTimeout);
                break;
            case What.Expired:
                Expire(id);
                break;
        }
    }

    /// <inheritdoc/>
    protected override IEnumerable<CostLine> OwnCosts(Instant until)
    {
        yield return new(Name, "calls", _calls / 1_000_000m, "million", (decimal)_platform.PerMillionRequests!.Value);
        yield return new(Name, "running time", _gbSeconds, "GB-s", (decimal)_platform.PerGbSecond!.Value);
        if (_options.Provisioned == 0)
            yield break;
        var held = _options.Provisioned * (decimal)_options.MemoryGb * until.Ticks / TimeSpan.TicksPerSecond;
        yield return new(Name, "provisioned", held, "GB-s", (decimal)(_platform.ProvisionedPerGbSecond ?? 0));
        yield return new(Name, "running time, provisioned", _provisionedRunGbSeconds, "GB-s",
            (decimal)(_platform.ProvisionedRunPerGbSecond ?? _platform.PerGbSecond.Value));
    }

    /// <inheritdoc/>
    protected override void Cool()
    {
        _instances -= _idle.Count;
        _idle.Clear();
    }

    private long TakeIdle()
    {
        if (_idle.Last is not { } last)
            return -1;
        _idle.RemoveLast();
        return last.Value;
    }

    /// <summary>An expiry that was set for a rest which ended by itself finds another one, or nobody.</summary>
    private void Expire(long rest)
    {
        if (_idle.First?.Value != rest)
            return;
        _idle.RemoveFirst();
        _instances--;
    }

    private void Run(Ride ride, long instance)
    {
        ride.Spent(PlanStage.Queue, Now);
        _calls++;
        var factor = 1 + (_spread * ((2 * _chance.Next()) - 1));
        var time = TimeSpan.FromMilliseconds(_runMs * ride.Arrival.Size * factor);
        // The platform ends what takes too long, and charges for it.
        var ends = time > _longest ? What.CutOff : What.Done;
        time = time > _longest ? _longest : time;
        _runTicks += time.Ticks;
        if (instance < 0)
            _provisionedRunGbSeconds += Billed(time);
        else
            _gbSeconds += Billed(time);
        Home.Calendar.Schedule(Now + time, this, (int)ends, ride.Index, instance);
    }

    private void Done(Ride ride, long instance, FaultKind? fault)
    {
        ride.Spent(PlanStage.Execute, Now);
        Home.Finish(ride, Lost ? FaultKind.UpstreamUnreachable : fault);
        if (instance < 0)
        {
            _provisionedFree++;
            return;
        }

        var rest = _numbers++;
        _idle.AddLast(rest);
        Home.Calendar.Schedule(Now + _keepAlive, this, (int)What.Expired, 0, rest);
    }

    private decimal Billed(TimeSpan time)
    {
        var step = (decimal)_platform.BilledMs;
        var ms = Math.Ceiling((decimal)time.TotalMilliseconds / step) * step;
        return ms / 1000 * (decimal)_options.MemoryGb;
    }
}
