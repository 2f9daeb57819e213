using System.Numerics;

namespace Spillway.Store.Audit.Merkle;

/// <summary>
/// Proofs of RFC 6962: that a record is in a tree (2.1.1), that a tree is the beginning of a later one (2.1.2), and how
/// both are checked (RFC 9162, 2.1.3.2 and 2.1.4.2). Pure but for the reading of nodes.
/// </summary>
internal static class MerkleProof
{
    /// <summary>The root of the first <paramref name="size"/> records.</summary>
    public static byte[] Root(long size, INodeSource nodes) =>
        size == 0 ? MerkleHash.Empty : Subtree(0, size, nodes);

    /// <summary>The hashes that lead from a record to the root.</summary>
    /// <param name="index">Of the record, less than <paramref name="size"/>.</param>
    /// <param name="size">Of the tree.</param>
    /// <param name="nodes">At least of that tree.</param>
    public static List<byte[]> Inclusion(long index, long size, INodeSource nodes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, size);
        List<byte[]> path = [];
        var (from, to) = (0L, size);
        while (to - from > 1)
        {
            var middle = from + Split(to - from);
            if (index < middle)
            {
                path.Add(Subtree(middle, to, nodes));
                to = middle;
            }
            else
            {
                path.Add(Subtree(from, middle, nodes));
                from = middle;
            }
        }

        path.Reverse();
        return path;
    }

    /// <summary>The hashes that lead from the root of an earlier size to that of a later one.</summary>
    /// <param name="first">From 1.</param>
    /// <param name="second">At least <paramref name="first"/>.</param>
    /// <param name="nodes">At least of the later tree.</param>
    public static List<byte[]> Consistency(long first, long second, INodeSource nodes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(first, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(first, second);
        List<byte[]> path = [];
        var (from, to, known) = (0L, second, true);
        while (first != to)
        {
            var middle = from + Split(to - from);
            if (first <= middle)
            {
                path.Add(Subtree(middle, to, nodes));
                to = middle;
            }
            else
            {
                path.Add(Subtree(from, middle, nodes));
                (from, known) = (middle, false);
            }
        }

        if (!known)
            path.Add(Subtree(from, to, nodes));
        path.Reverse();
        return path;
    }

    /// <summary>Whether a record's hash at that index leads to the root.</summary>
    public static bool IsIncluded(
        ReadOnlySpan<byte> leaf, long index, long size, IReadOnlyList<byte[]> path, ReadOnlySpan<byte> root)
    {
        if (index < 0 || index >= size)
            return false;
        var (node, last) = (index, size - 1);
        var hash = leaf.ToArray();
        foreach (var other in path)
        {
            if (last == 0)
                return false;
            if ((node & 1) == 1 || node == last)
            {
                hash = MerkleHash.Node(other, hash);
                Rise(ref node, ref last);
            }
            else
            {
                hash = MerkleHash.Node(hash, other);
            }

            (node, last) = (node >> 1, last >> 1);
        }

        return last == 0 && root.SequenceEqual(hash);
    }

    /// <summary>Whether the tree of the first size and root is the beginning of the one of the second.</summary>
    public static bool IsConsistent(
        long first, long second, ReadOnlySpan<byte> firstRoot, ReadOnlySpan<byte> secondRoot,
        IReadOnlyList<byte[]> path)
    {
        if (first < 1 || first > second)
            return false;
        if (first == second)
            return path.Count == 0 && firstRoot.SequenceEqual(secondRoot);
        List<byte[]> hashes = BitOperations.IsPow2(first) ? [firstRoot.ToArray(), .. path] : [.. path];
        return hashes.Count > 0 && Leads(first, second, hashes) is var (before, after)
            && firstRoot.SequenceEqual(before) && secondRoot.SequenceEqual(after);
    }

    /// <summary>The two roots that a path leads to; null for one of the wrong length.</summary>
    private static (byte[] First, byte[] Second)? Leads(long first, long second, List<byte[]> hashes)
    {
        var (node, last) = (first - 1, second - 1);
        while ((node & 1) == 1)
            (node, last) = (node >> 1, last >> 1);
        var (before, after) = (hashes[0], hashes[0]);
        foreach (var other in hashes.Skip(1))
        {
            if (last == 0)
                return null;
            if ((node & 1) == 1 || node == last)
            {
                (before, after) = (MerkleHash.Node(other, before), MerkleHash.Node(other, after));
                Rise(ref node, ref last);
            }
            else
            {
                after = MerkleHash.Node(after, other);
            }

            (node, last) = (node >> 1, last >> 1);
        }

        return last == 0 ? (before, after) : null;
    }

    /// <summary>Past the levels at which a right edge has no partner.</summary>
    private static void Rise(ref long node, ref long last)
    {
        while ((node & 1) == 0 && node != 0)
            (node, last) = (node >> 1, last >> 1);
    }

    private static byte[] Subtree(long from, long to, INodeSource nodes)
    {
        var count = to - from;
        var hash = new byte[MerkleHash.Size];
        if (BitOperations.IsPow2(count) && from % count == 0)
        {
            var level = BitOperations.TrailingZeroCount(count);
            nodes.Read(level, from >> level, hash);
            return hash;
        }

        var middle = from + Split(count);
        MerkleHash.Node(Subtree(from, middle, nodes), Subtree(middle, to, nodes), hash);
        return hash;
    }

    /// <summary>The largest power of two that is smaller.</summary>
    private static long Split(long count) => 1L << (63 - BitOperations.LeadingZeroCount((ulong)(count - 1)));
}
