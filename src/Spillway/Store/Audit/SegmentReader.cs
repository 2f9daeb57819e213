using System.Buffers.Binary;

namespace Spillway.Store.Audit;

/// <summary>What stands next in a segment.</summary>
internal enum FrameState
{
    /// <summary>A whole record.</summary>
    Record,

    /// <summary>Nothing.</summary>
    End,

    /// <summary>The beginning of a record whose rest is missing.</summary>
    Torn,

    /// <summary>Bytes that begin no record.</summary>
    Broken,
}

/// <summary>Reads a segment from its beginning, record by record, in large pieces. Not thread-safe.</summary>
internal sealed class SegmentReader : IDisposable
{
    private readonly FileStream _file;
    private readonly byte[] _buffer = new byte[256 * 1024];
    private int _from;
    private int _to;
    private long _read;

    /// <summary>Opens it, also while a server writes it; throws where there is none.</summary>
    /// <param name="file">A segment.</param>
    /// <param name="from">Where a frame begins; 0 for the first.</param>
    public SegmentReader(string file, long from = 0)
    {
        _file = new(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
        Fill(RecordFormat.Magic.Length);
        IsSegment = _buffer.AsSpan(0, _to).StartsWith(RecordFormat.Magic);
        _from = Math.Min(RecordFormat.Magic.Length, _to);
        if (from <= _read)
        {
            _from = Math.Max(_from, (int)from);
            return;
        }

        _file.Position = from;
        (_from, _to, _read) = (0, 0, from);
    }

    /// <summary>Whether it begins as a segment does.</summary>
    public bool IsSegment { get; }

    /// <summary>Where the next frame begins.</summary>
    public long Offset => _read - (_to - _from);

    /// <summary>The next frame, valid until the next call.</summary>
    public FrameState Next(out Span<byte> frame)
    {
        frame = [];
        if (!IsSegment)
            return FrameState.Broken;
        if (!Fill(RecordFormat.FrameBytes))
            return _from == _to ? FrameState.End : FrameState.Torn;
        var length = BinaryPrimitives.ReadInt32LittleEndian(_buffer.AsSpan(_from));
        if (length is < RecordFormat.HeaderBytes or > RecordFormat.RecordBytesMax)
            return FrameState.Broken;
        if (!Fill(RecordFormat.FrameBytes + length))
            return FrameState.Torn;
        frame = _buffer.AsSpan(_from, RecordFormat.FrameBytes + length);
        _from += frame.Length;
        return FrameState.Record;
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    /// <summary>Until so many bytes are there; false when the file ends before.</summary>
    private bool Fill(int count)
    {
        if (_to - _from >= count)
            return true;
        _buffer.AsSpan(_from, _to - _from).CopyTo(_buffer);
        (_from, _to) = (0, _to - _from);
        while (_to < count)
        {
            var read = _file.Read(_buffer.AsSpan(_to));
            if (read == 0)
                return false;
            _to += read;
            _read += read;
        }

        return true;
    }
}
