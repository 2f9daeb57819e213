using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using Spillway.Config;
using Spillway.Engine.Audit;
using Spillway.Engine.Billing;
using Spillway.Engine.Canary;
using Spillway.Engine.Routes;
using Spillway.Flow;
using Spillway.Policies.Residency;
using Spillway.Runtimes;
using Spillway.Store.Provenance;

namespace Spillway.Engine;

/// <summary>
/// The models that are known and those in memory. A replacement is loaded beside the one that serves; then the doors
/// lead to it, and the old one ends when the last request that it holds has ended. A request that meets a deployment at
/// the moment of its closing looks its door up again, so that none is dropped.
/// </summary>
/// <remarks>This file is long because every change of the doors, over one lock, stands in it.</remarks>
public sealed class Residents : IAsyncDisposable
{
    /// <summary>Loads that may wait; a repository has fewer models.</summary>
    private const int LoadsMax = 16_384;

    /// <summary>
    /// What a probe may take by default, and as much for the load; then the next one waits no longer.
    /// </summary>
    private static readonly TimeSpan s_loadPatience = TimeSpan.FromSeconds(120);

    private static readonly TimeSpan s_lookPause = TimeSpan.FromMilliseconds(50);

    private readonly IReadOnlyDictionary<string, IRuntime> _runtimes;
    private readonly Devices _devices;
    private readonly Clock _clock;
    private readonly ILogger _logger;
    private readonly CancellationToken _stop;
    private readonly CancellationToken _over;
    private readonly Jobs _loads;
    private readonly Jobs _looks;
    private readonly Lock _changing = new();
    private readonly Dictionary<ModelRef, ModelOptions> _declared = [];
    private readonly Dictionary<ModelRef, ModelLoad> _resident = [];
    private readonly HashSet<Task> _retiring = [];

    /// <summary>By declaration: a changed file or option makes another one.</summary>
    private readonly ConditionalWeakTable<ModelOptions, CurveMemory> _curves = [];
    private readonly HashSet<ModelRef> _unloading = [];
    private readonly HashSet<string> _yielding = new(StringComparer.Ordinal);
    private long _orders;
    private volatile Catalogue _catalogue = Catalogue.Empty;

    internal Residents(IReadOnlyDictionary<string, IRuntime> runtimes, Devices devices, ResidencyOptions residency,
        Clock clock, ILogger logger, CancellationToken stop, CancellationToken over)
    {
        (_runtimes, _devices, _clock, _logger) = (runtimes, devices, clock, logger);
        // The first ends loads; the second, when the drain is over, cuts off what unloaded models still answer.
        (_stop, _over) = (stop, over);
        _loads = new(LoadsMax, clock.Time) { Patience = s_loadPatience, Surprised = e => Log.JobThrew(_logger, e) };
        _looks = new(LoadsMax, clock.Time) { Surprised = e => Log.JobThrew(_logger, e) };
        Costs = new(prices: null, clock);
        Residency = new(residency, runtimes, clock) { Load = Enqueue, Unload = EvictAsync, Look = Look };
    }

    /// <summary>Which models are in memory where memory has a budget, and who waits for one that is away.</summary>
    internal Residency Residency { get; }

    /// <summary>What counts the deployments to come.</summary>
    internal Recorder? Recorder { get; set; }

    /// <summary>Whether what must leave a trace may begin.</summary>
    internal StoreWatch Stores { get; } = new();

    /// <summary>What runs cost. Set before the first load.</summary>
    internal Costs Costs { get; set; }

    /// <summary>Probes models before they are loaded here; null loads them at once.</summary>
    public CanaryGate? Canary { get; set; }

    /// <summary>Judges models before they are loaded; null asks nobody. Set before the first load.</summary>
    internal ModelTrust? Trust { get; set; }

    /// <summary>What is to be there at start is there, or failed.</summary>
    internal bool HasStarted { get; set; }

    /// <summary>Routes over the models. Set before the first model is declared.</summary>
    internal RouteSet Routes { get; init; } = null!;

    /// <summary>What is served now.</summary>
    internal Catalogue Catalogue
    {
        get => _catalogue;
        private set => _catalogue = Routes.Over(value);
    }

    /// <summary>What routes lead to has changed beside the models: an upstream is known now.</summary>
    internal void Refresh()
    {
        lock (_changing)
            Catalogue = _catalogue;
    }

