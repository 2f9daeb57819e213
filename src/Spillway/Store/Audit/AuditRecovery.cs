using System.Globalization;
using Spillway.Store.Audit.Merkle;

namespace Spillway.Store.Audit;

/// <summary>What was found when a log was opened to be continued.</summary>
/// <param name="Range">The tree's right edge.</param>
/// <param name="Segment">First record of the segment that goes on.</param>
/// <param name="SegmentBytes">Its good bytes.</param>
/// <param name="HeadBytes">Good bytes of the file of heads.</param>
/// <param name="Last">The last head; null for none.</param>
/// <param name="Unsigned">Good records behind it.</param>
/// <param name="CutBytes">Bytes of a half-written record that were moved away.</param>
/// <param name="Ended">Whether the last record says that the server stopped.</param>
internal sealed record AuditRecovery(
    CompactRange Range, long Segment, long SegmentBytes, long HeadBytes, AuditHead? Last, long Unsigned, long CutBytes,
    bool Ended)
{
    /// <summary>The action of the record that a clean stop ends with.</summary>
    public const string Stopped = "server.stopped";

    /// <summary>The action of the record that a start begins with when the server before did not stop.</summary>
    public const string Recovered = "server.recovered";

    /// <summary>The time over which the records behind the last head were written.</summary>
    public TimeSpan UnsignedFor { get; init; }

    /// <summary>A stop signs all there is, so nothing is left to mend behind it.</summary>
    public bool IsClean => Ended && Unsigned == 0;

    /// <summary>Whether more stands behind the last head than a crash leaves.</summary>
    /// <param name="headEvery">How often a head is signed.</param>
    public bool LacksHeads(TimeSpan headEvery) =>
        Unsigned > 0 && (Ended || UnsignedFor > headEvery + TimeSpan.FromMinutes(1));

    /// <summary>
    /// Finds where a log ends, mends what a crash leaves (a half-written last record, hashes behind the last one), and
    /// refuses what no crash leaves: then somebody must look, and nothing is touched.
    /// </summary>
    public static Outcome<AuditRecovery> Run(AuditFolder folder, TreeFile tree, string log)
    {
        var (heads, _) = AuditFolder.ReadHeads(folder.Heads);
        var last = heads.Count > 0 ? heads[^1] : null;
        var signed = last?.Size ?? 0;
        if (!Signed(folder, tree, log, last).TryGet(out var range, out var unlike))
            return unlike;
        var segments = folder.Segments();
        var first = segments.LastOrDefault(s => s <= signed, -1);
        if (first < 0)
        {
            return signed == 0 && segments.Count == 0
                ? new AuditRecovery(range, 0, 0, HeadsLength(folder), last, 0, 0, Ended: true)
                : Refused(folder, $"the segment with record {signed} is missing");
        }

        return new Walk(folder, tree, range, signed).From([.. segments.Where(s => s >= first)])
            .TryGet(out var walked, out var fault)
            ? walked with { HeadBytes = HeadsLength(folder), Last = last }
            : fault;
    }

    /// <summary>The tree as the last head has signed it.</summary>
    private static Outcome<CompactRange> Signed(AuditFolder folder, TreeFile tree, string log, AuditHead? last)
    {
        if (last is null)
            return new CompactRange();
        if (last.Log != log)
            return Refused(folder, $"the last head is of another log ({last.Log}, this one is {log})");
        if (tree.Count < NodeAddress.Count(last.Size))
        {
            return Refused(
                folder, $"the tree file holds fewer hashes than the {last.Size} records of the last signed head");
        }

        var range = CompactRange.Load(last.Size, tree);
        return Convert.ToHexStringLower(range.Root()) == last.Root
            ? range
            : Refused(folder, "the tree file does not lead to the root of the last signed head");
    }

    /// <summary>A crash may leave half a line, which is cut off.</summary>
    private static long HeadsLength(AuditFolder folder)
    {
        if (!File.Exists(folder.Heads))
            return 0;
        var bytes = File.ReadAllBytes(folder.Heads);
        return bytes.AsSpan().LastIndexOf((byte)'\n') + 1;
    }

    private static Fault Refused(AuditFolder folder, string what) => new(
        FaultKind.StoreFailed, $"The audit log {folder.Path} cannot be continued: {what}. No crash leaves it so; "
            + "nothing "
            + $"was changed. Run `spillway audit verify {folder.Path}`, keep the folder as evidence, and start with "
            + "another state folder.");

    /// <summary>Reads the segments from the last head on.</summary>
    private sealed class Walk(AuditFolder folder, TreeFile tree, CompactRange range, long signed)
    {
        private readonly byte[] _leaf = new byte[MerkleHash.Size];
        private readonly byte[] _stored = new byte[MerkleHash.Size];
        private readonly byte[] _completed = new byte[CompactRange.CompletedBytesMax];
        private bool _ended;
        private long _unsigned;
        private (long From, long To) _times;

        public Outcome<AuditRecovery> From(IReadOnlyList<long> segments)
        {
            tree.Cut(NodeAddress.Count(signed));
            var (next, bytes, cut) = (segments[0], 0L, 0L);
            foreach (var first in segments)
            {
                if (first != next)
                    return Refused(folder, $"the segment with record {next} is missing");
                using var reader = new SegmentReader(folder.Segment(first));
                FrameState state;
                while ((state = reader.Next(out var frame)) is FrameState.Record && Take(frame, next))
                {
                    next++;
                    bytes = reader.Offset;
                }

                if (next == first)
                    bytes = reader.IsSegment ? RecordFormat.Magic.Length : 0;
                if (state is FrameState.End)
                    continue;
                if (next < signed || first != segments[^1])
                    return Refused(folder, $"record {next} is damaged");
                cut = SetAside(folder.Segment(first), bytes, next);
            }

            return next < signed
                ? Refused(folder, $"records {next} to {signed - 1} are missing, which the last head has signed")
                : new AuditRecovery(range, segments[^1], bytes, 0, null, _unsigned, cut, _ended)
                {
                    UnsignedFor = TimeSpan.FromMicroseconds(_times.To - _times.From),
                };
        }

        private bool Take(Span<byte> frame, long index)
        {
            RecordFormat.Hash(frame, _leaf);
            var record = frame[RecordFormat.FrameBytes..];
            if (!_leaf.AsSpan(0, 4).SequenceEqual(frame[4..8]) || RecordFormat.IndexOf(record) != index)
                return false;
            if (index < signed)
            {
                tree.ReadAt(NodeAddress.Of(0, index), _stored);
                if (!_leaf.AsSpan().SequenceEqual(_stored))
                    return false;
            }
            else
            {
                var count = range.Append(_leaf, _completed);
                tree.WriteAt(NodeAddress.Count(index), _completed.AsSpan(0, count * MerkleHash.Size));
                var time = BitConverter.ToInt64(record[10..]);
                _times = (_unsigned++ == 0 ? time : _times.From, time);
            }

            _ended = record[1] == (byte)AuditKind.Server
                && AuditRecord.Parse(record.ToArray()) is { Action: Stopped };
            return true;
        }

        /// <summary>What is cut off is kept beside the segment: it may be looked at.</summary>
        private long SetAside(string segment, long from, long index)
        {
            using var file = OwnerOnly.Open(segment, FileMode.Open);
            var length = file.Length - from;
            if (length <= 0)
                return 0;
            file.Position = from;
            var name = string.Create(CultureInfo.InvariantCulture, $"torn-{index:D20}.bin");
            using (var aside = OwnerOnly.Open(Path.Combine(folder.Path, name), FileMode.Create))
            {
                file.CopyTo(aside);
                aside.Flush(flushToDisk: true);
            }

            file.SetLength(from);
            return length;
        }
    }
}
