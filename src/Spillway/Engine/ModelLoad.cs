using System.Globalization;
using Microsoft.Extensions.Logging;
using Spillway.Config;
using Spillway.Engine.Audit;
using Spillway.Engine.Billing;
using Spillway.Engine.Doors;
using Spillway.Engine.Sequences;
using Spillway.Policies.Batching;
using Spillway.Runtimes;
using Spillway.Telemetry;

namespace Spillway.Engine;

/// <summary>
/// One model version in memory: from a declaration to a deployment behind its doors, and back. It contains no rule of
/// what is loaded when; <see cref="Serving"/> asks.
/// </summary>
internal sealed class ModelLoad : IDisposable
{
    /// <summary>How often the longer look waits for a quiet moment before it is given up: ten seconds in all.</summary>
    private const int IdleTries = 200;

    private static readonly TimeSpan s_idlePause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan s_retirePause = TimeSpan.FromMilliseconds(10);

    private readonly IRuntime _runtime;
    private readonly Clock _clock;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _end = new();
    private readonly Lock _refining = new();
    private ILoadedModel? _model;
    private Deployment? _deployment;
    private Calibration? _calibration;
    private DeploymentBilling? _billing;
    private bool _disposed;

    public ModelLoad(ModelOptions options, IRuntime runtime, Clock clock, ILogger logger) =>
        (Options, _runtime, _clock, _logger) = (options, runtime, clock, logger);

    /// <summary>What was declared.</summary>
    public ModelOptions Options { get; }

    /// <summary>Loads are numbered as they were asked for; one that was late gives way to a later one.</summary>
    public long Order { get; init; }

    /// <summary>What counts the deployment to come.</summary>
    public Func<DeploymentFacts, DeploymentInstruments>? Instruments { get; init; }

    /// <summary>Where the model comes from.</summary>
    public JudgedModel Judged { get; init; } = JudgedModel.Unknown;

    /// <summary>Gives the deployment its turns at its devices, before its first request.</summary>
    public Action<Deployment>? Sharing { get; init; }

    /// <summary>Keeps curves for the model's next load where its runtime keeps none between processes.</summary>
    public ICurveStore CurvesInMemory { get; init; } = new CurveMemory();

    private ICurveStore Curves => _model!.Curves ?? CurvesInMemory;
    /// <summary>What the deployment to come is billed by, or why it has no price.</summary>
    public Func<RuntimeTraits, IReadOnlyList<Device>, Outcome<DeploymentBilling?>>? Billing { get; init; }

    /// <summary>Loads and measures; the doors that lead to it now, or why it failed. Never throws.</summary>
    /// <param name="closed">Its doors as they are.</param>
    /// <param name="cancellation">The server stops.</param>
    public Outcome<IReadOnlyList<Door>> Open(IReadOnlyList<Door> closed, CancellationToken cancellation)
    {
        var began = _clock.Now;
        Outcome<IReadOnlyList<Door>> opened;
        try
        {
            opened = TryOpen(closed, cancellation);
        }
        catch (OperationCanceledException)
        {
            opened = new Fault(FaultKind.LoadFailed, "the server is stopping");
        }
#pragma warning disable CA1031 // The one border where a library's surprise in a load becomes a fault.
        catch (Exception surprise)
#pragma warning restore CA1031
        {
            opened = new Fault(FaultKind.LoadFailed, $"{surprise.GetType().Name}: {surprise.Message}");
        }

        if (opened.TryGet(out _, out var fault))
        {
            // Only now: what counts the one that it takes the place of goes on when this one comes to nothing.
            _deployment!.Instruments = Instruments?.Invoke(Facts(_deployment.Lengths));
            var state = _deployment.Look();
            var row = _deployment.TypicalRun.TotalMilliseconds;
            Log.Ready(_logger, Options.Name, Options.Version, state.Runners, state.UsefulRows, Math.Round(row, 3),
                Math.Round((_clock.Now - began).TotalMilliseconds));
        }
        else
        {
            Log.LoadFailed(_logger, Options.Name, Options.Version, fault.Message);
        }

        return opened;
    }

