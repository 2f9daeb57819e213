using System.Buffers;

namespace Spillway.Engine.Doors;

/// <summary>Writes into memory of a fixed size that was measured for the worst case.</summary>
/// <param name="room">Where to.</param>
internal sealed class PooledText(Memory<byte> room) : IBufferWriter<byte>
{
    /// <summary>Bytes written.</summary>
    public int Written { get; private set; }

    /// <summary>What was written.</summary>
    public Memory<byte> Memory => room[..Written];

    /// <summary>What was written.</summary>
    public Span<byte> Span => room.Span[..Written];

    /// <summary>Leaves a gap to fill in later; returns where it begins.</summary>
    public int Skip(int count)
    {
        Written += count;
        return Written - count;
    }

    /// <inheritdoc/>
    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, room.Length - Written);
        Written += count;
    }

    /// <inheritdoc/>
    public Memory<byte> GetMemory(int sizeHint = 0) => room[Written..];

    /// <inheritdoc/>
    public Span<byte> GetSpan(int sizeHint = 0) => room.Span[Written..];
}