    /// <summary>
    /// Loads a model version, or another one in place of the one of that name and version, which serves until then and
    /// goes on when the load fails.
    /// </summary>
    /// <returns>Null when it answers; else why it does not.</returns>
    public Task<Fault?> LoadAsync(ModelOptions options)
    {
        if (_stop.IsCancellationRequested)
            return Task.FromResult<Fault?>(new(FaultKind.ShuttingDown, "The server is stopping and loads nothing."));
        if (Declare(options, RouteState.Loading) is { } taken)
        {
            Log.NotServed(_logger, options.Name, taken.Message);
            return Task.FromResult<Fault?>(taken);
        }

        // One in place of another is loaded beside it, and what it really takes is counted then.
        return Residency.IsLimited(options) && !IsResident(options) ? Residency.LoadAsync(options) : Enqueue(options);
    }

    /// <summary>
    /// Serves a model version that was found: loads it as <see cref="LoadAsync"/> does, or, where its device has a
    /// budget and no room is left, knows it and loads it when it is wanted.
    /// </summary>
    public Task<Fault?> ServeAsync(ModelOptions options) =>
        Residency.IsLimited(options) && !IsResident(options) && !Residency.Fits(options)
            ? Task.FromResult(Declare(options, RouteState.Absent))
            : LoadAsync(options);

    /// <summary>Makes a model version known without loading it.</summary>
    /// <param name="options">What to load when it is wanted.</param>
    /// <param name="onDemand">Whether the first request loads it; else somebody must ask for it.</param>
    /// <returns>Null, or why it cannot be served.</returns>
    public Fault? Declare(ModelOptions options, bool onDemand) =>
        Declare(options, onDemand ? RouteState.Absent : RouteState.Unloaded);

    /// <summary>
    /// A model is wanted: waits until its name answers. Null, or why it does not; at once when somebody loaded it, or
    /// removed it, meanwhile. Throws when the caller left or its patience ended.
    /// </summary>
    /// <param name="door">A model's, not a route's.</param>
    /// <param name="patience">How long the request would wait.</param>
    /// <param name="aborted">The caller is gone.</param>
    internal Task<Fault?> WantAsync(Door door, TimeSpan patience, CancellationToken aborted)
    {
        ModelOptions? options;
        lock (_changing)
            _declared.TryGetValue(door.Route.Model, out options);
        return options is null
            ? Task.FromResult<Fault?>(Refusals.Removed(door.Route))
            : Residency.WantAsync(options, patience, aborted);
    }

    /// <summary>Takes a model version out of memory when its last request has ended; its names stay known.</summary>
    /// <param name="options">As it was declared.</param>
    /// <param name="state">What its doors are then: Unloaded, or Absent when the next request loads it again.</param>
    /// <returns>Completes when it is gone.</returns>
    public async Task UnloadAsync(ModelOptions options, RouteState state = RouteState.Unloaded)
    {
        var counted = Residency.Leave(Key(options));
        await EndAsync(options, state).ConfigureAwait(false);
        if (counted)
            Residency.Left(Key(options));
    }

    private Task EvictAsync(ModelOptions options) => EndAsync(options, RouteState.Absent);

    private Task EndAsync(ModelOptions options, RouteState state)
    {
        lock (_changing)
        {
            var doors = OwnDoors(options);
            Catalogue = _catalogue.With([.. doors.Select(d => d.Close(state, ""))]);
            Log.Unloading(_logger, options.Name, options.Version);
            if (!_resident.Remove(Key(options), out var load))
                return Task.CompletedTask;
            _unloading.UnionWith(doors.Select(d => d.Route.Model));
            return UnloadAsync(load, doors);
        }
    }

    /// <summary>Whether a served name and version still answers what it held when it was unloaded.</summary>
    internal bool IsUnloading(ModelRef model)
    {
        lock (_changing)
            return _unloading.Contains(model);
    }

    /// <summary>
    /// A model is about to be removed: another one may take over its names, each without a gap. Ends with
    /// <see cref="RemoveAsync"/>.
    /// </summary>
    internal void Yield(ModelOptions options)
    {
        lock (_changing)
            _yielding.Add(options.Name);
    }

