using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.ObjectPool;
using Spillway.Config;
using Spillway.Engine.Drills;
using Spillway.Engine.Gateway;
using Spillway.Engine.Guards;
using Spillway.Engine.Rollout;
using Spillway.Engine.Routes;
using Spillway.Engine.Upstreams;
using Spillway.Flow;
using Spillway.Policies.Switching;
using Spillway.Runtimes;

namespace Spillway.Engine;

/// <summary>
/// Everything that is served: doors by name, the models behind them, the requests in flight. Loads in the background,
/// so
/// that the server answers "still loading" at once; drains on a stop.
/// </summary>
public sealed class Serving : IAsyncDisposable
{
    private readonly DefaultObjectPool<Work> _pool;
    private readonly CancellationTokenSource _stop = new();
    private readonly CancellationTokenSource _over = new();
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ILogger _logger;
    private readonly IReadOnlyList<ModelOptions> _first;
    private volatile ConfigMark _config;
    private int _inFlight;
    private int _stopping;

    /// <summary>Makes the doors of a snapshot; nothing is loaded yet.</summary>
    /// <param name="snapshot">The configuration.</param>
    /// <param name="runtimes">By name; the snapshot was validated against the same ones.</param>
    /// <param name="clock">The clock.</param>
    /// <param name="logger">Where loads and surprises go.</param>
    /// <param name="keys">The keys of upstreams by name, where they have any.</param>
    public Serving(
        Snapshot snapshot, IReadOnlyDictionary<string, IRuntime> runtimes, Clock clock, ILogger<Serving> logger,
        IReadOnlyDictionary<string, IReadOnlyList<string>>? keys = null)
    {
        keys ??= new Dictionary<string, IReadOnlyList<string>>();
        (Clock, _logger, _first) = (clock, logger, snapshot.Models);
        Drills = new(clock);
        Upstreams = OverTensors(snapshot, keys);
        Models = new(
            runtimes, new(snapshot.Groups, clock), snapshot.Residency, clock, logger, _stop.Token, _over.Token)
        {
            Routes = RoutesOverTensors(snapshot),
        };
        Upstreams.Known = Models.Refresh;
        Gateway = OverChats(snapshot, keys);
        _config = snapshot.Mark;
        Guards = new(snapshot, clock, logger, Abort);
        Rollouts = new(snapshot.Routes, clock, logger);
        foreach (var route in Models.Routes.All)
            route.Rollout = () => Rollouts.StateOf(route.Name);
        Pipeline = new(clock, Models, Guards) { Routes = new(this) };
        _pool = new(new WorkPolicy(this), maximumRetained: 4096);
        foreach (var model in snapshot.Models)
            Models.Declare(model, RouteState.Loading);
        Models.Refresh();
    }

    private UpstreamSet OverTensors(Snapshot snapshot, IReadOnlyDictionary<string, IReadOnlyList<string>> keys) => new(
        snapshot.Upstreams.Where(u => !ChatChecks.IsChat(u.Value)).ToDictionary(),
        keys.Where(k => k.Value.Count > 0).ToDictionary(k => k.Key, k => k.Value[0]), Clock, _logger,
        RandomNumberGenerator.GetInt32(int.MaxValue), Drills, snapshot.PriceList);

    private GatewaySet OverChats(Snapshot snapshot, IReadOnlyDictionary<string, IReadOnlyList<string>> keys) =>
        new(snapshot, keys, Clock, _logger, RandomNumberGenerator.GetInt32(int.MaxValue));

    private RouteSet RoutesOverTensors(Snapshot snapshot) => new(
        snapshot.Routes.Where(r => !ChatChecks.IsChat(r.Value, snapshot.Upstreams)).ToDictionary(), Upstreams, Clock)
    {
        IsChat = name => Gateway.Find(name) is not null,
    };

    /// <summary>The clock.</summary>
    public Clock Clock { get; }

    /// <summary>The models that are known and those in memory.</summary>
    public Residents Models { get; }

