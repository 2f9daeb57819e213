using System.Buffers;
using System.Buffers.Binary;
using System.Numerics;
using System.Text;

namespace Spillway.Protocols.Grpc;

/// <summary>
/// A gRPC frame that is being written: five bytes for its head, then protobuf fields. Pooled, growing, reused by its
/// one owner; keeps up to <see cref="KeptMax"/> bytes between messages. Values that are their type's default are left
/// out, as proto3 does.
/// </summary>
internal sealed class WireBuffer : IDisposable
{
    /// <summary>The compressed flag and the length of the message.</summary>
    public const int FrameHead = 5;

    /// <summary>
    /// A larger buffer goes back to the pool: 64 KiB hold everything but large tensors, which lie elsewhere.
    /// </summary>
    public const int KeptMax = 64 * 1024;

    private const int FirstSize = 1024;

    [ThreadStatic]
    private static WireBuffer? t_own;

    private byte[] _buffer = [];
    private int _at;

    /// <summary>This thread's own, empty, for a message that is written between two awaits.</summary>
    public static WireBuffer OfThisThread
    {
        get
        {
            var own = t_own ??= new();
            own.Clear();
            return own;
        }
    }

    /// <summary>Bytes of the message so far, without the frame's head.</summary>
    public int Length => Math.Max(0, _at - FrameHead);

    /// <summary>
    /// The frame, when <paramref name="behind"/> bytes of the same message follow it from elsewhere; valid until the
    /// next write or <see cref="Clear"/>.
    /// </summary>
    public ReadOnlySpan<byte> Frame(long behind = 0)
    {
        Room(0);
        _buffer[0] = 0;
        BinaryPrimitives.WriteUInt32BigEndian(_buffer.AsSpan(1), checked((uint)(Length + behind)));
        return _buffer.AsSpan(0, _at);
    }

    /// <summary>Empty again.</summary>
    public void Clear()
    {
        if (_buffer.Length > KeptMax)
            Dispose();
        _at = FrameHead;
    }

    /// <summary>Returns the buffer; the object may be used again.</summary>
    public void Dispose()
    {
        if (_buffer.Length > 0)
            ArrayPool<byte>.Shared.Return(_buffer);
        (_buffer, _at) = ([], FrameHead);
    }

    /// <summary>The bytes that a varint takes.</summary>
    public static int SizeOf(ulong value) => (BitOperations.Log2(value | 1) / 7) + 1;

    /// <summary>A bool, an enum or a number of any varint type.</summary>
    public void Whole(int field, ulong value)
    {
        if (value == 0)
            return;
        Tag(field, WireType.Varint);
        Varint(value);
    }

    /// <summary>As above, also when it is 0: the member of a oneof.</summary>
    public void Chosen(int field, ulong value)
    {
        Tag(field, WireType.Varint);
        Varint(value);
    }

    /// <summary>
    /// A string; empty ones too where <paramref name="always"/> asks for them, as members of a list do.
    /// </summary>
    public void Text(int field, ReadOnlySpan<char> value, bool always = false)
    {
        if (value.IsEmpty && !always)
            return;
        Tag(field, WireType.Length);
        var length = Encoding.UTF8.GetByteCount(value);
        Varint((ulong)length);
        Encoding.UTF8.GetBytes(value, Room(length));
        _at += length;
    }

    /// <summary>A string that is UTF-8 already, or bytes.</summary>
    public void Bytes(int field, ReadOnlySpan<byte> value)
    {
        if (value.IsEmpty)
            return;
        Tag(field, WireType.Length);
        Varint((ulong)value.Length);
        value.CopyTo(Room(value.Length));
        _at += value.Length;
    }

    /// <summary>A packed list of int64.</summary>
    public void Packed(int field, ReadOnlySpan<long> values)
    {
        if (values.IsEmpty)
            return;
        var mark = Begin(field);
        foreach (var value in values)
            Varint((ulong)value);
        End(mark);
    }

    /// <summary>Begins a message inside this one; <see cref="End"/> closes it.</summary>
    public int Begin(int field)
    {
        Tag(field, WireType.Length);
        Room(1);
        return ++_at;
    }

    /// <summary>
    /// Closes what <see cref="Begin"/> opened; its content moves only when it is longer than 127 bytes.
    /// </summary>
    public void End(int mark, long behind = 0)
    {
        var length = (ulong)(_at - mark + behind);
        var more = SizeOf(length) - 1;
        if (more > 0)
        {
            Room(more);
            _buffer.AsSpan(mark, _at - mark).CopyTo(_buffer.AsSpan(mark + more));
        }

        var end = _at + more;
        _at = mark - 1;
        Varint(length);
        _at = end;
    }

    private void Tag(int field, WireType type) => Varint((ulong)field << 3 | (uint)type);

    private void Varint(ulong value)
    {
        var room = Room(10);
        var i = 0;
        for (; value >= 0x80; value >>= 7)
            room[i++] = (byte)(value | 0x80);
        room[i++] = (byte)value;
        _at += i;
    }

    private Span<byte> Room(int bytes)
    {
        if (_at < FrameHead)
            _at = FrameHead;
        var needed = (long)_at + bytes;
        if (needed > _buffer.Length)
        {
            var size = Math.Min(Math.Max(needed, Math.Max(FirstSize, 2L * _buffer.Length)), Array.MaxLength);
            if (size < needed)
                throw new InvalidOperationException($"A message's head is limited to {Array.MaxLength} bytes.");
            var larger = ArrayPool<byte>.Shared.Rent((int)size);
            _buffer.AsSpan(0, Math.Min(_at, _buffer.Length)).CopyTo(larger);
            if (_buffer.Length > 0)
                ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = larger;
        }

        return _buffer.AsSpan(_at);
    }
}
