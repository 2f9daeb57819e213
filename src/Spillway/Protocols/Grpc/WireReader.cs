namespace Spillway.Protocols.Grpc;

/// <summary>
/// Walks over the fields of one protobuf message without copying or allocating. What it returns lies in the message.
/// The first thing that is wrong stops it: <see cref="Next"/> is false from then on, and <see cref="Failed"/> true.
/// https://protobuf.dev/programming-guides/encoding/
/// </summary>
internal ref struct WireReader(ReadOnlySpan<byte> message)
{
    private readonly ReadOnlySpan<byte> _message = message;
    private int _at;

    /// <summary>The message is broken at <see cref="Position"/>.</summary>
    public bool Failed { get; private set; }

    /// <summary>How far it has come, in bytes.</summary>
    public readonly int Position => _at;

    /// <summary>How the current field is written.</summary>
    public WireType Type { get; private set; }

    /// <summary>Goes to the next field; false at the end. The caller then reads or skips its value.</summary>
    public bool Next(out int field)
    {
        field = 0;
        if (Failed || _at == _message.Length)
            return false;
        var tag = Varint();
        // Field numbers are 1 to 2^29 - 1.
        if (Failed || tag > uint.MaxValue || tag >> 3 == 0 || (tag & 7) is not (0 or 1 or 2 or 5))
        {
            Failed = true;
            return false;
        }

        (field, Type) = ((int)(tag >> 3), (WireType)(tag & 7));
        return true;
    }

    /// <summary>A value of a field that must be a varint.</summary>
    public ulong Whole()
    {
        if (Type == WireType.Varint)
            return Varint();
        Failed = true;
        return 0;
    }

    /// <summary>The bytes of a field that must have a length: a string, bytes, a message, a packed list.</summary>
    public ReadOnlySpan<byte> Bytes()
    {
        if (Type != WireType.Length)
        {
            Failed = true;
            return [];
        }

        var length = Varint();
        if (Failed || length > (ulong)(_message.Length - _at))
        {
            Failed = true;
            return [];
        }

        _at += (int)length;
        return _message.Slice(_at - (int)length, (int)length);
    }

    /// <summary>The four or eight bytes of a fixed field of that type.</summary>
    public ReadOnlySpan<byte> Fixed(WireType type) =>
        Type == type && TakeFixed(type == WireType.Fixed64 ? 8 : 4, out var bytes) ? bytes : Fail();

    /// <summary>Passes over the value of the current field.</summary>
    public void Skip()
    {
        switch (Type)
        {
            case WireType.Varint:
                Varint();
                break;
            case WireType.Fixed64:
                TakeFixed(8, out _);
                break;
            case WireType.Length:
                Bytes();
                break;
            case WireType.Fixed32:
                TakeFixed(4, out _);
                break;
        }
    }

    /// <summary>
    /// An entry of a protobuf map with text or message values, which is a message of key and value. False when it is
    /// broken; the reader then knows where.
    /// </summary>
    public bool Entry(out ReadOnlySpan<byte> key, out ReadOnlySpan<byte> value)
    {
        key = [];
        value = [];
        while (Next(out var field))
        {
            if (field == 1)
                key = Bytes();
            else if (field == 2)
                value = Bytes();
            else
                Skip();
        }

        return !Failed;
    }

    /// <summary>A bare varint, as in a packed list: the message is nothing but such values.</summary>
    public bool NextPacked(out ulong value)
    {
        value = 0;
        if (Failed || _at == _message.Length)
            return false;
        value = Varint();
        return !Failed;
    }

    private ulong Varint()
    {
        var value = 0UL;
        for (var shift = 0; shift < 70 && _at < _message.Length; shift += 7)
        {
            var next = _message[_at++];
            // The tenth byte has one bit left of 64.
            if (shift == 63 && next > 1)
                break;
            value |= (ulong)(next & 0x7f) << shift;
            if (next < 0x80)
                return value;
        }

        Failed = true;
        return 0;
    }

    private bool TakeFixed(int size, out ReadOnlySpan<byte> bytes)
    {
        Failed |= size > _message.Length - _at;
        bytes = Failed ? [] : _message.Slice(_at, size);
        _at += bytes.Length;
        return !Failed;
    }

    private ReadOnlySpan<byte> Fail()
    {
        Failed = true;
        return [];
    }
}
