using Spillway.Config;
using Spillway.Runtimes;
using Spillway.Runtimes.Onnx;
using Spillway.Runtimes.Onnx.Profiling;

namespace Spillway.App.Profile;

/// <summary>
/// Measures one ONNX model in this process: loading, curves by threads, callers side by side, operators. Sizes end
/// with the second in a row that costs more per row than the best, so a model that gains nothing is done soon.
/// </summary>
/// <param name="model">As declared.</param>
/// <param name="tell">Hears what is measured now.</param>
internal sealed class Profiler(ModelOptions model, Action<string> tell)
{
    /// <summary>Runs of one size are taken for so long, at least two.</summary>
    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(100);

    private static readonly TimeSpan s_sideBySide = TimeSpan.FromMilliseconds(500);

    private readonly OnnxRuntime _runtime = new();
    private readonly OnnxOptions _options = (OnnxOptions)model.RuntimeOptions!;

    /// <summary>The report, advice included.</summary>
    public Outcome<ProfileReport> Run(CancellationToken cancellation)
    {
        tell("loading");
        if (!Loads(cancellation).TryGet(out var load, out var fault))
            return fault;
        List<ThreadCurve> curves = [];
        Signature? signature = null;
        long? peak = null;
        for (var threads = 1; threads <= Environment.ProcessorCount; threads *= 2)
        {
            if (!Load(_options with { IntraOpThreads = threads }, cancellation).TryGet(out var loaded, out fault))
                return fault;
            using (loaded)
            {
                signature = loaded.Signature;
                if (!Curve(loaded, threads, cancellation).TryGet(out var curve, out fault))
                    return fault;
                curves.Add(curve);
                peak ??= loaded.MemoryBytes;
            }
        }

        if (!Beside(curves[0].Best.Rows, cancellation).TryGet(out var beside, out fault)
            || !Operators(curves[0].Best.Rows, cancellation).TryGet(out var operators, out fault))
            return fault;
        var report = new ProfileReport
        {
            Model = model.Name, File = model.File, Cores = Environment.ProcessorCount,
            Inputs = [.. signature!.Inputs.Select(Text)], Outputs = [.. signature.Outputs.Select(Text)],
            Providers = OperatorProfiler.Providers(Source(_options)), Load = load, PeakBytes = peak, Curves = curves,
            SideBySide = beside, Operators = [.. operators],
        };
        return report with { Advice = ProfileAdvice.Of(report) };
    }

    private static string Text(TensorSpec port) => $"{port.Name} {port.Type.WireName()} {port.Shape}";

    private ModelSource Source(OnnxOptions options) => new(model.Name, model.File, options);

    private Outcome<ILoadedModel> Load(OnnxOptions options, CancellationToken cancellation) =>
        _runtime.Load(Source(options), cancellation);

    private TypicalItem Item(ILoadedModel loaded, int rows) => new(loaded.Signature, model.Typical, rows);

    /// <summary>
    /// The first load also fills the cache and loads the library; then each way once more, which counts.
    /// </summary>
    private Outcome<LoadTimes> Loads(CancellationToken cancellation)
    {
        if (!Load(_options, cancellation).TryGet(out var first, out var fault))
            return fault;
        var cached = first.Report?.Cache is CacheUse.Filled or CacheUse.Hit or CacheUse.Rebuilt;
        first.Dispose();
        if (!Timed(_options with { Cache = "off" }, cancellation).TryGet(out var plain, out fault))
            return fault;
        if (!cached)
            return new LoadTimes(plain.Ms, plain.Bytes, null, null);
        if (!Timed(_options, cancellation).TryGet(out var quick, out fault))
            return fault;
        return new LoadTimes(plain.Ms, plain.Bytes, quick.Ms, quick.Bytes);
    }

    private Outcome<(double Ms, long? Bytes)> Timed(OnnxOptions options, CancellationToken cancellation)
    {
        Outcome<ILoadedModel> outcome = default;
        var (ms, _) = Timing.Of(() => outcome = Load(options, cancellation));
        if (!outcome.TryGet(out var loaded, out var fault))
            return fault;
        using (loaded)
            return (ms, loaded.MemoryBytes);
    }