    /// <summary>A longer look at the batch curve, only while nobody else runs; given up when that never is.</summary>
    public void Refine(CancellationToken cancellation)
    {
        lock (_refining)
        {
            if (_disposed)
                return;
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, _end.Token);
            try
            {
                TryRefine(either.Token);
            }
#pragma warning disable CA1031 // The first look still holds: a surprise in the second one must not end the server.
            catch (Exception surprise)
#pragma warning restore CA1031
            {
                Log.NotRefined(_logger, Options.Name, surprise);
            }
        }
    }

    /// <summary>
    /// No door leads here any more: takes no more work, waits until what it holds has ended, and is gone. The deadlines
    /// of its requests bound the wait.
    /// </summary>
    /// <param name="hurry">The server stops: what is left is cut off.</param>
    public async Task RetireAsync(CancellationToken hurry)
    {
        _deployment?.Close();
        await _end.CancelAsync().ConfigureAwait(false);
        while (_deployment?.Look().IsIdle is false && !hurry.IsCancellationRequested)
            await Task.Delay(s_retirePause, _clock.Time, hurry).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Dispose();
    }

    /// <summary>What runs it; null before it is open.</summary>
    public Deployment? Deployment => _deployment;

    /// <summary>What it takes of its device; null when nobody can tell.</summary>
    public long? MemoryBytes => _model?.MemoryBytes;

    /// <summary>How it is used now.</summary>
    public Sight Look()
    {
        var state = _deployment?.Look() ?? default;
        return new(!state.IsIdle, state.PlacedAt, MemoryBytes);
    }

    public void Dispose()
    {
        _end.Cancel();
        lock (_refining)
        {
            if (_disposed)
                return;
            _disposed = true;
        }

        _deployment?.Dispose();
        _billing?.Dispose();
        _model?.Dispose();
        _end.Dispose();
    }

    private void TryRefine(CancellationToken cancellation)
    {
        if (_deployment is null || _model!.Traits.DeclaredCurve is not null)
            return;
        if (_calibration!.RowsMax == 1 && _deployment.Lengths.Buckets.Count == 0)
            return;
        if (!_model.CreateReplica(0).TryGet(out var replica, out _))
            return;
        using (replica)
        {
            if (_calibration.Refine(replica, () => WaitForIdle(cancellation)) is not { } curves)
                return;
            _calibration.Keep(Curves, curves);
            var inUse = ReplicaSet.InUse(_model.Traits, Options.Batching, curves[_calibration.TypicalBucket]);
            var state = _deployment.SetCurves(curves, inUse);
            Log.Refined(_logger, Options.Name, state.Runners, state.UsefulRows);
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

    private Outcome<IReadOnlyList<Door>> TryOpen(IReadOnlyList<Door> closed, CancellationToken cancellation)
    {
        if (OutputStages.Make(Options.Outputs, out var output) is { } broken)
            return broken;
        var fault = Load(cancellation);
        if (fault is not null)
            return fault;
        var model = _model!;
        Log.Loaded(_logger, Options.Name, model);
        if (!Lengths.Of(Options, model.Signature).TryGet(out var lengths, out fault))
            return fault;
        if (!SequenceBinding.Bind(Options, model.Signature).TryGet(out var sequences, out fault))
            return fault;
        _calibration = new(model.Signature, Options.Typical, Options.Batching, _clock, lengths);
        if (!model.CreateReplica(0).TryGet(out var first, out fault))
            return fault;
        var curves = model.Traits.DeclaredCurve is { } declared
            ? _calibration.Alike(declared)
            : _calibration.Known(Curves) ?? Measure(first, cancellation);
        if (!ReplicaSet.Make(model, Options.Batching, first).TryGet(out var replicas, out fault))
            return fault;
        if (Price(model, replicas) is { } unpriced)
            return unpriced;
        _deployment = Deploy(model, lengths, curves, replicas);
        if (sequences is not null)
            _deployment.KeepSequences(sequences);
        Sharing?.Invoke(_deployment);
        return DoorSet.Open(Options, closed, _deployment, model, output, sequences);
    }

    /// <summary>Null when the model is there, and is the one that was judged.</summary>
    private Fault? Load(CancellationToken cancellation)
    {
        var source = new ModelSource(Options.Name, Options.File, Options.RuntimeOptions!);
        if (!_runtime.Load(source, cancellation).TryGet(out var model, out var fault))
            return fault;
        _model = model;
        return Judged.Changed();
    }

    private Fault? Price(ILoadedModel model, List<(Device Device, IBatchReplica Replica)> replicas)
    {
        if (Billing is null
            || Billing(model.Traits, [.. replicas.Select(r => r.Device)]).TryGet(out _billing, out var fault))
            return null;
        foreach (var (_, replica) in replicas)
            replica.Dispose();
        return fault;
    }

    private Deployment Deploy(
        ILoadedModel model, Lengths lengths, BucketCurve[] curves,
        List<(Device Device, IBatchReplica Replica)> replicas)
    {
        var typical = _calibration!.TypicalBucket;
        var flow = lengths.MakeFlow(Options, curves, typical, replicas.Count);
        flow.SetCurves(curves, ReplicaSet.InUse(model.Traits, Options.Batching, curves[typical]));
        var version = Options.Version.ToString(CultureInfo.InvariantCulture);
        return new(Options.Name, _clock, flow, replicas, _logger)
        {
            TypicalElements = _calibration.ElementsPerRow, Version = version, Lengths = lengths,
            Billing = _billing, Provenance = Judged.Provenance,
        };
    }

    private DeploymentFacts Facts(Lengths lengths) =>
        new(new(Options.Name, _deployment!.Version), _deployment.Devices, _deployment.BatchMax, lengths.Buckets)
        {
            Stateful = Options.Sequences is not null,
        };

    private BucketCurve[] Measure(IBatchReplica replica, CancellationToken cancellation)
    {
        if (_calibration!.Quick(replica, cancellation).TryGet(out var curves, out var fault))
            return _calibration.Keep(Curves, curves);
        Log.NotCalibrated(_logger, Options.Name, fault.Message);
        return _calibration.Alike([new(1, TimeSpan.FromMilliseconds(1))]);
    }
}

/// <summary>What its instruments must know of a deployment before it is there.</summary>
/// <param name="Model">Its name and version.</param>
/// <param name="Devices">The names of its devices, each once.</param>
/// <param name="BatchMax">The largest batch in rows.</param>
/// <param name="Buckets">The lengths that it pads to; empty without padding.</param>
internal sealed record DeploymentFacts(
    ModelRef Model, IReadOnlyList<string> Devices, int BatchMax, IReadOnlyList<int> Buckets)
{
    /// <summary>Whether it keeps sequences.</summary>
    public bool Stateful { get; init; }
}
