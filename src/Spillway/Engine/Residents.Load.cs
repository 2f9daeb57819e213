using Spillway.Config;
using Spillway.Engine.Audit;
using Spillway.Engine.Canary;
using Spillway.Flow;
using Spillway.Runtimes;

namespace Spillway.Engine;

/// <content>One load, from its place in the queue to its doors.</content>
public sealed partial class Residents
{
    private Task<Fault?> Enqueue(ModelOptions options, Action? late = null)
    {
        var order = Interlocked.Increment(ref _orders);
        var done = new TaskCompletionSource<Fault?>(TaskCreationOptions.RunContinuationsAsynchronously);
        if (!_loads.TryAdd(() => done.SetResult(Load(options, order)),
            () => IsLate(options, late)))
            done.SetResult(new(FaultKind.ServerFull, $"{LoadsMax:N0} loads wait already. Retry later.",
                TimeSpan.FromSeconds(1)));
        return UnlessOverAsync(done.Task);
    }

    private void IsLate(ModelOptions options, Action? late)
    {
        Log.LoadIsLate(_logger, options.Name, options.Version, s_loadPatience.TotalSeconds);
        late?.Invoke();
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
            if (!DoorSet.Names(options).Any(n => IsWanted(options, n.Model)))
                return TooLate(options);
            var runtime = _runtimes[options.Runtime];
            for (var attempt = 1; ; attempt++)
            {
                if (!ModelJudge.Judge(Trust, options, runtime, _logger, _stop).TryGet(out var judged, out var refused)
                    || (refused = Probe(options, runtime)) is not null)
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

    /// <summary>Null, or why it must not be loaded here.</summary>
    private Fault? Probe(ModelOptions options, IRuntime runtime) =>
        Canary?.IsDue(options, runtime, HasStarted) is true ? Canary.Check(options, runtime, _stop) : null;

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
            return TooLate(options);
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
    /// late: a load that was asked for after it is there, nobody wants it any more, or nothing is served any more.
    /// </summary>
    private bool? Open(ModelOptions options, ModelLoad load, IReadOnlyList<Door> doors)
    {
        lock (_changing)
        {
            List<Door> wanted = [.. doors.Where(d => IsWanted(options, d.Route.Model))];
            if (_over.IsCancellationRequested || wanted.Count == 0
                || (_resident.TryGetValue(Key(options), out var newer) && newer.Order > load.Order))
                return null;
            var gone = OwnDoors(options).Select(d => d.Route.Model).Except(doors.Select(d => d.Route.Model)).ToList();
            Catalogue = _catalogue.Without(gone).With(wanted);
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
                Catalogue = _catalogue.With([.. _catalogue.Doors.Where(d => IsWanted(options, d.Route.Model))
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
}
