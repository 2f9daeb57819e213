using Microsoft.Extensions.Logging;
using Spillway.Config;
using Spillway.Engine.Billing;
using Spillway.Engine.Canary;
using Spillway.Flow;
using Spillway.Runtimes;

namespace Spillway.Engine;

/// <summary>
/// The models that are known and those in memory. A replacement is loaded beside the one that serves; then the doors
/// lead to it, and the old one ends when the last request that it holds has ended. A request that meets a deployment at
/// the moment of its closing looks its door up again, so that none is dropped.
/// </summary>
public sealed class Residents : IAsyncDisposable
{
    /// <summary>Loads that may wait; a repository has fewer models.</summary>
    private const int LoadsMax = 16_384;

    private static readonly TimeSpan s_lookPause = TimeSpan.FromMilliseconds(50);

    private readonly IReadOnlyDictionary<string, IRuntime> _runtimes;
    private readonly Devices _devices;
    private readonly Clock _clock;
    private readonly ILogger _logger;
    private readonly CancellationToken _stop;
    private readonly Jobs _loads = new(LoadsMax);
    private readonly Jobs _looks = new(LoadsMax);
    private readonly Lock _changing = new();
    private readonly Dictionary<ModelRef, ModelOptions> _declared = [];
    private readonly Dictionary<ModelRef, ModelLoad> _resident = [];
    private readonly Dictionary<ModelRef, Task<Fault?>> _demanded = [];
    private readonly HashSet<Task> _retiring = [];
    private readonly HashSet<ModelRef> _unloading = [];
    private volatile Catalogue _catalogue = Catalogue.Empty;

    internal Residents(IReadOnlyDictionary<string, IRuntime> runtimes, Devices devices, Clock clock, ILogger logger,
        CancellationToken stop)
    {
        (_runtimes, _devices, _clock, _logger, _stop) = (runtimes, devices, clock, logger, stop);
        Costs = new(prices: null, clock);
    }

    /// <summary>What counts the deployments to come.</summary>
    internal Recorder? Recorder { get; set; }

    /// <summary>Whether what must leave a trace may begin.</summary>
    internal StoreWatch Stores { get; } = new();

    /// <summary>What runs cost. Set before the first load.</summary>
    internal Costs Costs { get; set; }

    /// <summary>Probes models before they are loaded here; null loads them at once.</summary>
    public CanaryGate? Canary { get; set; }

    /// <summary>What is to be there at start is there, or failed.</summary>
    internal bool HasStarted { get; set; }

    /// <summary>What is served now.</summary>
    internal Catalogue Catalogue => _catalogue;

    /// <summary>
    /// Loads a model version, or another one in place of the one of that name and version, which serves until then and
    /// goes on when the load fails.
    /// </summary>
    /// <returns>Null when it answers; else why it does not.</returns>
    public Task<Fault?> LoadAsync(ModelOptions options)
    {
        if (_stop.IsCancellationRequested)
            return Task.FromResult<Fault?>(new(FaultKind.ShuttingDown, "The server is stopping and loads nothing."));
        return Declare(options, RouteState.Loading) is { } taken ? Task.FromResult<Fault?>(taken) : Enqueue(options);
    }

    /// <summary>Makes a model version known without loading it.</summary>
    /// <param name="options">What to load when it is wanted.</param>
    /// <param name="onDemand">Whether the first request loads it; else somebody must ask for it.</param>
    /// <returns>Null, or why it cannot be served.</returns>
    public Fault? Declare(ModelOptions options, bool onDemand) =>
        Declare(options, onDemand ? RouteState.Absent : RouteState.Unloaded);

