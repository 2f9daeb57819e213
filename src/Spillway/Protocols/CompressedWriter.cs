using System.Buffers;
using System.IO.Compression;

namespace Spillway.Protocols;

/// <summary>Compresses an answer into a buffer writer, piece by piece; the caller flushes where that leads.</summary>
internal sealed class CompressedWriter : IDisposable
{
    private readonly Sink _sink;
    private readonly Stream _deflater;

    /// <param name="coding">Not identity.</param>
    /// <param name="into">Where the compressed bytes go.</param>
    public CompressedWriter(ContentCoding coding, IBufferWriter<byte> into)
    {
        _sink = new(into);
        // The fastest level: on tensors the slower ones save a few percent for several times the processor time.
        _deflater = coding is ContentCoding.Gzip
            ? new GZipStream(_sink, CompressionLevel.Fastest)
            : new ZLibStream(_sink, CompressionLevel.Fastest);
    }

    /// <summary>Compressed bytes so far; all of them after <see cref="Dispose"/>.</summary>
    public long Written => _sink.Written;

    /// <summary>Compresses more.</summary>
    public void Write(ReadOnlySpan<byte> data) => _deflater.Write(data);

    /// <summary>Writes what is left.</summary>
    public void Dispose() => _deflater.Dispose();

    private sealed class Sink(IBufferWriter<byte> into) : Stream
    {
        public long Written { get; private set; }

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            into.Write(buffer);
            Written += buffer.Length;
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