    /// <summary>Unloads a model version, and knows its names no more.</summary>
    public Task RemoveAsync(ModelOptions options)
    {
        lock (_changing)
        {
            var names = OwnDoors(options).Select(d => d.Route.Model).ToList();
            var gone = UnloadAsync(options);
            Catalogue = _catalogue.Without(names);
            foreach (var name in names)
                _declared.Remove(name);
            if (!_declared.Values.Any(o => o.Name == options.Name))
                _yielding.Remove(options.Name);
            // What it held is counted before.
            return gone.ContinueWith(
                _ =>
                {
                    Forget(options, names);
                },
                CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        }
    }

    /// <summary>Its series end, but for those of names that are known again meanwhile.</summary>
    private void Forget(ModelOptions options, List<ModelRef> names)
    {
        bool isBack;
        lock (_changing)
        {
            isBack = _declared.Values.Any(o => Key(o) == Key(options));
            names.RemoveAll(_declared.ContainsKey);
        }

        if (!isBack)
            Residency.Forget(Key(options));
        Recorder?.Removed(isBack ? null : Key(options), names);
    }

    /// <summary>Whether a served name and version is executed by nothing real.</summary>
    internal bool IsSimulated(ModelRef model)
    {
        lock (_changing)
            return _declared.TryGetValue(model, out var options) && options.Runtime == "simulated";
    }

    private async Task UnloadAsync(ModelLoad load, List<Door> doors)
    {
        await Retire(load).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        lock (_changing)
            _unloading.ExceptWith(doors.Select(d => d.Route.Model));
    }

    private static ModelRef Key(ModelOptions options) =>
        new(options.Name, options.Version.ToString(System.Globalization.CultureInfo.InvariantCulture));

    /// <summary>
    /// Its names are known and lead to it, or nowhere yet; a fault when another model has one of them.
    /// </summary>
    internal Fault? Declare(ModelOptions options, RouteState state)
    {
        lock (_changing)
        {
            List<Door> doors = [];
            foreach (var (model, _) in DoorSet.Names(options))
            {
                if (Routes.Has(model.Name))
                {
                    return new(FaultKind.LoadFailed, $"{options.Name} cannot be served as {model}: a route of that "
                        + "name is. Give one of them another name (routes in the configuration, serve in model.yaml).");
                }

                if (_declared.TryGetValue(model, out var other) && other.Name != options.Name
                    && !_yielding.Contains(other.Name))
                {
                    return new(FaultKind.LoadFailed, $"{options.Name} cannot be served as {model}: {other.Name} is. "
                        + "Give one of them another name or version (model.yaml: serve, version).");
                }

                if (_catalogue.Find(model.Name, model.Version) is not { Route.State: RouteState.Ready })
                    doors.Add(DoorSet.Closed(options, model, state));
            }

            foreach (var (model, _) in DoorSet.Names(options))
                _declared[model] = options;
            Catalogue = _catalogue.With(doors);
            return null;
        }
    }

    private Task<Fault?> Enqueue(ModelOptions options)
    {
        var order = Interlocked.Increment(ref _orders);
        var done = new TaskCompletionSource<Fault?>(TaskCreationOptions.RunContinuationsAsynchronously);
        if (!_loads.TryAdd(() => done.SetResult(Load(options, order)),
            () => Log.LoadIsLate(_logger, options.Name, options.Version, s_loadPatience.TotalSeconds)))
            done.SetResult(new(FaultKind.ServerFull, $"{LoadsMax:N0} loads wait already. Retry later.",
                TimeSpan.FromSeconds(1)));
        return UnlessOverAsync(done.Task);
    }

    /// <summary>A load that does not end must not keep the server from ending, when its drain is over.</summary>
    private async Task<Fault?> UnlessOverAsync(Task<Fault?> load)
    {
        try
        {
            return await load.WaitAsync(_over).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return new(FaultKind.ShuttingDown, "The server is stopping and loads nothing.");
        }
    }

    /// <summary>On a loading thread. Never throws: whatever a load throws is a fault of that model alone.</summary>
    private Fault? Load(ModelOptions options, long order)
    {
        try
        {
            var runtime = _runtimes[options.Runtime];
            for (var attempt = 1; ; attempt++)
            {
                if (!ModelJudge.Judge(Trust, options, runtime, _logger, _stop).TryGet(out var judged, out var refused)
                    || (refused = Probe(options, runtime, judged.Provenance)) is not null)
                {
                    Log.LoadFailed(_logger, options.Name, options.Version, refused.Message);
                    Failed(options, refused);
                    return refused;
                }

                using var mark = Canary is null ? null : CanaryProbe.Mark(options, runtime);
                var fault = Open(options, runtime, order, judged);
                if (!judged.HasChanged || attempt == ModelJudge.AttemptsMax)
                    return fault;
            }
        }
#pragma warning disable CA1031 // The one border of a load: the next one must be done whatever this one did.
        catch (Exception surprise)
#pragma warning restore CA1031
        {
            var fault = new Fault(FaultKind.LoadFailed, $"{surprise.GetType().Name}: {surprise.Message}");
            Log.LoadFailed(_logger, options.Name, options.Version, fault.Message);
            Failed(options, fault);
            return fault;
        }
    }

    /// <summary>Null, or why it must not be loaded here. To hash a file costs a tenth of another probe of it.</summary>
    private Fault? Probe(ModelOptions options, IRuntime runtime, ModelProvenance provenance)
    {
        if (Canary is null || !Canary.IsDue(options, runtime, HasStarted))
            return null;
        var digest = provenance.Digest.Length > 0 ? provenance.Digest : ModelJudge.DigestOf(options, runtime);
        return Canary.Check(options, runtime, digest, _stop);
    }

    private Fault? Open(ModelOptions options, IRuntime runtime, long order, JudgedModel judged)
    {
        var load = New(options, runtime, order, judged);
        var closed = DoorSet.Names(options).Select(n => DoorSet.Closed(options, n.Model, RouteState.Loading)).ToList();
        if (!load.Open(closed, _stop).TryGet(out var doors, out var fault))
        {
            load.Dispose();
            Failed(options, fault);
            return fault;
        }

        foreach (var door in doors)
            Recorder?.Instruments(door);
        if (Open(options, load, doors) is not { } replaces)
        {
            load.Dispose();
            return new(FaultKind.LoadFailed, "it came too late: another load of it, or the server's end, was first");
        }

        if (replaces)
            Residency.Resized(Key(options), load.MemoryBytes);
        Recorder?.Opened(doors[0].Deployment!);
        _looks.TryAdd(() => Look(load));
        return null;
    }

    private ModelLoad New(ModelOptions options, IRuntime runtime, long order, JudgedModel judged) =>
        new(options, runtime, _clock, _logger)
        {
            Order = order, Judged = judged,
            Instruments = Recorder is { } recorder ? recorder.Open : null,
            Billing = (traits, devices) => Costs.Open(options, traits, devices),
            CurvesInMemory = _curves.GetValue(options, static _ => new()),
            Sharing = deployment => deployment.Share(_devices, options.Sharing),
        };

    /// <summary>
    /// From now on its doors lead to it; whether it takes the place of another one, which ends. Null when it is too
    /// late: a load that was asked for after it is there, or nothing is served any more.
    /// </summary>
    private bool? Open(ModelOptions options, ModelLoad load, IReadOnlyList<Door> doors)
    {
        lock (_changing)
        {
            if (_over.IsCancellationRequested
                || (_resident.TryGetValue(Key(options), out var newer) && newer.Order > load.Order))
                return null;
            var gone = OwnDoors(options).Select(d => d.Route.Model).Except(doors.Select(d => d.Route.Model)).ToList();
            Catalogue = _catalogue.Without(gone).With(doors);
            foreach (var name in gone)
                _declared.Remove(name);
            if (_resident.Remove(Key(options), out var old))
                Retire(old);
            _resident[Key(options)] = load;
            return old is not null;
        }
    }

    private void Failed(ModelOptions options, Fault fault)
    {
        // One that was there before may come back with the next attempt.
        var state = Residency.WasLoaded(Key(options)) ? RouteState.Absent : RouteState.Failed;
        lock (_changing)
        {
            if (_resident.ContainsKey(Key(options)))
                Log.OldGoesOn(_logger, options.Name, options.Version);
            else
                Catalogue = _catalogue.With([.. OwnDoors(options)
                    .Select(d => d.Close(state, fault.Message))]);
        }
    }

    /// <summary>On the measuring thread: only when nothing is being loaded.</summary>
    private void Look(ModelLoad load)
    {
        while (!_loads.IsIdle)
        {
            if (_stop.WaitHandle.WaitOne(s_lookPause))
                return;
        }

        load.Refine(_stop);
    }

    private bool IsResident(ModelOptions options)
    {
        lock (_changing)
            return _resident.ContainsKey(Key(options));
    }

    /// <summary>Memory that a model in memory takes; null when it is away, or nobody can tell.</summary>
    internal long? MemoryOf(ModelRef model) => Look(model).Bytes;

    private Sight Look(ModelRef model)
    {
        ModelLoad? load;
        lock (_changing)
            _resident.TryGetValue(model, out load);
        return load?.Look() ?? default;
    }

    private List<Door> OwnDoors(ModelOptions options) =>
        [.. _catalogue.Doors.Where(d => _declared.TryGetValue(d.Route.Model, out var own) && Key(own) == Key(options))];

    private Task Retire(ModelLoad load)
    {
        var gone = load.RetireAsync(_over);
        _retiring.RemoveWhere(t => t.IsCompleted);
        _retiring.Add(gone);
        return gone;
    }

    /// <summary>After the server's stop: what is loading ends, and everything is gone.</summary>
    public async ValueTask DisposeAsync()
    {
        Residency.Dispose();
        await _loads.DisposeAsync().ConfigureAwait(false);
        await _looks.DisposeAsync().ConfigureAwait(false);
        Task[] retiring;
        List<ModelLoad> resident;
        lock (_changing)
        {
            retiring = [.. _retiring];
            resident = [.. _resident.Values];
            _resident.Clear();
        }

        await Task.WhenAll(retiring).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (var load in resident)
            load.Dispose();
    }
}
