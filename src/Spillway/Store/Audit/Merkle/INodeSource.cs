namespace Spillway.Store.Audit.Merkle;

/// <summary>Where complete subtrees' hashes are read from.</summary>
internal interface INodeSource
{
    /// <summary>
    /// The hash of the complete subtree of 2^level records that begins at record index·2^level. Throws
    /// <see cref="EndOfStreamException"/> where there is none.
    /// </summary>
    void Read(int level, long index, Span<byte> into);
}
