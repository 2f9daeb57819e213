using Spillway.Policies.Batching;
using Spillway.Telemetry;

namespace Spillway.Flow;

/// <content>What runs together, and how long that makes the run.</content>
public sealed partial class DeploymentFlow
{
    private readonly ShapeBuckets? _buckets;
    private readonly int _typical;
    private readonly int[] _useful;

    /// <summary>The largest useful batch of each bucket.</summary>
    private void Useful(IReadOnlyList<BucketCurve> curves)
    {
        for (var bucket = 0; bucket < _useful.Length; bucket++)
        {
            var rows = BatchCurve.UsefulRows(curves[bucket].Points, _options.GainMin);
            _useful[bucket] = Math.Min(rows, _options.BatchRowsMax);
        }
    }

    /// <summary>
    /// Where a request stands on the ladder of lengths. Without one, only equal lengths run together.
    /// </summary>
    private Extent Extend(in Claim claim)
    {
        if (claim.Length <= 0)
            return new(0, 0, 0, claim.Elements, 0, claim.Elements);
        var fit = _buckets?.Fit(claim.Length) ?? new(0, claim.Length);
        var growing = (claim.Elements - claim.FixedElements) / claim.Length;
        var alone = _buckets is { ToLongest: true } ? claim.Length : fit.Length;
        var padded = claim.Elements + (growing * (alone - claim.Length));
        return new(fit.Bucket, claim.Length, fit.Length, claim.Elements, growing, padded);
    }

    private TimeSpan Predict(in Load load) => _times.Predict(load.Rows, load.Elements, load.Bucket);

    /// <summary>The learned time of a request's own run.</summary>
    private TimeSpan Alone(in Slot item) => _times.Predict(item.Rows, item.Extent.Elements, item.Extent.Bucket);

    /// <summary>
    /// Fills a batch from the first that is ready: in line order, of its group, within every deadline.
    /// </summary>
    private (Load Load, CutReason Why) Fill(int head, Span<int> batch, Instant now)
    {
        ref var first = ref _slots[_line[head]];
        var group = first.Group;
        var (load, earliest) = (new Load { Bucket = first.Extent.Bucket }, Instant.Never);
        var most = Math.Max(_useful[load.Bucket], first.Rows);
        var why = _batchWait > TimeSpan.Zero ? CutReason.Wait : CutReason.Idle;
        for (var i = head; i < _line.Count && load.Count < BatchMax;)
        {
            ref var item = ref _slots[_line[i]];
            if (item.State is not SlotState.Ready || item.Group != group)
            {
                if (item.State is SlotState.Ready)
                    why = CutReason.Shape;
                i++;
                continue;
            }

            if (load.Rows + item.Rows > most)
                return (load, CutReason.Full);
            earliest = Instant.Earlier(earliest, item.Deadline);
            var larger = With(load, item);
            if (load.Count > 0 && now + Safe(Predict(larger)) > earliest)
                return (load, CutReason.Deadline);
            batch[load.Count] = _line[i];
            load = larger;
            _line.RemoveAt(i);
        }

        return (load, load.Rows >= most ? CutReason.Full : why);
    }

    private Load With(in Load load, in Slot item)
    {
        var extent = item.Extent;
        var length = Math.Max(load.Length, _buckets is { ToLongest: true } ? extent.Length : extent.PadTo);
        var (own, growing) = (load.Own + extent.Own, load.Growing + extent.Growing);
        var fixedElements = load.Fixed + extent.Own - (extent.Growing * extent.Length);
        return load with
        {
            Count = load.Count + 1, Rows = load.Rows + item.Rows, Own = own, Growing = growing,
            Fixed = fixedElements, Length = length, Elements = fixedElements + (growing * length),
        };
    }

    /// <summary>What may run together: equal forms, padded to an equal length.</summary>
    private readonly record struct Group(Shape Form, long PadTo);

    /// <summary>A request's length and what it makes of its elements.</summary>
    /// <param name="Bucket">Whose times hold.</param>
    /// <param name="Length">Its own; 0 for none.</param>
    /// <param name="PadTo">The most that it is padded to.</param>
    /// <param name="Own">Elements without padding.</param>
    /// <param name="Growing">Elements that each position of length holds, all rows together.</param>
    /// <param name="Elements">Elements of a run of it alone, padding included.</param>
    private readonly record struct Extent(int Bucket, long Length, long PadTo, long Own, long Growing, long Elements);

    /// <summary>A batch as it grows: all items together.</summary>
    private readonly record struct Load
    {
        public int Bucket { get; init; }

        public int Count { get; init; }

        public int Rows { get; init; }

        /// <summary>The length that all are padded to.</summary>
        public long Length { get; init; }

        /// <summary>Elements without padding.</summary>
        public long Own { get; init; }

        /// <summary>Elements of each position of length.</summary>
        public long Growing { get; init; }

        /// <summary>Elements that do not grow with the length.</summary>
        public long Fixed { get; init; }

        /// <summary>Elements with padding.</summary>
        public long Elements { get; init; }
    }
}
