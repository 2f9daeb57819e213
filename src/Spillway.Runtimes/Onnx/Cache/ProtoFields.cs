namespace Spillway.Runtimes.Onnx.Cache;

/// <summary>One field of a protobuf message.</summary>
/// <param name="Number">Its number.</param>
/// <param name="Value">Of a varint; else 0.</param>
/// <param name="From">Where its body begins; a field without a length has an empty one.</param>
/// <param name="To">Where it ends.</param>
internal readonly record struct ProtoField(int Number, ulong Value, long From, long To)
{
    /// <summary>Whether it has a length and a body.</summary>
    public bool HasBody { get; init; }
}

/// <summary>
/// Reads the fields of a protobuf file one after the other, by their lengths and through a window of 64 KB, so that
/// what is passed over is not read. Accepts whatever a protobuf parser accepts, groups included, and more. One thread
/// at a time.
/// </summary>
/// <param name="file">The file.</param>
internal sealed class ProtoFields(ModelFile file)
{
    private const int WindowBytes = 64 * 1024;
    private const int Varint = 0, Fixed64 = 1, Length = 2, GroupStart = 3, GroupEnd = 4, Fixed32 = 5;

    /// <summary>As deep as protobuf parsers go.</summary>
    private const int GroupsMax = 100;

    private readonly byte[] _window = new byte[WindowBytes];
    private long _start;
    private int _held;

    /// <summary>The next field; false at the end, and where it is no protobuf.</summary>
    /// <param name="at">Where it begins; afterwards behind it.</param>
    /// <param name="end">Where the message ends.</param>
    /// <param name="field">The field.</param>
    public bool TryNext(ref long at, long end, out ProtoField field) =>
        TryNext(ref at, end, GroupsMax, out field, out _);

    /// <summary>Bytes of the file; fewer at its end.</summary>
    public int Read(Span<byte> into, long at) => file.Read(into, at);

    private bool TryNext(ref long at, long end, int depth, out ProtoField field, out bool closes)
    {
        (field, closes) = (default, false);
        if (at >= end || depth == 0 || !TryVarint(ref at, end, out var tag))
            return false;
        var number = (int)(tag >> 3);
        switch ((int)(tag & 7))
        {
            case Varint when TryVarint(ref at, end, out var value):
                field = new(number, value, at, at);
                return true;
            case Fixed64 or Fixed32 when Skip(ref at, end, (tag & 7) == Fixed64 ? 8UL : 4UL):
                field = new(number, 0, at, at);
                return true;
            case Length when TryVarint(ref at, end, out var length):
                var from = at;
                field = new(number, 0, from, from + (long)Math.Min(length, long.MaxValue / 2)) { HasBody = true };
                return Skip(ref at, end, length);
            case GroupStart when SkipGroup(ref at, end, depth - 1):
                field = new(number, 0, at, at);
                return true;
            case GroupEnd:
                closes = true;
                return false;
            default:
                return false;
        }
    }

    private bool SkipGroup(ref long at, long end, int depth)
    {
        while (TryNext(ref at, end, depth, out _, out var closes) || closes)
        {
            if (closes)
                return true;
        }

        return false;
    }

    private static bool Skip(ref long at, long end, ulong bytes)
    {
        if (bytes > (ulong)(end - at))
            return false;
        at += (long)bytes;
        return true;
    }

    private bool TryVarint(ref long at, long end, out ulong value)
    {
        value = 0;
        for (var i = 0; i < 10 && at < end; i++)
        {
            if (!TryByte(at++, out var one))
                return false;
            value |= (ulong)(one & 0x7f) << (7 * i);
            if (one < 0x80)
                return true;
        }

        return false;
    }

    private bool TryByte(long at, out byte one)
    {
        if (at < _start || at >= _start + _held)
        {
            _start = at;
            _held = file.Read(_window, at);
        }

        one = _held > 0 ? _window[at - _start] : default;
        return _held > 0;
    }
}
