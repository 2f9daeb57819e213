using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using Spillway.Config;
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
/// <remarks>
/// This file is long because what is declared, in memory and behind the doors changes together, over one lock.
/// </remarks>
public sealed partial class Residents : IAsyncDisposable
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
    private readonly HashSet<ModelRef> _yielding = [];
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
        Residency = new(residency, runtimes, clock)
        {
            Load = Enqueue, Declared = Declared, Unload = EvictAsync, Look = Look,
        };
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
    public async Task<Fault?> LoadAsync(ModelOptions options)
    {
        if (_stop.IsCancellationRequested)
            return new(FaultKind.ShuttingDown, "The server is stopping and loads nothing.");
        if (Declare(options, RouteState.Loading) is { } taken)
        {
            Log.NotServed(_logger, options.Name, taken.Message);
            return taken;
        }

        // One in place of another is loaded beside it, and what it really takes is counted then.
        var load = Residency.IsLimited(options) && !IsResident(options)
            ? Residency.LoadAsync(options) : Enqueue(options);
        var fault = await load.ConfigureAwait(false);
        // Also one that was refused before it began must not be awaited at its doors.
        if (fault is not null && !IsResident(options))
            Failed(options, fault);
        return fault;
    }

    /// <summary>
    /// Serves a model version that was found: loads it as <see cref="LoadAsync"/> does, or, where its device has a
    /// budget and no room is left, knows it and loads it when it is wanted.
    /// </summary>
    public Task<Fault?> ServeAsync(ModelOptions options)
    {
        if (!Residency.IsLimited(options) || IsResident(options) || Residency.Fits(options))
            return LoadAsync(options);
        var taken = Declare(options, RouteState.Absent);
        // An older declaration that was loaded at this moment is replaced.
        return taken is null && IsResident(options) ? LoadAsync(options) : Task.FromResult(taken);
    }

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
            _resident.Remove(Key(options), out var load);
            Catalogue = _catalogue.With([.. doors.Select(d => d.Close(state, "")), .. TakenOver(load, doors)]);
            Log.Unloading(_logger, options.Name, options.Version);
            if (load is null)
                return Task.CompletedTask;
            _unloading.UnionWith(doors.Select(d => d.Route.Model));
            return UnloadAsync(load, doors);
        }
    }

    /// <summary>Doors that lead to it still, though another model has their names now. Under the lock.</summary>
    private List<Door> TakenOver(ModelLoad? load, List<Door> own) => load is null ? [] :
    [
        .. _catalogue.Doors.Where(
                d => d.Plan is null && ReferenceEquals(d.Deployment, load.Deployment) && !own.Contains(d))
            .Select(d => TakenOver(d.Route.Model)),
    ];

    /// <summary>
    /// The door of another model that is not loaded, and is when it is wanted; or whose load failed, so that what it
    /// was before serves on without this name.
    /// </summary>
    private Door TakenOver(ModelRef name)
    {
        var other = _declared[name];
        var door = DoorSet.Closed(other, name, RouteState.Absent);
        return _resident.ContainsKey(Key(other))
            ? door.Close(RouteState.Failed, $"and the {other.Name} that serves on does not have this name") : door;
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
            _yielding.Add(Key(options));
    }

    /// <summary>It is not removed after all; the names that another one has taken over stay with that one.</summary>
    internal void Stay(ModelOptions options)
    {
        lock (_changing)
            _yielding.Remove(Key(options));
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
            _yielding.Remove(Key(options));
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
            isBack = _declared.Values.Any(o => IsSame(o, options));
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

    /// <summary>Whether two declarations are of one model version.</summary>
    private static bool IsSame(ModelOptions one, ModelOptions other) =>
        one.Version == other.Version && one.Name == other.Name;

    /// <summary>As it is declared now; as it was, when it is not any more.</summary>
    private ModelOptions Declared(ModelOptions options)
    {
        lock (_changing)
            return _declared.Values.FirstOrDefault(o => IsSame(o, options)) ?? options;
    }

    /// <summary>
    /// Whether a load of exactly this declaration may open a door: it is the last one, and nobody unloaded it since.
    /// </summary>
    private bool IsWanted(ModelOptions options, ModelRef model)
    {
        lock (_changing)
        {
            return _declared.TryGetValue(model, out var own) && ReferenceEquals(own, options)
                && _catalogue.Find(model.Name, model.Version) is not { Route.State: RouteState.Unloaded };
        }
    }

    private static Fault TooLate(ModelOptions options) => new(
        FaultKind.ModelNotReady,
        $"Model {options.Name} version {options.Version} is not loaded: it came too late, it was unloaded, removed or "
        + "loaded anew meanwhile, or the server ends. Retry in a second.",
        TimeSpan.FromSeconds(1));

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
                    && !_yielding.Contains(Key(other)))
                {
                    return new(FaultKind.LoadFailed, $"{options.Name} cannot be served as {model}: {other.Name} is. "
                        + "Give one of them another name or version (model.yaml: serve, version).");
                }

                // One of another model that goes answers until then, unless nobody is to come after it by itself.
                if (_catalogue.Find(model.Name, model.Version) is not { Route.State: RouteState.Ready } door
                    || (state is RouteState.Unloaded && door.Options.Name != options.Name))
                    doors.Add(DoorSet.Closed(options, model, state));
            }

            // Also the names that it is about to lose, which lead to the older one until it is loaded.
            var names = _declared.Where(d => IsSame(d.Value, options)).Select(d => d.Key)
                .Concat(DoorSet.Names(options).Select(n => n.Model)).ToList();
            foreach (var model in names)
                _declared[model] = options;
            Catalogue = _catalogue.With(doors);
            return null;
        }
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
        [.. _catalogue.Doors.Where(d => _declared.TryGetValue(d.Route.Model, out var own) && IsSame(own, options))];

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
