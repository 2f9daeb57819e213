using System.Buffers.Binary;

namespace Spillway.Engine.Doors;

/// <summary>Walks the elements of a BYTES tensor whose lengths were checked when it was translated.</summary>
/// <param name="data">uint32 length and bytes, one after the other.</param>
internal ref struct ByteStrings(ReadOnlyMemory<byte> data)
{
    private ReadOnlyMemory<byte> _rest = data;

    /// <summary>The element that <see cref="MoveNext"/> came to.</summary>
    public ReadOnlyMemory<byte> Current { get; private set; }

    /// <summary>Goes on to the next; false at the end.</summary>
    public bool MoveNext()
    {
        if (_rest.Length < sizeof(uint))
            return false;
        var length = (int)BinaryPrimitives.ReadUInt32LittleEndian(_rest.Span);
        Current = _rest.Slice(sizeof(uint), length);
        _rest = _rest[(sizeof(uint) + length)..];
        return true;
    }

    /// <summary>For foreach.</summary>
    public readonly ByteStrings GetEnumerator() => this;
}
