using System.Buffers;

namespace Spillway.Protocols.OpenInference;

/// <summary>
/// A growing pooled buffer for one answer's JSON, reused from answer to answer by its one owner. It keeps up to
/// <see cref="KeptMax"/> bytes between answers.
/// </summary>
internal sealed class ResponseBuffer : IBufferWriter<byte>, IDisposable
{
    /// <summary>A larger buffer goes back to the pool after its answer: 64 KiB hold most answers.</summary>
    public const int KeptMax = 64 * 1024;

    private const int FirstSize = 1024;

    [ThreadStatic]
    private static ResponseBuffer? t_own;

    private byte[] _buffer = [];

    /// <summary>This thread's own, for an answer that is written between two awaits.</summary>
    public static ResponseBuffer OfThisThread => t_own ??= new();

    /// <summary>How much is written.</summary>
    public int WrittenCount { get; private set; }

    /// <summary>What is written, valid until the next write or <see cref="Clear"/>.</summary>
    public ReadOnlyMemory<byte> Written => _buffer.AsMemory(0, WrittenCount);

    /// <inheritdoc/>
    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, _buffer.Length - WrittenCount);
        WrittenCount += count;
    }

    /// <inheritdoc/>
    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Grow(sizeHint);
        return _buffer.AsMemory(WrittenCount);
    }

    /// <inheritdoc/>
    public Span<byte> GetSpan(int sizeHint = 0)
    {
        Grow(sizeHint);
        return _buffer.AsSpan(WrittenCount);
    }

    /// <summary>Empty again, for the next answer.</summary>
    public void Clear()
    {
        WrittenCount = 0;
        if (_buffer.Length > KeptMax)
            Dispose();
    }

    /// <summary>Returns the buffer; the object may be used again.</summary>
    public void Dispose()
    {
        if (_buffer.Length > 0)
            ArrayPool<byte>.Shared.Return(_buffer);
        (_buffer, WrittenCount) = ([], 0);
    }

    private void Grow(int sizeHint)
    {
        var needed = (long)WrittenCount + Math.Max(sizeHint, 1);
        if (needed <= _buffer.Length)
            return;
        var size = Math.Min(Math.Max(needed, Math.Max(FirstSize, 2L * _buffer.Length)), Array.MaxLength);
        if (size < needed)
            throw new InvalidOperationException($"An answer's JSON is limited to {Array.MaxLength} bytes.");
        var larger = ArrayPool<byte>.Shared.Rent((int)size);
        _buffer.AsSpan(0, WrittenCount).CopyTo(larger);
        if (_buffer.Length > 0)
            ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = larger;
    }
}
