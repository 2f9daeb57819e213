using System.Globalization;
using Microsoft.Extensions.Logging;
using Spillway.Config;
using Spillway.Engine.Doors;
using Spillway.Flow;
using Spillway.Policies.Batching;
using Spillway.Runtimes;

namespace Spillway.Engine;

/// <summary>One model version on its way from a declaration to a deployment behind its doors.</summary>
internal sealed class ModelLoad : IDisposable
{
    /// <summary>How often the longer look waits for a quiet moment before it is given up: ten seconds in all.</summary>
    private const int IdleTries = 200;

    private static readonly TimeSpan s_idlePause = TimeSpan.FromMilliseconds(50);

    private readonly ModelOptions _options;
    private readonly IRuntime _runtime;
    private readonly Clock _clock;
    private readonly ILogger _logger;
    private readonly Fault? _broken;
    private ILoadedModel? _model;
    private Deployment? _deployment;
    private Calibration? _calibration;

    public ModelLoad(ModelOptions options, IRuntime runtime, Clock clock, ILogger logger)
    {
        (_options, _runtime, _clock, _logger) = (options, runtime, clock, logger);
        var serve = options.Serve.Count > 0 ? options.Serve : new Dictionary<string, DoorOptions> { [options.Name] = new() };
        _broken = OutputStages.Make(options.Outputs, out var output);
        foreach (var (name, door) in serve)
        {
            var route = new Route(
                new(name, options.Version.ToString(CultureInfo.InvariantCulture)), options.Name, RouteState.Loading, "",
                options.Batching.QueueLengthMax);
            Doors.Add(new(
                route, options.Deadline, door.Picture is { } picture ? new PictureInput(picture) : null, output)
            {
                RowsMax = options.Batching.BatchRowsMax,
            });
        }
    }

    /// <summary>Given the deployment before its doors open.</summary>
    public Action<Deployment>? Opening { get; set; }

    /// <summary>Gives the deployment its turns at its devices, before its first request.</summary>
    public Action<Deployment>? Sharing { get; init; }

    /// <summary>The names it is served under.</summary>
    public List<Door> Doors { get; } = [];

    /// <summary>Loads, measures, opens the doors; or fails them with the reason. Never throws.</summary>
    public void Load(CancellationToken cancellation)
    {
        var began = _clock.Now;
        Fault? fault;
        try
        {
            fault = _broken ?? Open(cancellation);
        }
        catch (OperationCanceledException)
        {
            fault = new(FaultKind.LoadFailed, "the server is stopping");
        }
#pragma warning disable CA1031 // The one border where a library's surprise in a load becomes a fault.
        catch (Exception surprise)
#pragma warning restore CA1031
        {
            fault = new(FaultKind.LoadFailed, $"{surprise.GetType().Name}: {surprise.Message}");
        }

        if (fault is null)
        {
            var state = _deployment!.Look();
            var row = _deployment.TypicalRun.TotalMilliseconds;
            Log.Ready(_logger, _options.Name, state.Runners, state.UsefulRows, Math.Round(row, 3), Math.Round((_clock.Now - began).TotalMilliseconds));
            return;
        }

        Log.LoadFailed(_logger, _options.Name, fault.Message);
        foreach (var door in Doors)
            door.Fail(fault.Message);
    }

    /// <summary>A longer look at the batch curve, only while nobody else runs; given up when that never is.</summary>
    public void Refine(CancellationToken cancellation)
    {
        try
        {
            TryRefine(cancellation);
        }
#pragma warning disable CA1031 // The first look still holds: a surprise in the second one must not end the server.
        catch (Exception surprise)
#pragma warning restore CA1031
        {
            Log.NotRefined(_logger, _options.Name, surprise);
        }
    }

    public void Dispose()
    {
        _deployment?.Dispose();
        _model?.Dispose();
    }

