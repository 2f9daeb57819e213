using System.Text;
using Spillway.Store.Audit.Merkle;

namespace Spillway.Store.Audit;

/// <summary>
/// The files of one log as its writer has them: appends batches of records, and signs heads. A write that fails may be
/// repeated: everything goes to fixed places, over what the failed one left. Not thread-safe.
/// </summary>
internal sealed class AuditFiles : IDisposable
{
    private readonly AuditFolder _folder;
    private readonly AuditKeys _keys;
    private readonly TreeFile _tree;
    private readonly FileStream _heads;
    private readonly CompactRange _range;
    private readonly RecordWriter _records;
    private readonly long _segmentBytesMax;
    private readonly string _publish;
    private readonly byte[] _leaf = new byte[MerkleHash.Size];
    private readonly byte[] _completed = new byte[CompactRange.CompletedBytesMax];
    private byte[] _nodes = new byte[64 * 1024];
    private int _nodeBytes;
    private FileStream? _segment;
    private long _segmentBytes;
    private long _written;
    private long _headBytes;

    private AuditFiles(
        AuditFolder folder, AuditKeys keys, TreeFile tree, AuditRecovery found, AuditOptions options)
    {
        (_folder, _keys, _tree, _range) = (folder, keys, tree, found.Range);
        (_segmentBytesMax, _publish) = (options.SegmentBytesMax, options.Publish);
        _records = new(keys.Callers);
        Found = found;
        Payloads = new(folder.Payloads, keys.Log, keys.Ring);
        _heads = OwnerOnly.Open(folder.Heads);
        (_written, _headBytes, Last) = (found.Range.Size, found.HeadBytes, found.Last);
        _heads.SetLength(_headBytes);
        if (found.SegmentBytes > 0)
            (_segment, _segmentBytes) = (OwnerOnly.Open(folder.Segment(found.Segment)), found.SegmentBytes);
    }

    /// <summary>How the log was when it was opened.</summary>
    public AuditRecovery Found { get; }

    /// <summary>Encrypted inputs.</summary>
    public PayloadStore Payloads { get; }

    /// <summary>Records in the log, those that are not written yet too.</summary>
    public long Size => _range.Size;

    /// <summary>Records that are written, on the disk or on their way to it.</summary>
    public long Written => Interlocked.Read(ref _written);

    /// <summary>The last head; null before the first.</summary>
    public AuditHead? Last { get; private set; }

    /// <summary>Whether encoded records wait for <see cref="Flush"/>.</summary>
    public bool IsPending => _records.Written.Length > 0;

    /// <summary>Opens a log, or begins one.</summary>
    public static Outcome<AuditFiles> Open(AuditFolder folder, AuditKeys keys, AuditOptions options)
    {
        var tree = TreeFile.Write(folder.Path);
        if (AuditRecovery.Run(folder, tree, keys.Log).TryGet(out var found, out var fault))
            return new AuditFiles(folder, keys, tree, found, options);
        tree.Dispose();
        return fault;
    }

    /// <summary>Encodes one more record; nothing is written before <see cref="Flush"/>.</summary>
    public void Add(in AuditEntry entry, in PayloadPlace payload)
    {
        _records.Write(entry, _range.Size, payload, _leaf);
        var bytes = _range.Append(_leaf, _completed) * MerkleHash.Size;
        if (_nodes.Length - _nodeBytes < bytes)
            Array.Resize(ref _nodes, _nodes.Length * 2);
        _completed.AsSpan(0, bytes).CopyTo(_nodes.AsSpan(_nodeBytes));
        _nodeBytes += bytes;
    }

    /// <summary>Writes what was added; throws what the file system throws, and may then be repeated.</summary>
    public void Flush()
    {
        if (!IsPending)
            return;
        if (_segment is null || _segmentBytes >= _segmentBytesMax)
            BeginSegment();
        RandomAccess.Write(_segment!.SafeFileHandle, _records.Written, _segmentBytes);
        _tree.WriteAt(NodeAddress.Count(_written), _nodes.AsSpan(0, _nodeBytes));
        _segmentBytes += _records.Written.Length;
        _records.Clear();
        _nodeBytes = 0;
        Interlocked.Exchange(ref _written, _range.Size);
    }

    /// <summary>
    /// Forces everything to the disk and signs a head, if there is anything new. Throws what the file system throws,
    /// and may then be repeated.
    /// </summary>
    /// <returns>Null, or why the head could not be written to where it is published.</returns>
    public string? Sign(DateTimeOffset now)
    {
        if (_written == (Last?.Size ?? 0) || IsPending)
            return null;
        Payloads.Sync();
        RandomAccess.FlushToDisk(_segment!.SafeFileHandle);
        _tree.Sync();
        var head = AuditHead.Sign(_keys.Log, _range.Size, _range.Root(), now, _keys.Signer);
        var line = Encoding.UTF8.GetBytes(head.Line() + "\n");
        RandomAccess.Write(_heads.SafeFileHandle, line, _headBytes);
        RandomAccess.FlushToDisk(_heads.SafeFileHandle);
        (_headBytes, Last) = (_headBytes + line.Length, head);
        return Publish(line);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _segment?.Dispose();
        _heads.Dispose();
        _tree.Dispose();
        Payloads.Dispose();
    }

    private void BeginSegment()
    {
        if (_segment is not null)
            RandomAccess.FlushToDisk(_segment.SafeFileHandle);
        var next = OwnerOnly.Open(_folder.Segment(_written));
        try
        {
            RandomAccess.Write(next.SafeFileHandle, RecordFormat.Magic, 0);
        }
        catch
        {
            next.Dispose();
            throw;
        }

        _segment?.Dispose();
        (_segment, _segmentBytes) = (next, RecordFormat.Magic.Length);
    }

    private string? Publish(byte[] line)
    {
        if (_publish.Length == 0)
            return null;
        try
        {
            using var file = new FileStream(_publish, FileMode.Append, FileAccess.Write, FileShare.Read);
            file.Write(line);
            file.Flush(flushToDisk: true);
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return e.Message;
        }
    }
}
