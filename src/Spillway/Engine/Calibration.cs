using Spillway.Policies.Batching;
using Spillway.Runtimes;

namespace Spillway.Engine;

/// <summary>
/// Measures a model's batch curve: the time of a run by its rows, at the shape that model.yaml calls typical. At load
/// a quick look, sizes ascending, ending with the first that gains less than the option asks; once the model serves,
/// a longer look at every size, only while nobody else runs.
/// </summary>
/// <remarks>
/// Where lengths are padded, each bucket has a curve: the typical one is looked at like a model without padding, the
/// longest and the shortest at load if that is a matter of <see cref="s_bucketsTime"/>, the others later. A bucket that
/// was not looked at borrows from the nearest. This file is long because both looks, at every size and bucket, share
/// what
/// they measured.
/// </remarks>
internal sealed class Calibration
{
    /// <summary>
    /// Buckets that the longer look visits, spread evenly over the ladder: enough to draw the curve of time over
    /// length, and an end to the time that it takes.
    /// </summary>
    public const int BucketsMax = 16;

    /// <summary>
    /// Runs of one size are taken until this much time is spent, at least one: a start should not wait for many long
    /// runs, and short ones need more of them. The fastest counts, because noise only ever adds.
    /// </summary>
    private static readonly TimeSpan s_quickTime = TimeSpan.FromMilliseconds(5);

    /// <summary>Larger inputs are not tried: 64 Mi elements are 256 MiB of floats.</summary>
    private const long ElementsMax = 64 * 1024 * 1024;

    private static readonly TimeSpan s_refineTime = TimeSpan.FromMilliseconds(20);

    /// <summary>What buckets beside the typical one may add to a load.</summary>
    private static readonly TimeSpan s_bucketsTime = TimeSpan.FromMilliseconds(100);

    private readonly List<BatchPoint> _quick = [];
    private bool _refined;

    private readonly Signature _signature;
    private readonly IReadOnlyDictionary<string, IReadOnlyList<long>> _typical;
    private readonly BatchingOptions _options;
    private readonly Clock _clock;
    private readonly PaddingPlan? _padding;
    private readonly IReadOnlyList<int> _buckets;

    /// <summary>For a model, with its padding if it declares any.</summary>
    public Calibration(
        Signature signature, IReadOnlyDictionary<string, IReadOnlyList<long>> typical, BatchingOptions options,
        Clock clock, Lengths lengths)
    {
        (_signature, _typical, _options, _clock) = (signature, typical, options, clock);
        (_padding, _buckets) = (lengths.Plan, lengths.Ladder?.Lengths ?? [0]);
        TypicalBucket = lengths.Ladder is { } ladder ? FindTypical(ladder) : 0;
        ElementsPerRow = ElementsOf(TypicalBucket);
    }

    /// <summary>Input elements of one typical row.</summary>
    public long ElementsPerRow { get; }

    /// <summary>The bucket of the typical shape; 0 without padding.</summary>
    public int TypicalBucket { get; }

    /// <summary>
    /// Curves that were measured before under the same conditions; null when there are none, or where lengths are
    /// padded. Those from a long look are not looked at again: what changed since, the learned times correct.
    /// </summary>
    public BucketCurve[]? Known(ICurveStore kept)
    {
        if (_buckets.Count > 1)
            return null;
        var refined = kept.Find($"refined {Conditions}");
        _refined = refined is not null;
        return (refined ?? kept.Find(Conditions)) is { } curve ? Alike(curve) : null;
    }

    /// <summary>Stores a measured curve for the next load, and gives it back.</summary>
    public BucketCurve[] Keep(ICurveStore kept, BucketCurve[] curves)
    {
        if (_buckets.Count == 1)
            kept.Save(_refined ? $"refined {Conditions}" : Conditions, curves[0].Points);
        return curves;
    }

    /// <summary>The quick look; warms the model up on the way. One curve a bucket.</summary>
    public Outcome<BucketCurve[]> Quick(IBatchReplica replica, CancellationToken cancellation)
    {
        using (var warm = MakeItem(1, TypicalBucket))
        {
            if (RunOnce(replica, warm, TypicalBucket, out _) is { } fault)
                return fault;
        }

        _quick.AddRange(Look(replica, TypicalBucket, cancellation));
        if (_quick.Count == 0)
            return new Fault(FaultKind.RuntimeFailed, "the model failed on a typical input");
        var measured = new BucketCurve?[_buckets.Count];
        measured[TypicalBucket] = new(_quick, ElementsPerRow);
        var look = TimeSpan.FromTicks(_quick.Sum(p => p.Time.Ticks)) + (_quick.Count * s_quickTime);
        var spent = TimeSpan.Zero;
        foreach (var bucket in new[] { _buckets.Count - 1, 0 })
        {
            // What the typical look took, in proportion.
            var cost = look * (ElementsOf(bucket) / (double)ElementsPerRow);
            if (measured[bucket] is not null || spent + cost > s_bucketsTime)
                continue;
            spent += cost;
            if (Look(replica, bucket, cancellation) is { Count: > 0 } curve)
                measured[bucket] = new(curve, ElementsOf(bucket));
        }

        return BucketCurve.Complete(measured);
    }

