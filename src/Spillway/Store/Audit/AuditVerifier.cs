using System.Security.Cryptography;
using Spillway.Store.Audit.Merkle;

namespace Spillway.Store.Audit;

/// <summary>
/// Reads a log from its first byte to its last and holds every record, hash and head against the others. Needs no
/// server and no secret; reads beside a running server too.
/// </summary>
/// <param name="folder">The log.</param>
/// <param name="keys">Public keys that may have signed heads.</param>
/// <param name="published">Heads that were kept elsewhere; only they show a log that was written anew with its
/// key.</param>
public sealed class AuditVerifier(AuditFolder folder, IReadOnlyList<ECDsa> keys, IReadOnlyList<AuditHead> published)
{
    private const int NotesMax = 20;
    private const int TellEvery = 4096;

    private readonly CompactRange _range = new();
    private readonly AuditTail _tail = new();
    private readonly byte[] _leaf = new byte[MerkleHash.Size];
    private readonly byte[] _completed = new byte[CompactRange.CompletedBytesMax];
    private readonly byte[] _stored = new byte[CompactRange.CompletedBytesMax];
    private readonly List<string> _notes = [];
    private readonly Queue<AuditHead> _heads = new();
    private TreeFile? _tree;
    private AuditHead? _good;
    private int _goodHeads;
    private AuditDamage? _tainted;
    private long _suspect = -1;

    /// <summary>
    /// Verifies. Damage is in the report; throws what the file system throws for files that cannot be read.
    /// </summary>
    /// <param name="progress">Told records read and the sum expected, now and then.</param>
    /// <param name="cancellation">Ends early.</param>
    public AuditReport Run(IProgress<(long Done, long All)>? progress, CancellationToken cancellation)
    {
        var log = folder.ReadId();
        var damage = Whole(Heads(log), progress, cancellation);
        if (_tail.Jumps > 0)
        {
            Note($"The server's clock went back {_tail.Jumps} time(s); the order of the records is that of their "
                + "indexes.");
        }

        var signed = _good?.Size ?? 0;
        if (damage is null && _tail.Note(_range.Size, signed) is { } unsigned)
            Note(unsigned);
        return new()
        {
            Log = log, Records = damage is null ? _range.Size : Math.Min(_range.Size, damage.First), Heads = _goodHeads,
            Signed = signed, Root = Convert.ToHexStringLower(_range.Root()), Damage = damage, Notes = _notes,
        };
    }

    /// <summary>Reads everything; the first thing that is wrong.</summary>
    private AuditDamage? Whole(
        AuditDamage? forged, IProgress<(long Done, long All)>? progress, CancellationToken cancellation)
    {
        var all = _heads.Count > 0 ? _heads.Max(h => h.Size) : 0;
        if (File.Exists(Path.Combine(folder.Path, TreeFile.Name)))
            _tree = TreeFile.Read(folder.Path);
        using (_tree)
        {
            var damage = First(Head() ?? Segments(all, progress, cancellation), forged);
            if (damage is null)
                damage = _range.Size < all ? Missing(all) : _tail.End(_range.Size, Signed);
            return First(_suspect >= 0 ? Altered(_suspect, isWhole: true) : TreeEnd() ?? _tainted, damage);
        }
    }

    /// <summary>The first of two; but a head that does not count is not one that is gone.</summary>
    private static AuditDamage? First(AuditDamage? a, AuditDamage? b) => a is null
        || (b is not null && (b.First < a.First || a.Kind is AuditDamageKind.HeadMissing)) ? b : a;

    /// <summary>The heads in the order of their sizes, those kept elsewhere among them.</summary>
    private AuditDamage? Heads(string log)
    {
        var (own, broken) = AuditFolder.ReadHeads(folder.Heads);
        AuditDamage? damage = null;
        if (broken > 0)
            Note($"{broken} line(s) of the file of heads cannot be read: half-written in a crash, or damaged.");
        var before = 0L;
        foreach (var head in own.Concat(published).OrderBy(h => h.Size))
        {
            if (head.Log != log || !head.IsSignedBy(keys))
            {
                damage ??= new(AuditDamageKind.HeadForged, before, Math.Max(head.Size - 1, before), head.Log != log
                    ? $"The head at {head.Size} is of another log ({head.Log}; this one is {log})."
                    : $"The head at {head.Size} is not signed by a trusted key (it names {Short(head.Key)}), so "
                        + "what stands "
                        + $"from record {before} on is not proven by it.");
                continue;
            }

            _heads.Enqueue(head);
            before = head.Size;
        }

        if (own.Zip(own.Skip(1)).Any(pair => pair.First.Size > pair.Second.Size))
            Note("The heads are not in the order of their sizes.");
        return damage;
    }

    private AuditDamage? Segments(
        long all, IProgress<(long Done, long All)>? progress, CancellationToken cancellation)
    {
        var segments = folder.Segments();
        for (var i = 0; i < segments.Count; i++)
        {
            if (segments[i] != _range.Size)
            {
                return segments[i] > _range.Size
                    ? new(AuditDamageKind.Removed, _range.Size, segments[i] - 1,
                        $"Records {_range.Size} to {segments[i] - 1} are missing: a segment, or the end of one, is "
                            + "gone.")
                    : new(AuditDamageKind.Reordered, segments[i], _range.Size,
                        $"The segment of record {segments[i]} begins inside the one before.");
            }

            using var reader = new SegmentReader(folder.Segment(segments[i]));
            if (Segment(reader, i == segments.Count - 1, all, progress, cancellation) is { } damage)
                return damage;
        }

        return null;
    }

