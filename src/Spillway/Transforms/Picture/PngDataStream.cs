using System.Buffers.Binary;

namespace Spillway.Transforms.Picture;

/// <summary>
/// The compressed bytes of a PNG's IDAT chunks as one stream, for the inflater. Only over chunks that
/// <see cref="PngChunks.Read"/> has checked. One thread.
/// </summary>
internal sealed class PngDataStream(ReadOnlyMemory<byte> png, int start) : Stream
{
    private int _next = start;
    private ReadOnlyMemory<byte> _chunk;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override int Read(Span<byte> buffer)
    {
        while (_chunk.IsEmpty)
        {
            var head = png.Span[_next..];
            if (BinaryPrimitives.ReadUInt32BigEndian(head[4..]) != PngChunks.Idat)
                return 0;
            var length = (int)BinaryPrimitives.ReadUInt32BigEndian(head);
            _chunk = png.Slice(_next + 8, length);
            _next += PngChunks.Frame + length;
        }

        var count = Math.Min(buffer.Length, _chunk.Length);
        _chunk.Span[..count].CopyTo(buffer);
        _chunk = _chunk[count..];
        return count;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
