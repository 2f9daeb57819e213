using System.Buffers.Binary;
using Spillway.Store.Audit.Merkle;

namespace Spillway.Store.Audit;

/// <summary>
/// How records lie in a segment: a file that begins with <see cref="Magic"/>, then for each record its length (4 bytes,
/// little-endian), the first 4 bytes of its leaf hash, and the record. A record is: format (1), kind (1), index (8),
/// wall time in microseconds (8), then fields of tag (1), length (2) and bytes. Described in docs/features/audit.md, so
/// that anybody can check a log without this program.
/// </summary>
internal static class RecordFormat
{
    /// <summary>Version of the records.</summary>
    public const byte Format = 1;

    /// <summary>Length and check before a record.</summary>
    public const int FrameBytes = 8;

    /// <summary>Bytes before the first field.</summary>
    public const int HeaderBytes = 18;

    /// <summary>The longest record; every text in it is cut to a fraction of that.</summary>
    public const int RecordBytesMax = 16 * 1024;

    /// <summary>What a segment begins with.</summary>
    public static ReadOnlySpan<byte> Magic => "SPWAUD1\n"u8;

    /// <summary>
    /// Completes a frame whose record is written: its length, its hash, its check.
    /// </summary>
    /// <param name="frame">Frame and record.</param>
    /// <param name="leaf">Takes the record's hash.</param>
    public static void Close(Span<byte> frame, Span<byte> leaf)
    {
        Hash(frame, leaf);
        BinaryPrimitives.WriteInt32LittleEndian(frame, frame.Length - FrameBytes);
        leaf[..4].CopyTo(frame[4..]);
    }

    /// <summary>The record's hash, without a copy: the byte before the record lends its place to the prefix.</summary>
    public static void Hash(Span<byte> frame, Span<byte> leaf)
    {
        var before = frame[FrameBytes - 1];
        frame[FrameBytes - 1] = MerkleHash.LeafPrefix;
        MerkleHash.PrefixedLeaf(frame[(FrameBytes - 1)..], leaf);
        frame[FrameBytes - 1] = before;
    }

    /// <summary>The index that a record says it has; -1 for what is no record.</summary>
    public static long IndexOf(ReadOnlySpan<byte> record) => record.Length >= HeaderBytes && record[0] == Format
        ? BinaryPrimitives.ReadInt64LittleEndian(record[2..])
        : -1;
}