    private AuditDamage? Segment(
        SegmentReader reader, bool isLast, long all, IProgress<(long Done, long All)>? progress,
        CancellationToken cancellation)
    {
        while (true)
        {
            var state = reader.Next(out var frame);
            if (state is not FrameState.Record)
                return End(state, isLast);
            if (Record(frame) is { } damage)
                return damage;
            if (_range.Size % TellEvery == 0)
            {
                progress?.Report((_range.Size, Math.Max(all, _range.Size)));
                cancellation.ThrowIfCancellationRequested();
            }
        }
    }

    /// <summary>A segment ends; rightly, but where no whole record stands.</summary>
    private AuditDamage? End(FrameState state, bool isLast)
    {
        if (state is FrameState.End)
            return null;
        if (state is not FrameState.Torn || !isLast || _heads.Count > 0)
        {
            return new(AuditDamageKind.Altered, _range.Size, _range.Size,
                $"Record {_range.Size} cannot be read: its length or its end is damaged.");
        }

        Note($"Record {_range.Size} is half written: a server writes now, or it was killed. Its next start says so.");
        return null;
    }

    private AuditDamage? Record(Span<byte> frame)
    {
        var index = _range.Size;
        var record = frame[RecordFormat.FrameBytes..];
        RecordFormat.Hash(frame, _leaf);
        var isWhole = _leaf.AsSpan(0, 4).SequenceEqual(frame[4..8]);
        var said = RecordFormat.IndexOf(record);
        if (isWhole && said != index)
            return Displaced(index, said);
        if (!isWhole)
            return Altered(index, isWhole: false);
        var action = AuditTail.ActionOf(record);
        if (_tail.Before(action, Signed) is { } unstopped)
            return unstopped;
        var hashes = _range.Append(_leaf, _completed) * MerkleHash.Size;
        Compare(index, hashes);
        _tail.Took(record, index, Signed);
        var damage = Head();
        _tail.Headed(action, index, Signed);
        return damage;
    }

    /// <summary>Records that the last good head covers.</summary>
    private long Signed => _good?.Size ?? 0;

    /// <summary>
    /// Holds a record's hash against the one that was kept. Which of the two was changed, the next head tells.
    /// </summary>
    private void Compare(long index, int hashes)
    {
        if (_tree is null || _tree.Count < NodeAddress.Count(index + 1))
            return;
        _tree.ReadAt(NodeAddress.Count(index), _stored.AsSpan(0, hashes));
        if (!_leaf.AsSpan().SequenceEqual(_stored.AsSpan(0, MerkleHash.Size)) && _suspect < 0)
            _suspect = index;
        else if (!_completed.AsSpan(0, hashes).SequenceEqual(_stored.AsSpan(0, hashes)))
            _tainted ??= Tree(index);
    }

    private static AuditDamage Tree(long index) => new(AuditDamageKind.TreeAltered, index, index,
        $"The tree file is damaged at record {index}; the records are whole, and the tree can be made anew from them.");

    private AuditDamage? TreeEnd()
    {
        var signed = _good?.Size ?? 0;
        var hashes = _tree is null ? 0 : _tree.Count;
        return hashes < NodeAddress.Count(signed)
            ? new(AuditDamageKind.TreeAltered, signed, signed,
                $"The tree file is missing or ends too early: {hashes} hashes for {signed} signed records.")
            : null;
    }

    private static AuditDamage Displaced(long index, long said) => said > index
        ? new(AuditDamageKind.Removed, index, said - 1,
            $"Record {index} is missing: record {said} stands in its place.")
        : new(AuditDamageKind.Reordered, index, index, $"Record {said} stands in the place of record {index}.");

    /// <summary>A record whose hash is not the one that was kept: it was changed, or the hash was.</summary>
    private static AuditDamage Altered(long index, bool isWhole) => new(AuditDamageKind.Altered, index, index, isWhole
        ? $"Record {index} was altered: it and its own check agree, its hash in the tree does not."
        : $"Record {index} was altered: its bytes do not have the hash that was written with them.");

    /// <summary>Every head of the size reached.</summary>
    private AuditDamage? Head()
    {
        while (_heads.TryPeek(out var head) && head.Size <= _range.Size)
        {
            _heads.Dequeue();
            if (head.Root != Convert.ToHexStringLower(_range.Root()))
            {
                var from = _good?.Size ?? 0;
                if (_suspect >= 0)
                    return Altered(_suspect, isWhole: true);
                return new(AuditDamageKind.Rewritten, from, Math.Max(head.Size - 1, from),
                    $"The head at {head.Size}, signed {head.Time}, has another root: something between record "
                        + $"{from} and "
                    + $"record {head.Size - 1} was written anew after it was signed.");
            }

            (_good, _goodHeads) = (head, _goodHeads + 1);
            if (_suspect >= 0)
                _tainted ??= Tree(_suspect);
            _suspect = -1;
        }

        return null;
    }

    private AuditDamage Missing(long all) => new(AuditDamageKind.Truncated, _range.Size, all - 1,
        $"Records {_range.Size} to {all - 1} are missing: the log ends before them, and a head has signed {all}.");

    private void Note(string note)
    {
        if (_notes.Count < NotesMax)
            _notes.Add(note);
    }

    private static string Short(string key) => key.Length > 16 ? key[..16] + "…" : key;
}
