using Spillway.Planner.Outcomes;
using Spillway.Planner.Plans;
using Spillway.Policies.Rates;

namespace Spillway.Planner.Fleet;

/// <summary>A site that is somebody else's server: a time, a limit, a price by the token.</summary>
internal sealed class UpstreamSite : Site, IActor
{
    private readonly UpstreamTimesOptions _options;
    private readonly Chance _chance;
    private readonly TokenBucket? _limit;
    private long _tokensIn;
    private long _tokensOut;
    private long _runTicks;
    private bool _throttled;
    private int _atOnce;

    /// <summary>A site.</summary>
    public UpstreamSite(string name, SiteOptions options, UpstreamTimesOptions upstream, Simulation home)
        : base(name, options, home)
    {
        (_options, _chance) = (upstream, new(home.Seed, $"upstream {name}"));
        if (upstream.RequestsPerMinuteMax > 0)
            _limit = new(upstream.RequestsPerMinuteMax / 60, Math.Max(1, upstream.RequestsPerMinuteMax));
    }

    /// <inheritdoc/>
    public override int Ready => Lost ? 0 : 1;

    /// <inheritdoc/>
    public override void Open() => ReadyMost = 1;

    /// <inheritdoc/>
    public override void Enter(Ride ride)
    {
        var full = _options.AtOnceMax > 0 && _atOnce >= (long)_options.AtOnceMax * _options.Targets;
        if (_throttled || full || !Allows())
        {
            Home.Finish(ride, FaultKind.UpstreamThrottled);
            return;
        }

        if (_options.FaultShare > 0 && _chance.Next() < _options.FaultShare)
        {
            Home.Finish(ride, FaultKind.UpstreamFailed);
            return;
        }

        _atOnce++;

        var first = _chance.LogNormal(_options.FirstMs, _options.Variation);
        var rest = first / _options.FirstMs * _options.PerTokenMs * Math.Max(0, ride.Arrival.TokensOut - 1);
        _tokensIn += ride.Arrival.TokensIn;
        _tokensOut += ride.Arrival.TokensOut;
        var (begins, ends) = (Now + TimeSpan.FromMilliseconds(first), Now + TimeSpan.FromMilliseconds(first + rest));
        _runTicks += (ends - Now).Ticks;
        if (ride.Arrival.TokensOut > 0)
            Home.Calendar.Schedule(begins, this, what: 0, ride.Index);
        Home.Calendar.Schedule(ends, this, what: 1, ride.Index);
    }

    /// <inheritdoc/>
    public override double? Utilisation(Instant until) => null;

    /// <inheritdoc/>
    public override double ReplicaHours(Instant until) => new TimeSpan(_runTicks).TotalHours;

    /// <inheritdoc/>
    void IActor.Happen(int what, int which, long id)
    {
        var ride = Home.RideOf(which);
        if (what == 0)
        {
            ride.Spent(PlanStage.Prefill, Now);
            ride.First = Now;
            return;
        }

        _atOnce--;
        ride.Spent(ride.Arrival.TokensOut > 0 ? PlanStage.Decode : PlanStage.Execute, Now);
        Home.Finish(ride, Lost ? FaultKind.UpstreamUnreachable : null);
    }

    /// <inheritdoc/>
    protected override IEnumerable<CostLine> OwnCosts(Instant until)
    {
        yield return new(Name, "tokens read", _tokensIn / 1_000_000m, "million", (decimal)_options.PricePerMillionIn);
        yield return new(Name, "tokens written", _tokensOut / 1_000_000m, "million",
            (decimal)_options.PricePerMillionOut);
    }

    /// <inheritdoc/>
    protected override void Throttle(bool refuses) => _throttled = refuses;

    private bool Allows()
    {
        if (_limit is null)
            return true;
        _limit.Fill(Now);
        if (_limit.WaitFor(1, default) > TimeSpan.Zero)
            return false;
        _limit.Take(1, default);
        return true;
    }
}