    /// <summary>
    /// The long look. Sizes beyond the quick look's end are tried too, because a curve may gain again after a flat step
    /// (8 rows 7 % over 4, 16 rows 25 %); it ends after two sizes in a row that cost more per row than the best. The
    /// faster of both looks counts, because noise only ever adds. Null when it was given up, or was done before.
    /// </summary>
    /// <param name="replica">Its own.</param>
    /// <param name="waitForIdle">Waits until nobody else runs; false gives up.</param>
    public BucketCurve[]? Refine(IBatchReplica replica, Func<bool> waitForIdle)
    {
        if (_refined)
            return null;
        var measured = new BucketCurve?[_buckets.Count];
        foreach (var bucket in Visits())
        {
            if (Refine(replica, bucket, waitForIdle) is not { } curve)
                return null;
            if (curve.Count > 0)
                measured[bucket] = new(curve, ElementsOf(bucket));
        }

        _refined = measured[TypicalBucket] is not null;
        return _refined ? BucketCurve.Complete(measured) : null;
    }

    /// <summary>One curve for every bucket: its times hold for every length.</summary>
    public BucketCurve[] Alike(IReadOnlyList<BatchPoint> curve) =>
        [.. Enumerable.Range(0, _buckets.Count).Select(bucket => new BucketCurve(curve, ElementsOf(bucket)))];

    /// <summary>Input elements of one row of a bucket: of a typical row as long as it.</summary>
    public long ElementsOf(int bucket)
    {
        using var row = MakeItem(1, bucket);
        var elements = 0L;
        foreach (ref readonly var tensor in row.Inputs.Span)
            elements += Door.Elements(tensor);
        return Math.Max(elements, 1);
    }

    /// <summary>The typical bucket, then the others, at most so many, evenly spread.</summary>
    private IEnumerable<int> Visits()
    {
        var count = Math.Min(_buckets.Count, BucketsMax);
        var spread = Enumerable.Range(0, count).Select(i => count == 1 ? 0 : i * (_buckets.Count - 1) / (count - 1));
        return spread.Prepend(TypicalBucket).Distinct();
    }

    private List<BatchPoint> Look(IBatchReplica replica, int bucket, CancellationToken cancellation)
    {
        List<BatchPoint> curve = [];
        for (var rows = 1; rows <= RowsMax; rows *= 2)
        {
            cancellation.ThrowIfCancellationRequested();
            if (Measure(replica, rows, bucket, runs: 1, s_quickTime) is not { } time)
                break;
            var point = new BatchPoint(rows, time);
            var gains = curve.Count == 0 || BatchCurve.Gains(curve[^1], point, _options.GainMin);
            curve.Add(point);
            if (!gains)
                break;
        }

        return curve;
    }

    private List<BatchPoint>? Refine(IBatchReplica replica, int bucket, Func<bool> waitForIdle)
    {
        List<BatchPoint> curve = [];
        var (runs, time) = bucket == TypicalBucket ? (3, s_refineTime) : (1, s_quickTime);
        for (var rows = 1; rows <= RowsMax && !IsPastItsBest(curve); rows *= 2)
        {
            if (!waitForIdle())
                return null;
            if (Measure(replica, rows, bucket, runs, time) is not { } took)
                break;
            var quick = bucket == TypicalBucket ? _quick.FindIndex(p => p.Rows == rows) : -1;
            curve.Add(new(rows, quick >= 0 && _quick[quick].Time < took ? _quick[quick].Time : took));
        }

        return curve;
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

    private TimeSpan? Measure(IBatchReplica replica, int rows, int bucket, int runs, TimeSpan atLeast)
    {
        var longer = Math.Max(_buckets[bucket], 1) / (double)Math.Max(_buckets[TypicalBucket], 1);
        if (rows > 1 && rows * ElementsPerRow * longer > ElementsMax)
            return null;
        using var item = MakeItem(rows, bucket);
        var (best, spent) = (TimeSpan.MaxValue, TimeSpan.Zero);
        for (var run = 0; run < runs || (spent < atLeast && run < 64); run++)
        {
            if (RunOnce(replica, item, bucket, out var took) is not null)
                return null;
            spent += took;
            best = took < best ? took : best;
        }

        return best > TimeSpan.Zero ? best : new TimeSpan(1);
    }

    private Fault? RunOnce(IBatchReplica replica, CalibrationItem item, int bucket, out TimeSpan took)
    {
        var control = new Unmarked(_padding is null ? null : new(_padding, _buckets[bucket]));
        var began = _clock.Now;
        var fault = replica.Run([item], control);
        took = _clock.Now - began;
        return fault;
    }

    private CalibrationItem MakeItem(int rows, int bucket)
    {
        var item = new CalibrationItem(rows);
        var random = new Random(rows);
        for (var port = 0; port < _signature.Inputs.Count; port++)
        {
            var spec = _signature.Inputs[port];
            ref var tensor = ref item.Inputs.Add();
            (tensor.Port, tensor.Type) = (port, spec.Type);
            // The replica makes the mask.
            if (_padding?.Mask?.Port == port)
                continue;
            tensor.Shape = TypicalShape(spec, rows);
            if (_padding?.Input(port) is { } padded)
                tensor.Shape = With(tensor.Shape, padded.Axis, _buckets[bucket]);
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

    private static Shape With(Shape shape, int axis, int length)
    {
        shape[axis] = length;
        return shape;
    }

    /// <summary>The bucket of the typical length; the middle one where none is declared.</summary>
    private int FindTypical(ShapeBuckets buckets)
    {
        for (var port = 0; port < _signature.Inputs.Count; port++)
        {
            if (_padding!.Input(port) is { } padded && _typical.TryGetValue(_signature.Inputs[port].Name, out var dims)
                && padded.Axis < dims.Count)
                return buckets.Fit(dims[padded.Axis]).Bucket;
        }

        return buckets.Lengths.Count / 2;
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
}