    /// <summary>The folder of models; null where none is configured. Set before <see cref="Start"/>.</summary>
    public ModelRepository? Repository { get; set; }

    /// <summary>What a drill breaks now.</summary>
    internal DrillSwitch Drills { get; }

    /// <summary>Models elsewhere that routes lead to.</summary>
    internal UpstreamSet Upstreams { get; }

    /// <summary>Language models elsewhere, and the routes over them.</summary>
    internal GatewaySet Gateway { get; }

    /// <summary>The server's log.</summary>
    internal ILogger Logger => _logger;

    /// <summary>The served names of routes over language models.</summary>
    public IEnumerable<string> ChatNames => Gateway.Routes.Select(r => r.Name);

    /// <summary>Why nothing may be answered now: a store that must keep a trace of it fails. Null otherwise.</summary>
    internal Fault? Untraced => Models.Stores.Refusal ?? Pipeline.Audit?.Refusal;

    /// <summary>Kill switches, limits and budgets.</summary>
    public Guarding Guards { get; }

    /// <summary>Models that take the place of others, step by step.</summary>
    internal Rollouts Rollouts { get; }

    /// <summary>What runs requests.</summary>
    public Pipeline Pipeline { get; }

    /// <summary>Every served name and version as it stands, in the order in which they came.</summary>
    public IReadOnlyList<Door> Doors => Models.Catalogue.Doors;

    /// <summary>Requests between translation and record.</summary>
    public int InFlight => Volatile.Read(ref _inFlight);

    /// <summary>The server takes no new work.</summary>
    public bool Stopping => Volatile.Read(ref _stopping) != 0;

    /// <summary>Every model that is to answer does, and the server is not stopping.</summary>
    public bool IsReady =>
        !Stopping && Doors.All(d => d.Route.State is RouteState.Ready or RouteState.Absent or RouteState.Unloaded);

    /// <summary>
    /// The door of a name, or of one version of it; without a version the newest that answers. Null: there is none.
    /// </summary>
    public Door? Find(ReadOnlySpan<char> name, ReadOnlySpan<char> version = default) =>
        Models.Catalogue.Find(name, version) ?? FindSide(name, version);

    /// <summary>A route whose champion or challenger is asked by that name; it goes the route's way, gates, limits and
    /// later steps included.</summary>
    private Door? FindSide(ReadOnlySpan<char> name, ReadOnlySpan<char> side) =>
        Models.Catalogue.Find(name, default) is { Plan: { } plan } && Rollouts.Find(plan.Name) is { } declared
            && Rollouts.ModelOf(declared, side) is { } model ? plan.PinnedTo(model) : null;

    /// <summary>The versions of a name, newest first.</summary>
    public IReadOnlyList<Door> VersionsOf(ReadOnlySpan<char> name) => Models.Catalogue.VersionsOf(name);

    /// <summary>Completes when every load that <see cref="Start"/> began has ended, well or badly.</summary>
    public Task Loaded { get; private set; } = Task.CompletedTask;

    /// <summary>Counts the batches and runs of every deployment to come. Call before <see cref="Start"/>.</summary>
    public void CountIn(Recorder recorder) => Models.Recorder = recorder;

    /// <summary>
    /// Begins to load every model of the configuration, one after the other, off the caller's thread; then, while it
    /// serves already, looks longer at their batch curves.
    /// </summary>
    public void Start()
    {
        Upstreams.Start();
        Gateway.Start();
        var first = Task.WhenAll(_first.Select(Models.ServeAsync));
        Loaded = StartedAsync(Repository is { } repository ? Task.WhenAll(first, repository.StartAsync()) : first);
    }

    /// <summary>A fresh work for a request that begins now.</summary>
    public Work Rent(Instant now)
    {
        Interlocked.Increment(ref _inFlight);
        var work = _pool.Get();
        work.Begin(now);
        work.Config = _config;
        return work;
    }

    /// <summary>The reader is done with a work; returns it when no run still uses it.</summary>
    public void Return(Work work)
    {
        Guards.Desk?.Leave(work);
        work.Release();
        if (Interlocked.Decrement(ref _inFlight) == 0 && Stopping)
            _drained.TrySetResult();
    }

