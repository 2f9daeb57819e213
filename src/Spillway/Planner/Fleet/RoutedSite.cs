using System.Globalization;
using Spillway.Planner.Outcomes;
using Spillway.Planner.Plans;
using Spillway.Planner.Routes;
using Spillway.Policies.Caching;
using Spillway.Policies.Chains;
using Spillway.Policies.Rates;

namespace Spillway.Planner.Fleet;

/// <summary>
/// A site that is this server as a gateway before somebody else's: the production chain, cache, retries, breakers,
/// limits and lines (<see cref="RouteWorld"/>) over upstreams with a time, a limit, faults and a price. An answer
/// counts for the route when it begins, as for the live one; its further tokens follow by the upstream's time for each.
/// </summary>
internal sealed class RoutedSite : Site, IActor
{
    private readonly RouteWorld _route;
    private readonly Provider?[] _steps;
    private readonly Chance _chance;
    private long _runTicks;

    /// <summary>A site.</summary>
    public RoutedSite(string name, SiteOptions options, Plan plan, string variantName, Simulation home)
        : base(name, options, home)
    {
        var (variant, chain) = (plan.Options.Variants[variantName],
            UpstreamChain.Of(plan.Options.Variants[variantName], variantName));
        _chance = new(home.Seed, $"answers {name}");
        _steps = [.. chain.Steps.Select(step => step.Kind is ChainStepKind.Model ? new Provider(
            step.Model, plan.Options.Variants[step.Model].Upstream!, $"{name} {step.Model}", home) : null)];
        var models = _steps.OfType<Provider>().ToDictionary(p => p.Name, p => (IStepWorld)p, StringComparer.Ordinal);
        var route = variant.Route ?? new();
        _route = new(variantName,
            new() { Chain = chain, Cache = route.Cache, DeadlineMs = route.DeadlineMs }, models, home.Calendar,
            SeedOf(home, name)) { Ended = Ended };
        DeadlineMs = route.DeadlineMs;
    }

    /// <inheritdoc/>
    public override int Ready => Lost ? 0 : 1;

    /// <summary>The time until an answer begins.</summary>
    private double DeadlineMs { get; }

    /// <inheritdoc/>
    public override void Open() => ReadyMost = 1;

    /// <inheritdoc/>
    public override void Enter(Ride ride)
    {
        var patience = TimeSpan.FromMilliseconds(DeadlineMs);
        if (ride.Deadline != Instant.Never && ride.Deadline - Now is var left && left < patience)
            patience = left > TimeSpan.Zero ? left : new(1);
        _route.Arrive(ride.Index.ToString(CultureInfo.InvariantCulture), Now, new(ride.Arrival.Key)
        {
            PassesCache = ride.Arrival.Key < 0, Timeout = patience, Rows = ride.Arrival.TokensOut,
            Elements = ride.Arrival.TokensIn,
        });
    }

    /// <inheritdoc/>
    public override double? Utilisation(Instant until) => null;

    /// <inheritdoc/>
    public override double ReplicaHours(Instant until) => new TimeSpan(_runTicks).TotalHours;

    /// <summary>The rest of an answer is there.</summary>
    void IActor.Happen(int what, int which, long id)
    {
        var ride = Home.RideOf(which);
        ride.Spent(PlanStage.Decode, Now);
        Home.Finish(ride, Lost ? FaultKind.UpstreamUnreachable : null);
    }

    /// <inheritdoc/>
    protected override IEnumerable<CostLine> OwnCosts(Instant until)
    {
        foreach (var step in _steps.OfType<Provider>())
        {
            yield return new(Name, $"{step.Name}, tokens read", step.TokensIn / 1_000_000m, "million",
                (decimal)step.Options.PricePerMillionIn);
            yield return new(Name, $"{step.Name}, tokens written", step.TokensOut / 1_000_000m, "million",
                (decimal)step.Options.PricePerMillionOut);
        }
    }

    /// <summary>The upstream that is asked first; what stands behind it in the chain is there for that.</summary>
    protected override void Throttle(bool refuses)
    {
        foreach (var target in _steps.OfType<Provider>().First().Targets)
            target.State = refuses ? TargetState.Throttled : TargetState.Well;
    }

    /// <inheritdoc/>
    protected override void LoseAll() => Set(TargetState.Dead);

