using Spillway.Store.Audit.Merkle;

namespace Spillway.Store.Audit;

/// <summary>A proof that a record is in a log, with the head that it leads to.</summary>
/// <param name="Record">The record.</param>
/// <param name="Path">The hashes from the record to the root.</param>
/// <param name="Head">Signed.</param>
public sealed record AuditInclusion(AuditRecord Record, IReadOnlyList<byte[]> Path, AuditHead Head);

/// <summary>
/// Reads records and proofs of a log, also while a server writes it. Holds nothing open between calls, and knows where
/// the last one ended. Thread-safe.
/// </summary>
/// <param name="folder">The log.</param>
public sealed class AuditReader(AuditFolder folder)
{
    /// <summary>
    /// Where the record behind the last one read begins: whoever reads page by page does not begin anew each time. One
    /// object, so that readers on several threads see the parts of one place.
    /// </summary>
    private volatile Place _place = new(-1, 0, 0);

    /// <summary>The records from an index on, in order; ends at the first that is not whole.</summary>
    public IEnumerable<AuditRecord> From(long index)
    {
        var segments = folder.Segments();
        var start = Math.Max(0, segments.Count - 1 - segments.Reverse().TakeWhile(s => s > index).Count());
        foreach (var first in segments.Skip(start))
        {
            var (segment, known, offset) = _place;
            var isKnown = segment == first && known <= index;
            using var reader = new SegmentReader(folder.Segment(first), isKnown ? offset : 0);
            for (var at = isKnown ? known : first; Whole(reader) is { } bytes; at++)
            {
                if (at < index)
                    continue;
                if (AuditRecord.Parse(bytes) is not { } record)
                    yield break;
                _place = new(first, at + 1, reader.Offset);
                yield return record;
            }
        }
    }

    /// <summary>A record by its index; null for none.</summary>
    public AuditRecord? Find(long index) => index < 0 ? null : From(index).FirstOrDefault(r => r.Index == index);

    /// <summary>The newest record of a request that is no payload; null for none. Reads the whole log.</summary>
    public AuditRecord? FindRequest(string id) =>
        From(0).LastOrDefault(r => r.RequestId == id && r.Kind is not AuditKind.Payload);

    /// <summary>Proves that a record is under the newest head; a fault says why it cannot be proved.</summary>
    public Outcome<AuditInclusion> Prove(long index)
    {
        if (Find(index) is not { } record)
            return new Fault(FaultKind.UnknownRequest, $"The log has no whole record {index}.");
        if (Newest() is not { } head || head.Size <= index)
        {
            return new Fault(FaultKind.UnknownRequest, $"Record {index} is not under a signed head yet; the next "
                + "one comes "
                + "within audit.headMs.");
        }

        using var tree = TreeFile.Read(folder.Path);
        return new AuditInclusion(record, MerkleProof.Inclusion(index, head.Size, tree), head);
    }

    /// <summary>Proves that the log of an earlier size is the beginning of that of a later one.</summary>
    public Outcome<IReadOnlyList<byte[]>> ProveConsistent(long first, long second)
    {
        using var tree = TreeFile.Read(folder.Path);
        return first < 1 || first > second || NodeAddress.Count(second) > tree.Count
            ? new Fault(FaultKind.UnknownRequest, $"There is no log of {first} records that grew to {second}: give "
                + "two sizes "
                + "of heads, the smaller first.")
            : MerkleProof.Consistency(first, second, tree);
    }

    /// <summary>The newest head; null before the first.</summary>
    public AuditHead? Newest() => AuditFolder.ReadHeads(folder.Heads).Heads is [.., var last] ? last : null;

    /// <summary>
    /// Whether a proof holds: the record's hash leads to the root of its head. Its signature is not looked at.
    /// </summary>
    public static bool Holds(AuditInclusion proof) => MerkleProof.IsIncluded(
        MerkleHash.Leaf(proof.Record.Bytes.Span), proof.Record.Index, proof.Head.Size, proof.Path,
        Convert.FromHexString(proof.Head.Root));

    /// <summary>Whether a later head continues an earlier one.</summary>
    public static bool Holds(AuditHead first, AuditHead second, IReadOnlyList<byte[]> path) => MerkleProof.IsConsistent(
        first.Size, second.Size, Convert.FromHexString(first.Root), Convert.FromHexString(second.Root), path);

    private sealed record Place(long Segment, long Index, long Offset);

    private static byte[]? Whole(SegmentReader reader) => reader.Next(out var frame) is FrameState.Record
        ? frame[RecordFormat.FrameBytes..].ToArray()
        : null;
}
