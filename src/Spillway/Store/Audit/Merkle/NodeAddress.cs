using System.Numerics;

namespace Spillway.Store.Audit.Merkle;

/// <summary>
/// Where the hashes of a growing tree stand when each is written as soon as it is complete: a leaf, then the nodes that
/// it completes, upwards. Nothing written ever moves, so the file is only appended to, and a proof over millions of
/// records reads a few dozen hashes.
/// </summary>
internal static class NodeAddress
{
    /// <summary>Hashes written for that many records: two a record, but one for each set bit.</summary>
    public static long Count(long records) => (2 * records) - BitOperations.PopCount((ulong)records);

    /// <summary>Place of a node, counted in hashes.</summary>
    /// <param name="level">0 for records.</param>
    /// <param name="index">Of its level, from 0.</param>
    public static long Of(int level, long index) => Count(((index + 1) << level) - 1) + level;
}
