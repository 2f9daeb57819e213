using System.Security.Cryptography;

namespace Spillway.Store.Audit.Merkle;

/// <summary>
/// The hashes of RFC 6962, section 2.1: SHA-256 with one byte before it that tells leaves from nodes, so that no node
/// passes for a record. Pure.
/// </summary>
internal static class MerkleHash
{
    /// <summary>Bytes of a hash.</summary>
    public const int Size = SHA256.HashSizeInBytes;

    /// <summary>What stands before a record when it is hashed.</summary>
    public const byte LeafPrefix = 0;

    /// <summary>What stands before two hashes when they are hashed.</summary>
    public const byte NodePrefix = 1;

    /// <summary>The root of a log without records.</summary>
    public static byte[] Empty => SHA256.HashData([]);

    /// <summary>Hash of a record.</summary>
    public static byte[] Leaf(ReadOnlySpan<byte> record)
    {
        var bytes = new byte[record.Length + 1];
        record.CopyTo(bytes.AsSpan(1));
        return SHA256.HashData(bytes);
    }

    /// <summary>Hash of a record that already lies behind its <see cref="LeafPrefix"/>: no copy.</summary>
    public static void PrefixedLeaf(ReadOnlySpan<byte> prefixed, Span<byte> into) => SHA256.HashData(prefixed, into);

    /// <summary>Hash of two subtrees; <paramref name="into"/> may be one of them.</summary>
    public static void Node(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right, Span<byte> into)
    {
        Span<byte> both = stackalloc byte[1 + (2 * Size)];
        both[0] = NodePrefix;
        left.CopyTo(both[1..]);
        right.CopyTo(both[(1 + left.Length)..]);
        SHA256.HashData(both[..(1 + left.Length + right.Length)], into);
    }

    /// <summary>Hash of two subtrees.</summary>
    public static byte[] Node(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right)
    {
        var into = new byte[Size];
        Node(left, right, into);
        return into;
    }
}
