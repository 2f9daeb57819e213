namespace Spillway.App.Load;

/// <summary>
/// Reads a chunked body from bytes that may be split anywhere. Chunk extensions and trailers are skipped.
/// </summary>
internal struct ChunkReader
{
    private const long ChunkBytesMax = 1L << 40;
    private const int LineBytesMax = 4096;

    private Step _step;
    private long _left;
    private int _lineLength;
    private bool _digitSeen;
    private bool _extension;

    private enum Step : byte
    {
        Size,
        SizeEnd,
        Data,
        DataReturn,
        DataEnd,
        Trailer,
        TrailerEnd,
    }

    /// <summary>
    /// Takes one piece of <paramref name="bytes"/> and moves it on; <paramref name="data"/> is the part of the body in
    /// that piece. Complete after the last chunk and its trailers.
    /// </summary>
    public ParseState Feed(ref ReadOnlySpan<byte> bytes, out ReadOnlySpan<byte> data)
    {
        data = default;
        if (_step == Step.Data)
        {
            data = bytes[..(int)Math.Min(_left, bytes.Length)];
            _left -= data.Length;
            bytes = bytes[data.Length..];
            if (_left == 0)
                _step = Step.DataReturn;
            return ParseState.NeedMore;
        }

        var next = bytes[0];
        bytes = bytes[1..];
        return _step switch
        {
            Step.Size => Size(next),
            Step.SizeEnd => SizeEnd(next),
            Step.DataReturn => Expect(next, (byte)'\r', Step.DataEnd),
            Step.DataEnd => Expect(next, (byte)'\n', Step.Size),
            Step.Trailer => Trailer(next),
            Step.TrailerEnd => TrailerEnd(next),
            Step.Data => ParseState.Malformed,
        };
    }

    private ParseState Size(byte next)
    {
        if (++_lineLength > LineBytesMax)
            return ParseState.Malformed;
        if (next == '\r')
        {
            _step = Step.SizeEnd;
            return _digitSeen ? ParseState.NeedMore : ParseState.Malformed;
        }

        if (_extension || (next is (byte)';' or (byte)' ' && _digitSeen))
        {
            _extension = true;
            return next == '\n' ? ParseState.Malformed : ParseState.NeedMore;
        }

        if (!char.IsAsciiHexDigit((char)next))
            return ParseState.Malformed;
        _digitSeen = true;
        _left = (_left << 4) | (uint)HexValue(next);
        return _left > ChunkBytesMax ? ParseState.Malformed : ParseState.NeedMore;
    }

    private static int HexValue(byte digit) => digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10;

    private ParseState SizeEnd(byte next)
    {
        var last = _left == 0;
        (_lineLength, _digitSeen, _extension) = (0, false, false);
        return Expect(next, (byte)'\n', last ? Step.Trailer : Step.Data);
    }

    private ParseState Trailer(byte next)
    {
        // An empty line ends the trailers; a line of a trailer only counts towards its limit.
        if (next == '\r')
            _step = Step.TrailerEnd;
        else if (++_lineLength > LineBytesMax)
            return ParseState.Malformed;
        return ParseState.NeedMore;
    }

    private ParseState TrailerEnd(byte next)
    {
        if (next != '\n')
            return ParseState.Malformed;
        if (_lineLength == 0)
            return ParseState.Complete;
        (_lineLength, _step) = (0, Step.Trailer);
        return ParseState.NeedMore;
    }

    private ParseState Expect(byte next, byte wanted, Step then)
    {
        _step = then;
        return next == wanted ? ParseState.NeedMore : ParseState.Malformed;
    }
}