    /// <summary>
    /// Puts another configuration in force, for the next request on: <see cref="ReloadPlan.Next"/>. One caller at a
    /// time.
    /// </summary>
    /// <returns>The upstreams whose keys are others now.</returns>
    internal IReadOnlyList<string> Apply(
        Snapshot snapshot, IReadOnlyDictionary<string, IReadOnlyList<string>> keys)
    {
        List<ChatRoute> before = [.. Gateway.Routes];
        Guards.Apply(snapshot);
        List<string> rotated = [.. Gateway.Apply(snapshot, keys)];
        rotated.AddRange(Upstreams.All.Where(u => u.UseKey(keys.GetValueOrDefault(u.Name) is [var key, ..] ? key : ""))
            .Select(u => u.Name));
        _config = snapshot.Mark;
        Models.Recorder?.Reloaded(snapshot, before);
        return rotated;
    }

    /// <summary>
    /// Takes no new work and waits for what is in flight, up to a limit; true when nothing was cut off.
    /// </summary>
    public async Task<bool> DrainAsync(TimeSpan most)
    {
        Volatile.Write(ref _stopping, 1);
        // What was accepted is answered as well as it can be.
        Drills.Set(null);
        await _stop.CancelAsync().ConfigureAwait(false);
        try
        {
            return InFlight == 0 || await DrainedAsync(most).ConfigureAwait(false);
        }
        finally
        {
            await _over.CancelAsync().ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Follows work that no request waits for, which counts as in flight by itself: a bug in it is told.
    /// </summary>
    internal async Task WatchAsync(string route, Task beside)
    {
        try
        {
            await beside.ConfigureAwait(false);
        }
        catch (Exception surprise)
        {
            Log.BesideThrew(_logger, route, surprise);
        }
    }

    private async Task<bool> DrainedAsync(TimeSpan most)
    {
        Log.Draining(_logger, InFlight, most.TotalMilliseconds);
        try
        {
            await _drained.Task.WaitAsync(most, Clock.Time).ConfigureAwait(false);
            return true;
        }
        catch (TimeoutException)
        {
            Log.DrainOver(_logger, InFlight);
            return false;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _over.CancelAsync().ConfigureAwait(false);
        if (Repository is { } repository)
            await repository.DisposeAsync().ConfigureAwait(false);
        await Upstreams.DisposeAsync().ConfigureAwait(false);
        await Gateway.DisposeAsync().ConfigureAwait(false);
        await Models.DisposeAsync().ConfigureAwait(false);
        Models.Routes.Dispose();
        await Guards.DisposeAsync().ConfigureAwait(false);
        _stop.Dispose();
        _over.Dispose();
    }

    /// <summary>Ends what is in flight of a target that was switched off; how many that were.</summary>
    private int Abort(SwitchTarget target, Fault fault) => Doors
        .Select(d => d.Deployment).OfType<Deployment>().Distinct()
        .Sum(d => d.CancelWhere(work => Concerns(target, work), fault))
        + Upstreams.Abort(work => Concerns(target, work), fault) + Gateway.Abort(target, fault);

    /// <summary>A work is its model's, and of every route that it came through.</summary>
    private static bool Concerns(SwitchTarget target, Work work)
    {
        var model = work.Door.Route.Deployment;
        for (var at = work; at is not null; (at, model) = (at.Whole, ""))
        {
            if (target.Concerns(work.Caller.Tenant, model, at.Door.Route.Model.Name))
                return true;
        }

        return false;
    }

    private async Task StartedAsync(Task loads)
    {
        await loads.ConfigureAwait(false);
        Models.HasStarted = true;
    }

    private sealed class WorkPolicy(Serving owner) : PooledObjectPolicy<Work>
    {
        public override Work Create() => new(owner._pool.Return);

        public override bool Return(Work work)
        {
            work.Reset();
            return true;
        }
    }
}
