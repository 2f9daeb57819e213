using Spillway.Policies.Batching;
using Spillway.Runtimes;

namespace Spillway.Engine;

/// <summary>
/// Measures a model's batch curve: the time of a run by its rows, at the shape that model.yaml calls typical. At load
/// a quick look, sizes ascending, ending with the first that gains less than the option asks; once the model serves,
/// a longer look at every size, only while nobody else runs.
/// </summary>
internal sealed class Calibration
{
    /// <summary>
    /// Runs of one size are taken until this much time is spent, at least one: a start should not wait for many long
    /// runs, and short ones need more of them. The fastest counts, because noise only ever adds.
    /// </summary>
    private static readonly TimeSpan s_quickTime = TimeSpan.FromMilliseconds(5);

    /// <summary>Larger inputs are not tried: 64 Mi elements are 256 MiB of floats.</summary>
    private const long ElementsMax = 64 * 1024 * 1024;

    private static readonly TimeSpan s_refineTime = TimeSpan.FromMilliseconds(20);

    private readonly List<BatchPoint> _quick = [];
    private bool _refined;

    private readonly Signature _signature;
    private readonly IReadOnlyDictionary<string, IReadOnlyList<long>> _typical;
    private readonly BatchingOptions _options;
    private readonly Clock _clock;

    public Calibration(
        Signature signature, IReadOnlyDictionary<string, IReadOnlyList<long>> typical, BatchingOptions options, Clock clock)
    {
        (_signature, _typical, _options, _clock) = (signature, typical, options, clock);
        using var row = MakeItem(1);
        foreach (ref readonly var tensor in row.Inputs.Span)
            ElementsPerRow += Door.Elements(tensor);
        ElementsPerRow = Math.Max(ElementsPerRow, 1);
    }

    /// <summary>Input elements of one typical row.</summary>
    public long ElementsPerRow { get; }

    /// <summary>
    /// A curve that an earlier process measured under the same conditions; null when there is none. One from a long
    /// look is not looked at again: what changed since, the learned times correct.
    /// </summary>
    public IReadOnlyList<BatchPoint>? Known(ILoadedModel model)
    {
        var known = model.Curves?.Find($"refined {Conditions}");
        _refined = known is not null;
        return known ?? model.Curves?.Find(Conditions);
    }

    /// <summary>Hands a measured curve to the runtime for the next process, and back.</summary>
    public List<BatchPoint> Keep(ILoadedModel model, List<BatchPoint> curve)
    {
        model.Curves?.Save(_refined ? $"refined {Conditions}" : Conditions, curve);
        return curve;
    }

    /// <summary>The quick look; warms the model up on the way.</summary>
    public Outcome<List<BatchPoint>> Quick(IBatchReplica replica, CancellationToken cancellation)
    {
        var curve = _quick;
        using (var warm = MakeItem(1))
        {
            if (RunOnce(replica, warm, out _) is { } fault)
                return fault;
        }

        for (var rows = 1; rows <= RowsMax; rows *= 2)
        {
            cancellation.ThrowIfCancellationRequested();
            if (Measure(replica, rows, runs: 1, s_quickTime) is not { } time)
                break;
            var point = new BatchPoint(rows, time);
            var gains = curve.Count == 0 || BatchCurve.Gains(curve[^1], point, _options.GainMin);
            curve.Add(point);
            if (!gains)
                break;
        }

        return curve.Count > 0 ? curve : new Fault(FaultKind.RuntimeFailed, "the model failed on a typical input");
    }

