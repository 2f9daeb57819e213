using System.Buffers;
using System.IO.Compression;
using System.IO.Pipelines;

namespace Spillway.Protocols;

/// <summary>
/// The compressed bytes of a request's body as they arrive, for the inflater. It counts them, and ends the stream when
/// they are more than a body may have: nothing that is longer than that can inflate to less.
/// </summary>
/// <param name="body">The connection.</param>
/// <param name="most">The most bytes; more make <see cref="Exceeded"/>.</param>
internal sealed class CompressedSource(PipeReader body, long most) : Stream
{
    // A gzip member's ten bytes before its data, at least two of data, and eight behind it.
    private const int GzipBytesMin = 20;

    private long _taken;
    private uint _lastFour;
    private bool _ranDry;

    /// <summary>There were more bytes than may be.</summary>
    public bool Exceeded => _taken > most;

    /// <summary>Reading from the connection threw, so what comes out of the inflater is not its own.</summary>
    public bool Failed { get; private set; }

    /// <inheritdoc/>
    public override bool CanRead => true;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => false;

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>
    /// Whether the inflated bytes are all there were. The inflater tells damaged data but not a missing end, so this
    /// does: zlib and bare deflate have ended when no more was asked for than came; gzip is asked for a further member,
    /// but ends with the length of what it held. (So a body is one member.)
    /// </summary>
    public bool IsWhole(ContentCoding coding, int inflated)
    {
        if (_taken == 0)
            return true;
        return coding is ContentCoding.Gzip ? _taken >= GzipBytesMin && _lastFour == (uint)inflated : !_ranDry;
    }

    /// <summary>The inflater for the coding. Deflate is told by its first two bytes, which stay unread.</summary>
    public async ValueTask<Stream> InflateAsync(ContentCoding coding)
    {
        if (coding is ContentCoding.Gzip)
            return new GZipStream(this, CompressionMode.Decompress);
        Failed = true;
        var read = await body.ReadAtLeastAsync(2).ConfigureAwait(false);
        var zlib = IsZlib(read.Buffer);
        body.AdvanceTo(read.Buffer.Start);
        Failed = false;
        return zlib
            ? new ZLibStream(this, CompressionMode.Decompress)
            : new DeflateStream(this, CompressionMode.Decompress);
    }

    /// <inheritdoc/>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (Exceeded)
            return 0;
        Failed = true;
        var read = await body.ReadAsync(cancellationToken).ConfigureAwait(false);
        Failed = false;
        var count = (int)Math.Min(buffer.Length, read.Buffer.Length);
        var part = read.Buffer.Slice(0, count);
        part.CopyTo(buffer.Span);
        body.AdvanceTo(part.End);
        _taken += count;
        _ranDry |= count == 0 && buffer.Length > 0;
        Remember(buffer.Span[..count]);
        return Exceeded ? 0 : count;
    }

    /// <inheritdoc/>
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) =>
        throw new NotSupportedException("Bodies are read asynchronously.");

    /// <inheritdoc/>
    public override void Flush()
    {
    }

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    private void Remember(ReadOnlySpan<byte> taken)
    {
        foreach (var value in taken[Math.Max(0, taken.Length - 4)..])
            _lastFour = (_lastFour >> 8) | ((uint)value << 24);
    }

    /// <summary>
    /// RFC 1950: method 8, and a header that 31 divides. No bare deflate begins so: its low three bits would mean a
    /// stored block, whose next five are zero.
    /// </summary>
    private static bool IsZlib(in ReadOnlySequence<byte> start)
    {
        Span<byte> header = stackalloc byte[2];
        if (start.Length < 2)
            return true;
        start.Slice(0, 2).CopyTo(header);
        return (header[0] & 0x0F) == 8 && ((header[0] << 8) | header[1]) % 31 == 0;
    }
}
