using System.Buffers.Binary;
using System.Text;

namespace Spillway.Telemetry.Otlp;

/// <summary>
/// Writes Protocol Buffers' wire format into one growing buffer that is used again. A nested message reserves four
/// bytes for its length and fills them in at its end, as a number with leading groups of zero, which every reader
/// takes: so nothing is measured beforehand. One owner.
/// </summary>
internal sealed class ProtoWriter
{
    private const int LengthBytes = 4;
    private const int LengthMax = 1 << 28;
    private const int VarintBytesMax = 10;

    private byte[] _buffer = new byte[16 * 1024];
    private int _length;

    private enum Wire
    {
        Varint = 0,
        Fixed64 = 1,
        Delimited = 2,
        Fixed32 = 5,
    }

    /// <summary>What was written; valid until the next write.</summary>
    public ReadOnlyMemory<byte> Written => _buffer.AsMemory(0, _length);

    /// <summary>Begins anew in the same buffer.</summary>
    public void Reset() => _length = 0;

    /// <summary>An integer, a flag, or a member of an enum.</summary>
    public void Varint(int field, ulong value)
    {
        Tag(field, Wire.Varint);
        Varint(value);
    }

    /// <summary>Eight bytes.</summary>
    public void Fixed64(int field, ulong value)
    {
        Tag(field, Wire.Fixed64);
        Raw64(value);
    }

    /// <summary>Four bytes.</summary>
    public void Fixed32(int field, uint value)
    {
        Tag(field, Wire.Fixed32);
        BinaryPrimitives.WriteUInt32LittleEndian(Room(sizeof(uint)), value);
        _length += sizeof(uint);
    }

    /// <summary>A floating point number.</summary>
    public void Double(int field, double value) => Fixed64(field, BitConverter.DoubleToUInt64Bits(value));

    /// <summary>Text as UTF-8; lone surrogates become the replacement character.</summary>
    public void Text(int field, ReadOnlySpan<char> text)
    {
        Tag(field, Wire.Delimited);
        var bytes = Encoding.UTF8.GetByteCount(text);
        Varint((ulong)bytes);
        _length += Encoding.UTF8.GetBytes(text, Room(bytes));
    }

    /// <summary>A whole message that was written elsewhere, or bytes.</summary>
    public void Bytes(int field, ReadOnlySpan<byte> bytes)
    {
        Tag(field, Wire.Delimited);
        Varint((ulong)bytes.Length);
        bytes.CopyTo(Room(bytes.Length));
        _length += bytes.Length;
    }

    /// <summary>A 64-bit id as its eight bytes, the first the highest.</summary>
    public void Id(int field, ulong id)
    {
        Tag(field, Wire.Delimited);
        Varint(sizeof(ulong));
        BigEndian(id);
    }

    /// <summary>A 128-bit id as its sixteen bytes.</summary>
    public void Id(int field, TraceId id)
    {
        Tag(field, Wire.Delimited);
        Varint(2 * sizeof(ulong));
        BigEndian(id.High);
        BigEndian(id.Low);
    }

    /// <summary>One number of a packed list, between <see cref="Begin"/> and <see cref="End"/>.</summary>
    public void Raw64(ulong value)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(Room(sizeof(ulong)), value);
        _length += sizeof(ulong);
    }

    /// <summary>Opens a message; give what it returns to <see cref="End"/>.</summary>
    public int Begin(int field)
    {
        Tag(field, Wire.Delimited);
        Room(LengthBytes);
        _length += LengthBytes;
        return _length;
    }

    /// <summary>Closes the message that was opened there.</summary>
    public void End(int begun)
    {
        var length = _length - begun;
        if (length >= LengthMax)
            throw new InvalidOperationException($"A message of {length} bytes; at most {LengthMax}.");
        for (var i = 0; i < LengthBytes; i++)
        {
            var group = (byte)((length >> (7 * i)) & 0x7f);
            _buffer[begun - LengthBytes + i] = i < LengthBytes - 1 ? (byte)(group + 0x80) : group;
        }
    }

    private void BigEndian(ulong value)
    {
        BinaryPrimitives.WriteUInt64BigEndian(Room(sizeof(ulong)), value);
        _length += sizeof(ulong);
    }

    private void Tag(int field, Wire wire) => Varint(((uint)field << 3) | (uint)wire);

    private void Varint(ulong value)
    {
        var room = Room(VarintBytesMax);
        var written = 0;
        for (; value >= 0x80; value >>= 7)
            room[written++] = (byte)(value | 0x80);
        room[written++] = (byte)value;
        _length += written;
    }

    private Span<byte> Room(int bytes)
    {
        if (_buffer.Length - _length < bytes)
            Array.Resize(ref _buffer, Math.Max(_buffer.Length * 2, checked(_length + bytes)));
        return _buffer.AsSpan(_length, bytes);
    }
}