    /// <summary>
    /// The long look. Sizes beyond the quick look's end are tried too, because a curve may gain again after a flat step
    /// (8 rows 7 % over 4, 16 rows 25 %); it ends after two sizes in a row that cost more per row than the best. The
    /// faster of both looks counts, because noise only ever adds. Null when it was given up, or was done before.
    /// </summary>
    /// <param name="replica">Its own.</param>
    /// <param name="waitForIdle">Waits until nobody else runs; false gives up.</param>
    public List<BatchPoint>? Refine(IBatchReplica replica, Func<bool> waitForIdle)
    {
        List<BatchPoint> curve = [];
        for (var rows = 1; rows <= RowsMax && !IsPastItsBest(curve); rows *= 2)
        {
            if (_refined || !waitForIdle())
                return null;
            if (Measure(replica, rows, runs: 3, s_refineTime) is not { } time)
                break;
            var quick = _quick.FindIndex(p => p.Rows == rows);
            curve.Add(new(rows, quick >= 0 && _quick[quick].Time < time ? _quick[quick].Time : time));
        }

        _refined = curve.Count > 0;
        return _refined ? curve : null;
    }

    /// <summary>The largest size to look at.</summary>
    public int RowsMax => _signature.Batched ? _options.BatchRowsMax : 1;

    /// <summary>What a curve depends on here, as one line.</summary>
    private string Conditions => string.Create(
        System.Globalization.CultureInfo.InvariantCulture,
        $"rows={RowsMax} gain={_options.GainMin} {Canary.TypicalText.Of(_typical)}");

    private static bool IsPastItsBest(List<BatchPoint> curve) => curve.Count >= 3
        && curve[..^2].Min(PerRow) is var best && PerRow(curve[^1]) > best && PerRow(curve[^2]) > best;

    private static double PerRow(BatchPoint point) => point.Time.Ticks / (double)point.Rows;

    private TimeSpan? Measure(IBatchReplica replica, int rows, int runs, TimeSpan atLeast)
    {
        if (rows > 1 && rows * ElementsPerRow > ElementsMax)
            return null;
        using var item = MakeItem(rows);
        var (best, spent) = (TimeSpan.MaxValue, TimeSpan.Zero);
        for (var run = 0; run < runs || (spent < atLeast && run < 64); run++)
        {
            if (RunOnce(replica, item, out var took) is not null)
                return null;
            spent += took;
            best = took < best ? took : best;
        }

        return best > TimeSpan.Zero ? best : new TimeSpan(1);
    }

    private Fault? RunOnce(IBatchReplica replica, CalibrationItem item, out TimeSpan took)
    {
        var began = _clock.Now;
        var fault = replica.Run([item], Unmarked.Instance);
        took = _clock.Now - began;
        return fault;
    }

    private CalibrationItem MakeItem(int rows)
    {
        var item = new CalibrationItem(rows);
        var random = new Random(rows);
        for (var port = 0; port < _signature.Inputs.Count; port++)
        {
            var spec = _signature.Inputs[port];
            ref var tensor = ref item.Inputs.Add();
            (tensor.Port, tensor.Type, tensor.Shape) = (port, spec.Type, TypicalShape(spec, rows));
            tensor.Shape.TryCount(out var count);
            // An empty byte string is its length, four zero bytes.
            var data = item.Inputs.Rent(checked((int)count * Math.Max(spec.Type.Size(), spec.Type is DataType.Bytes ? 4 : 1)));
            data.Span.Clear();
            if (spec.Type is DataType.Float32)
            {
                foreach (ref var value in System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(data.Span))
                    value = random.NextSingle();
            }

            tensor.Data = data;
        }

        return item;
    }

    private Shape TypicalShape(TensorSpec spec, int rows)
    {
        var shape = spec.Shape;
        for (var i = 0; i < shape.Rank; i++)
        {
            var typical = _typical.TryGetValue(spec.Name, out var dims) && i < dims.Count ? dims[i] : 1;
            if (shape[i] < 0)
                shape[i] = Math.Max(typical, 1);
        }

        if (_signature.Batched)
            shape[0] = rows;
        return shape;
    }

    private sealed class CalibrationItem(int rows) : WorkItem, IDisposable
    {
        public override TensorSet Inputs { get; } = new();

        public override int Rows => rows;

        public override void Output(int port, in Shape shape, ReadOnlySpan<byte> data)
        {
        }

        public void Dispose() => Inputs.Reset();
    }

    private sealed class Unmarked : RunControl
    {
        public static readonly Unmarked Instance = new();

        public override void Mark(Stage stage)
        {
        }
    }
}
