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
                route, options.Deadline, door.Picture is { } picture ? new PictureInput(picture) : null, output));
        }
    }

    /// <summary>Given the deployment before its doors open.</summary>
    public Action<Deployment>? Opening { get; set; }

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

    /// <summary>A longer look at the batch curve, only between requests; gives up when there is always work.</summary>
    public void Refine(CancellationToken cancellation)
    {
        if (_deployment is null || _model!.Traits.DeclaredCurve is not null || _calibration!.RowsMax == 1)
            return;
        if (!_model.CreateReplica(0).TryGet(out var replica, out _))
            return;
        using (replica)
        {
            List<BatchPoint> curve = [];
            for (var rows = 1; rows <= _calibration.RowsMax; rows *= 2)
            {
                if (cancellation.IsCancellationRequested || !_deployment.Look().IsIdle)
                    return;
                if (_calibration.Refine(replica, rows) is not { } time)
                    break;
                curve.Add(new(rows, time));
                if (IsHopeless(curve))
                    break;
            }

            if (curve.Count > 0)
                Log.Refined(_logger, _options.Name, _deployment.SetCurve(curve, _calibration.ElementsPerRow));
        }
    }

    public void Dispose()
    {
        _deployment?.Dispose();
        _model?.Dispose();
    }

    /// <summary>Two sizes in a row that cost more per row than the best: larger ones will not gain.</summary>
    private static bool IsHopeless(List<BatchPoint> curve)
    {
        if (curve.Count < 3)
            return curve.Count == 2 && PerRow(curve[1]) > 0.97 * PerRow(curve[0]);
        var best = curve[..^2].Min(PerRow);
        return PerRow(curve[^1]) > best && PerRow(curve[^2]) > best;
    }

    private static double PerRow(BatchPoint point) => point.Time.Ticks / (double)point.Rows;

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
        if (!Replicas(model, first, useful).TryGet(out var replicas, out fault))
            return fault;
        var flow = new DeploymentFlow(
            _options.Batching, _options.Deadline, curve, _calibration.ElementsPerRow, replicas.Count);
        _deployment = new(_options.Name, _clock, flow, replicas, _logger) { TypicalElements = _calibration.ElementsPerRow };
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

    private Outcome<List<(Device Device, IBatchReplica Replica)>> Replicas(ILoadedModel model, IBatchReplica first, int useful)
    {
        List<(Device Device, IBatchReplica Replica)> replicas = [];
        for (var device = 0; device < model.Traits.Devices.Count; device++)
        {
            var count = BatchCurve.RunnersPerDevice(
                _options.Batching.Runners, useful, model.Traits.Devices[device].Parallelism);
            for (var i = 0; i < count; i++)
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