    private void TryRefine(CancellationToken cancellation)
    {
        if (_deployment is null || _model!.Traits.DeclaredCurve is not null || _calibration!.RowsMax == 1)
            return;
        if (!_model.CreateReplica(0).TryGet(out var replica, out _))
            return;
        using (replica)
        {
            if (_calibration.Refine(replica, () => WaitForIdle(cancellation)) is not { } curve)
                return;
            var useful = Math.Min(BatchCurve.UsefulRows(curve, _options.Batching.GainMin), _options.Batching.BatchRowsMax);
            var state = _deployment.SetCurve(curve, _calibration.ElementsPerRow, InUse(_model, useful));
            Log.Refined(_logger, _options.Name, state.Runners, state.UsefulRows);
        }
    }

    private bool WaitForIdle(CancellationToken cancellation)
    {
        for (var tries = 0; tries < IdleTries; tries++)
        {
            if (_deployment!.Look().IsIdle)
                return !cancellation.IsCancellationRequested;
            // On the loading thread, which is nobody else's.
            if (cancellation.WaitHandle.WaitOne(s_idlePause))
                return false;
        }

        return false;
    }

    /// <summary>Which runners the curve calls for: the first so many of each device.</summary>
    private bool[] InUse(ILoadedModel model, int useful) =>
    [
        .. model.Traits.Devices.SelectMany(device => Enumerable.Range(0, MostRunners(device))
            .Select(i => i < BatchCurve.RunnersPerDevice(_options.Batching.Runners, useful, device.Parallelism))),
    ];

    /// <summary>A replica for every runner that any curve could call for: they share the model, and cost little.</summary>
    private int MostRunners(Device device) =>
        _options.Batching.Runners > 0 ? _options.Batching.Runners : device.Parallelism;

    private Fault? Open(CancellationToken cancellation)
    {
        var source = new ModelSource(_options.Name, _options.File, _options.RuntimeOptions!);
        if (!_runtime.Load(source, cancellation).TryGet(out var model, out var fault))
            return fault;
        _model = model;
        _calibration = new(model.Signature, _options.Typical, _options.Batching, _clock);
        if (!model.CreateReplica(0).TryGet(out var first, out fault))
            return fault;
        IReadOnlyList<BatchPoint> curve = model.Traits.DeclaredCurve ?? Measure(first, cancellation);
        var useful = Math.Min(BatchCurve.UsefulRows(curve, _options.Batching.GainMin), _options.Batching.BatchRowsMax);
        if (!Replicas(model, first).TryGet(out var replicas, out fault))
            return fault;
        var flow = new DeploymentFlow(
            _options.Batching, _options.Deadline, curve, _calibration.ElementsPerRow, replicas.Count);
        flow.SetCurve(curve, _calibration.ElementsPerRow, InUse(model, useful));
        _deployment = new(_options.Name, _clock, flow, replicas, _logger) 
        {
            TypicalElements = _calibration.ElementsPerRow, Version = Doors[0].Route.Model.Version,
        };
        Sharing?.Invoke(_deployment);
        Opening?.Invoke(_deployment);
        foreach (var door in Doors)
        {
            if (door.Open(_deployment, model.Signature, model.Traits) is { } unfit)
                return unfit;
        }

        return null;
    }

    private List<BatchPoint> Measure(IBatchReplica replica, CancellationToken cancellation)
    {
        if (_calibration!.Quick(replica, cancellation).TryGet(out var curve, out var fault))
            return curve;
        Log.NotCalibrated(_logger, _options.Name, fault.Message);
        return [new(1, TimeSpan.FromMilliseconds(1))];
    }

    private Outcome<List<(Device Device, IBatchReplica Replica)>> Replicas(ILoadedModel model, IBatchReplica first)
    {
        List<(Device Device, IBatchReplica Replica)> replicas = [];
        for (var device = 0; device < model.Traits.Devices.Count; device++)
        {
            for (var i = 0; i < MostRunners(model.Traits.Devices[device]); i++)
            {
                if (replicas.Count == 0)
                    replicas.Add((model.Traits.Devices[device], first));
                else if (model.CreateReplica(device).TryGet(out var replica, out var fault))
                    replicas.Add((model.Traits.Devices[device], replica));
                else
                    return fault;
            }
        }

        return replicas;
    }
}