    private Outcome<ThreadCurve> Curve(ILoadedModel loaded, int threads, CancellationToken cancellation)
    {
        if (!loaded.CreateReplica(0).TryGet(out var replica, out var fault))
            return fault;
        using var held = replica;
        var most = TypicalItem.RowsWithin(
            loaded.Signature, model.Typical, loaded.Signature.Batched ? model.Batching.BatchRowsMax : 1);
        if (most == 0)
            return new Fault(FaultKind.InvalidInput,
                "One row of the typical shape is too large. Lower typical in its model.yaml.");
        List<CurvePoint> points = [];
        for (var rows = 1; rows <= most && !IsPastItsBest(points); rows *= 2)
        {
            cancellation.ThrowIfCancellationRequested();
            tell($"{threads} thread(s), {rows} row(s)");
            using var item = Item(loaded, rows);
            if (Measure(replica, item).TryGet(out var point, out fault))
                points.Add(point);
            else
                return fault;
        }

        return new ThreadCurve(threads, points);
    }

    private static bool IsPastItsBest(List<CurvePoint> points) => points.Count >= 3
        && points[..^2].Min(PerRow) is var best && PerRow(points[^1]) > best && PerRow(points[^2]) > best;

    private static double PerRow(CurvePoint point) => point.Ms / point.Rows;

    /// <summary>The fastest of the runs; CPU time over all of them, because its clock is coarse.</summary>
    private static Outcome<CurvePoint> Measure(IBatchReplica replica, TypicalItem item)
    {
        if (item.Run(replica) is { } failed)
            return failed;
        var (best, spent, cpu, runs) = (double.MaxValue, 0.0, 0.0, 0);
        for (; runs < 2 || (spent < s_look.TotalMilliseconds && runs < 10_000); runs++)
        {
            var (ms, cpuMs) = Timing.Of(() => item.Run(replica));
            (best, spent, cpu) = (Math.Min(best, ms), spent + ms, cpu + cpuMs);
        }

        return new CurvePoint(item.Rows, best, cpu / runs);
    }

    private Outcome<List<SideBySide>> Beside(int rows, CancellationToken cancellation)
    {
        if (!Load(_options with { IntraOpThreads = 1 }, cancellation).TryGet(out var loaded, out var fault))
            return fault;
        using var held = loaded;
        List<SideBySide> sides = [];
        for (var callers = 1; callers <= Environment.ProcessorCount; callers *= 2)
        {
            cancellation.ThrowIfCancellationRequested();
            tell($"{callers} caller(s) side by side");
            List<IBatchReplica> replicas = [];
            for (var i = 0; i < callers; i++)
            {
                if (!loaded.CreateReplica(0).TryGet(out var replica, out fault))
                    return fault;
                replicas.Add(replica);
            }

            sides.Add(new(callers, rows, RowsPerSecond(loaded, replicas, rows)));
            replicas.ForEach(static r => r.Dispose());
        }

        return sides;
    }

    private double RowsPerSecond(ILoadedModel loaded, List<IBatchReplica> replicas, int rows)
    {
        var done = 0;
        var began = TimeProvider.System.GetTimestamp();
        var threads = replicas.ConvertAll(replica => new Thread(() =>
        {
            using var item = Item(loaded, rows);
            do
            {
                if (item.Run(replica) is null)
                    Interlocked.Add(ref done, item.Rows);
            }
            while (TimeProvider.System.GetElapsedTime(began) < s_sideBySide);
        }));
        threads.ForEach(static t => t.Start());
        threads.ForEach(static t => t.Join());
        return done / TimeProvider.System.GetElapsedTime(began).TotalSeconds;
    }

    private Outcome<IReadOnlyList<OperatorTime>> Operators(int rows, CancellationToken cancellation)
    {
        const int Runs = 5;
        tell("operators");
        return OperatorProfiler.Measure(
            Source(_options with { IntraOpThreads = 1 }),
            loaded =>
            {
                if (!loaded.CreateReplica(0).TryGet(out var replica, out var fault))
                    return fault;
                using var held = replica;
                using var item = Item(loaded, rows);
                for (var run = 0; run < Runs; run++)
                {
                    if (item.Run(replica) is { } failed)
                        return failed;
                }

                return null;
            },
            cancellation);
    }
}
