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
/// limits, lines, second copies, rate limits and budgets (<see cref="RouteWorld"/>) over upstreams with a time, a
/// limit, faults and a price. An answer counts for the route when it begins, as for the live one; its further tokens
/// follow by the upstream's time for each.
/// </summary>
internal sealed class RoutedSite : Site, IActor
{
    /// <summary>The first of a month, and a Monday: a plan has days of the week and no date.</summary>
    private static readonly DateTime s_firstMonday = new(2026, 6, 1, 0, 0, 0, DateTimeKind.Utc);

    private readonly RouteWorld _route;
    private readonly Provider?[] _steps;
    private readonly Chance _chance;
    private readonly Chance _keyChance;
    private readonly RouteGate? _gate;
    private readonly string[][] _keys;
    private readonly WorkloadOptions[] _workloads;
    private readonly long[] _writtenMax;
    private readonly Dictionary<int, RouteAnswer> _underWay = [];
    private long _runTicks;

    /// <summary>A site.</summary>
    public RoutedSite(string name, SiteOptions options, Plan plan, string variantName, Simulation home)
        : base(name, options, home)
    {
        var (variant, chain) = (plan.Options.Variants[variantName],
            UpstreamChain.Of(plan.Options.Variants[variantName], variantName));
        (_chance, _keyChance) = (new(home.Seed, $"answers {name}"), new(home.Seed, $"keys {name}"));
        _steps = [.. chain.Steps.Select(step => step.Kind is ChainStepKind.Model ? new Provider(
            step.Model, plan.Options.Variants[step.Model].Upstream!, $"{name} {step.Model}", home) : null)];
        var models = _steps.OfType<Provider>().ToDictionary(p => p.Name, p => (IStepWorld)p, StringComparer.Ordinal);
        var route = variant.Route ?? new();
        _route = new(variantName,
            new() { Chain = chain, Cache = route.Cache, DeadlineMs = route.DeadlineMs }, models, home.Calendar,
            SeedOf(home, name))
        {
            Ended = Ended, EndsLater = true, Gate = _gate = GateOf(plan, variantName, chain, route, home),
        };
        DeadlineMs = route.DeadlineMs;
        _workloads = [.. plan.Options.Workloads];
        _keys = [.. _workloads.Select(w => Enumerable.Range(0, w.Keys).Select(
            i => FormattableString.Invariant($"{w.Tenant}-{i}")).ToArray())];
        _writtenMax = [.. _workloads.Select(w => (long)(plan.Traces.GetValueOrDefault(w.Name)?.TokensOut?.Max()
            ?? w.TokensOut?.Max ?? 0))];
    }

    /// <inheritdoc/>
    public override int Ready => Lost ? 0 : 1;

    /// <inheritdoc/>
    public override IReadOnlyList<GateCount> Turned => _gate?.Counts ?? [];

    /// <inheritdoc/>
    public override (long Retries, long Hedges) Again =>
        (_steps.OfType<Provider>().Sum(p => p.Retries), _steps.OfType<Provider>().Sum(p => p.Hedges));

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
        var (arrival, workload, keys) = (ride.Arrival, _workloads[ride.Workload], _keys[ride.Workload]);
        _route.Arrive(ride.Index.ToString(CultureInfo.InvariantCulture), Now, new(Simulation.KeyOf(ride))
        {
            PassesCache = arrival.Key < 0, Timeout = patience, Rows = arrival.TokensOut, Elements = arrival.TokensIn,
            Tenant = workload.Tenant, Key = keys[keys.Length == 1 ? 0 : (int)(_keyChance.Next() * keys.Length)],
            Bytes = (long)workload.BytesIn, TokensRead = arrival.TokensIn, TokensWritten = arrival.TokensOut,
            TokensWrittenMax = Math.Max(arrival.TokensOut, _writtenMax[ride.Workload]),
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
        if (_underWay.Remove(which, out var answer))
            _route.Settle(answer);
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

    private static RouteGate? GateOf(
        Plan plan, string name, ChainOptions chain, PlanRouteOptions route, Simulation home)
    {
        if (route.Limits.Rates.Count == 0 && route.Budgets.Count == 0)
            return null;
        (string?, StepPrice?) StepOf(ChainStepOptions step) => step.Kind is ChainStepKind.Model
            && plan.Options.Variants[step.Model].Upstream is { } upstream
            ? (step.Model, new((decimal)upstream.PricePerMillionIn, (decimal)upstream.PricePerMillionOut))
            : (null, null);
        var began = s_firstMonday.AddDays(plan.Options.StartDay).AddHours(plan.Options.StartHour);
        return new(name, new(route.Limits.Rates, route.Budgets, route.Limits.Weights, began),
            [.. chain.Steps.Select(StepOf)], home.Calendar);
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
            _route.Settle(answer);
            Home.Finish(ride, fault.Kind);
            return;
        }

        ride.FromCache = answer.Joined || answer.Cache is CacheStep.Hit or CacheStep.Stale;
        // As with every cache of a plan: its answers have no first token of their own.
        ride.First = tokens > 0 && !ride.FromCache ? Now : Instant.Never;
        if (!ride.FromCache && answer.Step >= 0 && _steps[answer.Step] is { } provider
            && tokens > 1 && provider.Options.PerTokenMs > 0)
        {
            GoOn(ride, answer, provider);
            return;
        }

        _route.Settle(answer);
        Home.Finish(ride, null);
    }

    /// <summary>The further tokens of an answer that has begun.</summary>
    private void GoOn(Ride ride, RouteAnswer answer, Provider provider)
    {
        var rest = TimeSpan.FromMilliseconds(provider.Options.PerTokenMs * (ride.Arrival.TokensOut - 1)
            * _chance.LogNormal(1, provider.Options.Variation));
        _runTicks += (Now - answer.Came + rest).Ticks;
        _underWay.Add(ride.Index, answer);
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
            _step = new(name, (options.Policies ?? new()).Whole, Targets, home.Calendar, seed)
            {
                KeepsCalls = false, Wasted = call => TokensIn += call.Elements,
            };
        }

        public string Name { get; }

        public UpstreamTimesOptions Options { get; }

        public IReadOnlyList<SimulatedTarget> Targets { get; }

        public long Retries => _step.Retries;

        public long Hedges => _step.Hedges;

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
