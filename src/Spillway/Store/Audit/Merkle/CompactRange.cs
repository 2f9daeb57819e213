using System.Numerics;

namespace Spillway.Store.Audit.Merkle;

/// <summary>
/// The right edge of a growing tree: one hash for each complete subtree, at most 63. Enough to add records and to tell
/// the root at any moment, in 2 KiB whatever the log's length. Not thread-safe.
/// </summary>
internal sealed class CompactRange
{
    /// <summary>Room for the hashes that one record can complete.</summary>
    public const int CompletedBytesMax = Levels * MerkleHash.Size;

    private const int Levels = 64;

    /// <summary>By level; a level's hash counts where the size has that bit.</summary>
    private readonly byte[] _peaks = new byte[Levels * MerkleHash.Size];

    /// <summary>Records in the tree.</summary>
    public long Size { get; private set; }

    /// <summary>Continues a stored tree.</summary>
    /// <param name="size">Records in it.</param>
    /// <param name="nodes">Its nodes.</param>
    public static CompactRange Load(long size, INodeSource nodes)
    {
        var range = new CompactRange { Size = size };
        for (var level = 0; level < Levels - 1; level++)
        {
            if ((size >> level & 1) == 1)
                nodes.Read(level, (size >> level) - 1, range.Peak(level));
        }

        return range;
    }

    /// <summary>Adds a record's hash.</summary>
    /// <param name="leaf">Of the record.</param>
    /// <param name="completed">
    /// Takes the leaf and then each node that is complete with it, upwards; see <see cref="CompletedBytesMax"/>.
    /// </param>
    /// <returns>How many hashes that are.</returns>
    public int Append(ReadOnlySpan<byte> leaf, Span<byte> completed)
    {
        leaf.CopyTo(completed);
        var level = 0;
        for (; (Size >> level & 1) == 1; level++)
        {
            MerkleHash.Node(
                Peak(level), completed.Slice(level * MerkleHash.Size, MerkleHash.Size),
                completed.Slice((level + 1) * MerkleHash.Size, MerkleHash.Size));
        }

        completed.Slice(level * MerkleHash.Size, MerkleHash.Size).CopyTo(Peak(level));
        Size++;
        return level + 1;
    }

    /// <summary>The root of what is there now.</summary>
    public byte[] Root()
    {
        if (Size == 0)
            return MerkleHash.Empty;
        var lowest = BitOperations.TrailingZeroCount(Size);
        var root = Peak(lowest).ToArray();
        for (var level = lowest + 1; level < Levels - 1; level++)
        {
            if ((Size >> level & 1) == 1)
                MerkleHash.Node(Peak(level), root, root);
        }

        return root;
    }

    private Span<byte> Peak(int level) => _peaks.AsSpan(level * MerkleHash.Size, MerkleHash.Size);
}
