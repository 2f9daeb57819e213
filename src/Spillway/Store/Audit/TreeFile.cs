using Microsoft.Win32.SafeHandles;
using Spillway.Store.Audit.Merkle;

namespace Spillway.Store.Audit;

/// <summary>
/// The hashes of the tree on disk, in the order of <see cref="NodeAddress"/>, 64 bytes a record. Everything in it
/// follows from the records; it is kept so that proofs are short reads, and so that a damaged record is known from an
/// undamaged one. Not thread-safe for writing.
/// </summary>
internal sealed class TreeFile : INodeSource, IDisposable
{
    /// <summary>Its name in the folder of the log.</summary>
    public const string Name = "tree";

    private readonly FileStream _owner;
    private readonly SafeFileHandle _file;

    private TreeFile(FileStream owner) => (_owner, _file) = (owner, owner.SafeFileHandle);

    /// <summary>Hashes in it.</summary>
    public long Count => RandomAccess.GetLength(_file) / MerkleHash.Size;

    /// <summary>Opens it to read, also while a server writes it.</summary>
    public static TreeFile Read(string folder) => new(new FileStream(
        Path.Combine(folder, Name), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 0));

    /// <summary>Opens it to write; made where there is none.</summary>
    public static TreeFile Write(string folder) => new(OwnerOnly.Open(Path.Combine(folder, Name)));

    /// <inheritdoc/>
    public void Read(int level, long index, Span<byte> into) => ReadAt(NodeAddress.Of(level, index), into);

    /// <summary>Hashes from a place on, as many as fit; throws where the file ends before.</summary>
    public void ReadAt(long place, Span<byte> into)
    {
        for (var at = place * MerkleHash.Size; into.Length > 0;)
        {
            var read = RandomAccess.Read(_file, into, at);
            if (read == 0)
                throw new EndOfStreamException($"The tree file ends before hash {place}.");
            into = into[read..];
            at += read;
        }
    }

    /// <summary>Writes hashes at a place, over what a failed attempt left there.</summary>
    public void WriteAt(long place, ReadOnlySpan<byte> hashes) =>
        RandomAccess.Write(_file, hashes, place * MerkleHash.Size);

    /// <summary>Cuts everything behind that many hashes off.</summary>
    public void Cut(long count) => RandomAccess.SetLength(_file, count * MerkleHash.Size);

    /// <summary>Returns when what was written is on the disk.</summary>
    public void Sync() => RandomAccess.FlushToDisk(_file);

    /// <inheritdoc/>
    public void Dispose() => _owner.Dispose();
}