    /// <inheritdoc/>
    protected override void ComeBack()
    {
        base.ComeBack();
        Set(TargetState.Well);
    }

    /// <inheritdoc/>
    protected override void Forget()
    {
        base.Forget();
        _route.Memory?.Clear();
    }

    private static int SeedOf(Simulation home, string name) =>
        (int)(new Chance(home.Seed, $"route {name}").Next() * int.MaxValue);

    private void Set(TargetState state)
    {
        foreach (var target in _steps.OfType<Provider>().SelectMany(s => s.Targets))
            target.State = state;
    }

    private void Ended(RouteAnswer answer)
    {
        var ride = Home.RideOf(int.Parse(answer.Id, CultureInfo.InvariantCulture));
        var tokens = ride.Arrival.TokensOut;
        ride.Spent(tokens > 0 ? PlanStage.Prefill : PlanStage.Execute, Now);
        if (answer.Fault is { } fault)
        {
            Home.Finish(ride, fault.Kind);
            return;
        }

        ride.FromCache = answer.Joined || answer.Cache is CacheStep.Hit or CacheStep.Stale;
        // As with every cache of a plan: its answers have no first token of their own.
        ride.First = tokens > 0 && !ride.FromCache ? Now : Instant.Never;
        if (ride.FromCache || answer.Step < 0 || _steps[answer.Step] is not { } provider)
            Home.Finish(ride, null);
        else
            GoOn(ride, answer, provider);
    }

    /// <summary>The further tokens of an answer that has begun.</summary>
    private void GoOn(Ride ride, RouteAnswer answer, Provider provider)
    {
        var tokens = ride.Arrival.TokensOut;
        if (tokens < 2 || provider.Options.PerTokenMs <= 0)
        {
            Home.Finish(ride, null);
            return;
        }

        var rest = TimeSpan.FromMilliseconds(provider.Options.PerTokenMs * (tokens - 1)
            * _chance.LogNormal(1, provider.Options.Variation));
        _runTicks += (Now - answer.Came + rest).Ticks;
        Home.Calendar.Schedule(Now + rest, this, what: 0, ride.Index);
    }

    /// <summary>An upstream of the chain, which counts what it is paid for: every answer, wanted or not.</summary>
    private sealed class Provider : IStepWorld
    {
        private readonly UpstreamStep _step;

        public Provider(string name, UpstreamTimesOptions options, string place, Simulation home)
        {
            (Name, Options) = (name, options);
            var limit = options.RequestsPerMinuteMax > 0
                ? new TokenBucket(options.RequestsPerMinuteMax / 60, Math.Max(1, options.RequestsPerMinuteMax)) : null;
            var chance = new Chance(home.Seed, $"upstream {place}");
            var seed = SeedOf(home, place);
            Targets =
            [
                .. Enumerable.Range(0, options.Targets).Select(i => new SimulatedTarget($"{name}-{i}",
                    new(options.AtOnceMax, options.FirstMs, QueueMsMax: 0), home.Calendar, unchecked(seed + i))
                {
                    Times = () => TimeSpan.FromMilliseconds(chance.LogNormal(options.FirstMs, options.Variation)),
                    Allows = limit is null ? null : now => Allows(limit, now), FaultShare = options.FaultShare,
                }),
            ];
            _step = new(name, (options.Policies ?? new()).Whole, Targets, home.Calendar, seed) { KeepsCalls = false };
        }

        public string Name { get; }

        public UpstreamTimesOptions Options { get; }

        public IReadOnlyList<SimulatedTarget> Targets { get; }

        public long TokensIn { get; private set; }

        public long TokensOut { get; private set; }

        public TimeSpan PredictWait(Instant now) => _step.PredictWait(now);

        public void Ask(in StepCall call, Action<Fault?> ended)
        {
            var (read, written) = (call.Elements, call.Rows);
            _step.Ask(call, fault =>
            {
                (TokensIn, TokensOut) = fault is null ? (TokensIn + read, TokensOut + written) : (TokensIn, TokensOut);
                ended(fault);
            });
        }

        private static bool Allows(TokenBucket limit, Instant now)
        {
            limit.Fill(now);
            if (limit.WaitFor(1, default) > TimeSpan.Zero)
                return false;
            limit.Take(1, default);
            return true;
        }
    }
}