    /// <summary>
    /// The door's model is wanted: loads it unless somebody did. Null when its name answers; else why not.
    /// </summary>
    internal Task<Fault?> DemandAsync(Door door)
    {
        lock (_changing)
        {
            if (!_declared.TryGetValue(door.Route.Model, out var options))
                return Task.FromResult<Fault?>(null);
            var key = Key(options);
            if (_demanded.TryGetValue(key, out var already))
                return already;
            // Its doors stay as they are: whoever comes meanwhile waits too.
            var load = Enqueue(options);
            _demanded[key] = load;
            _ = load.ContinueWith(
                (_, served) =>
                {
                    lock (_changing)
                        _demanded.Remove((ModelRef)served!);
                },
                key, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
            return load;
        }
    }

    /// <summary>Takes a model version out of memory when its last request has ended; its names stay known.</summary>
    /// <param name="options">As it was declared.</param>
    /// <param name="state">What its doors are then: Unloaded, or Absent when the next request loads it again.</param>
    /// <returns>Completes when it is gone.</returns>
    public Task UnloadAsync(ModelOptions options, RouteState state = RouteState.Unloaded)
    {
        lock (_changing)
        {
            var doors = OwnDoors(options);
            _catalogue = _catalogue.With([.. doors.Select(d => d.Close(state, ""))]);
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

    /// <summary>Unloads a model version, and knows its names no more.</summary>
    public Task RemoveAsync(ModelOptions options)
    {
        lock (_changing)
        {
            var names = OwnDoors(options).Select(d => d.Route.Model).ToList();
            var gone = UnloadAsync(options);
            _catalogue = _catalogue.Without(names);
            foreach (var name in names)
                _declared.Remove(name);
            // What it held is counted before.
            return gone.ContinueWith(
                _ => Recorder?.Removed(Key(options), names),
                CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        }
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
                if (_declared.TryGetValue(model, out var other) && other.Name != options.Name)
                {
                    return new(FaultKind.LoadFailed, $"{options.Name} cannot be served as {model}: {other.Name} is. "
                        + "Give one of them another name or version (model.yaml: serve, version).");
                }

                if (_catalogue.Find(model.Name, model.Version) is not { Route.State: RouteState.Ready })
                    doors.Add(DoorSet.Closed(options, model, state));
            }

            foreach (var (model, _) in DoorSet.Names(options))
                _declared[model] = options;
            _catalogue = _catalogue.With(doors);
            return null;
        }
    }

    private Task<Fault?> Enqueue(ModelOptions options)
    {
        var done = new TaskCompletionSource<Fault?>(TaskCreationOptions.RunContinuationsAsynchronously);
        if (!_loads.TryAdd(() => done.SetResult(Load(options))))
            done.SetResult(new(FaultKind.ServerFull, $"{LoadsMax:N0} loads wait already. Retry later.",
                TimeSpan.FromSeconds(1)));
        return done.Task;
    }

    /// <summary>On the loading thread.</summary>
    private Fault? Load(ModelOptions options)
    {
        var runtime = _runtimes[options.Runtime];
        if (Canary?.Check(options, runtime, HasStarted, _stop) is { } crashed)
        {
            Log.LoadFailed(_logger, options.Name, options.Version, crashed.Message);
            Failed(options, crashed);
            return crashed;
        }

        using var mark = Canary is null ? null : CanaryProbe.Mark(options, runtime);
        var load = NewLoad(options, runtime);
        var closed = DoorSet.Names(options).Select(n => DoorSet.Closed(options, n.Model, RouteState.Loading)).ToList();
        if (!load.Open(closed, _stop).TryGet(out var doors, out var fault))
        {
            load.Dispose();
            Failed(options, fault);
            return fault;
        }

        foreach (var door in doors)
            Recorder?.Instruments(door);
        lock (_changing)
        {
            var gone = OwnDoors(options).Select(d => d.Route.Model).Except(doors.Select(d => d.Route.Model)).ToList();
            _catalogue = _catalogue.Without(gone).With(doors);
            foreach (var name in gone)
                _declared.Remove(name);
            if (_resident.Remove(Key(options), out var old))
                Retire(old);
            _resident[Key(options)] = load;
        }

        Recorder?.Opened(doors[0].Deployment!);
        _looks.TryAdd(() => Look(load));
        return null;
    }

    private ModelLoad NewLoad(ModelOptions options, IRuntime runtime) => new(options, runtime, _clock, _logger)
    {
        Instruments = Recorder is { } recorder ? recorder.Open : null,
        Billing = (traits, devices) => Costs.Open(options, traits, devices),
        Sharing = deployment => deployment.Share(_devices, options.Sharing),
    };

    private void Failed(ModelOptions options, Fault fault)
    {
        lock (_changing)
        {
            if (_resident.ContainsKey(Key(options)))
                Log.OldGoesOn(_logger, options.Name, options.Version);
            else
                _catalogue = _catalogue.With([.. OwnDoors(options)
                    .Select(d => d.Close(RouteState.Failed, fault.Message))]);
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

    private List<Door> OwnDoors(ModelOptions options) =>
        [.. _catalogue.Doors.Where(d => _declared.TryGetValue(d.Route.Model, out var own) && Key(own) == Key(options))];

    private Task Retire(ModelLoad load)
    {
        var gone = load.RetireAsync(_stop);
        _retiring.RemoveWhere(t => t.IsCompleted);
        _retiring.Add(gone);
        return gone;
    }

    /// <summary>After the server's stop: what is loading ends, and everything is gone.</summary>
    public async ValueTask DisposeAsync()
    {
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
