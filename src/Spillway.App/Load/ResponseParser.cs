using System.Buffers.Text;
using System.Text;

namespace Spillway.App.Load;

/// <summary>Where the parser stands after some bytes.</summary>
internal enum ParseState : byte
{
    /// <summary>The answer is not complete.</summary>
    NeedMore,

    /// <summary>The answer is complete.</summary>
    Complete,

    /// <summary>These bytes are not an HTTP/1.x answer.</summary>
    Malformed,
}

/// <summary>
/// Reads one HTTP/1.x answer after another from bytes that may be split anywhere. Bodies are counted, not kept (only
/// the first 240 bytes of an error's, to show it), so a hostile length costs nothing. Heads are at most 16 KB.
/// Allocates nothing after construction. One owner.
/// </summary>
internal sealed class ResponseParser(StageTable stages)
{
    private const int HeadBytesMax = 16 * 1024;
    private const int ErrorBytesMax = 240;
    private const int FaultBytesMax = 64;

    private readonly byte[] _head = new byte[HeadBytesMax];
    private readonly byte[] _error = new byte[ErrorBytesMax];
    private readonly byte[] _fault = new byte[FaultBytesMax];
    private ChunkReader _chunks;
    private int _headLength;
    private int _errorLength;
    private int _faultLength;
    private bool _inBody;
    private bool _chunked;
    private long _length;
    private long _bodyLeft;

    /// <summary>The status code, once the head is complete.</summary>
    public int Status { get; private set; }

    /// <summary>Whether the connection may carry another request.</summary>
    public bool KeepAlive { get; private set; }

    /// <summary>Whether any byte of the answer has arrived.</summary>
    public bool Started { get; private set; }

    /// <summary>The stages of <c>Server-Timing</c>.</summary>
    public StageTimes Stages { get; } = new(stages);

    /// <summary>Milliseconds the server asks to wait before a retry; -1 when it does not say.</summary>
    public long RetryAfterMs { get; private set; }

    /// <summary>The value of <c>x-spillway-fault</c>, cut at 64 bytes; empty without it.</summary>
    public ReadOnlySpan<byte> Fault => _fault.AsSpan(0, _faultLength);

    /// <summary>The beginning of an error's body.</summary>
    public ReadOnlySpan<byte> ErrorText => _error.AsSpan(0, _errorLength);

    /// <summary>Ready for the next answer on the same connection.</summary>
    public void Reset()
    {
        Started = false;
        _errorLength = 0;
        ResetHead();
    }

    /// <summary>Takes the next bytes. Bytes after a complete answer make it malformed: nobody asked for them.</summary>
    public ParseState Feed(ReadOnlySpan<byte> bytes)
    {
        Started |= !bytes.IsEmpty;
        while (!_inBody)
        {
            if (bytes.IsEmpty)
                return ParseState.NeedMore;
            if (!TakeHead(ref bytes, out var complete))
                return ParseState.Malformed;
            if (!complete)
                return ParseState.NeedMore;
            if (Status >= 200)
                _inBody = true;
            else
                ResetHead(); // An interim answer (100 Continue): the real one follows.
        }

        return FeedBody(bytes);
    }

    /// <summary>The server closed: complete when the body ends with the connection, otherwise not.</summary>
    public ParseState End() => _inBody && !_chunked && _length < 0 ? ParseState.Complete : ParseState.Malformed;

    private void ResetHead()
    {
        (_headLength, _faultLength, _inBody, _chunked, _length, _bodyLeft) = (0, 0, false, false, -1, 0);
        (Status, KeepAlive, RetryAfterMs) = (0, true, -1);
        Stages.Clear();
    }

    private bool TakeHead(ref ReadOnlySpan<byte> bytes, out bool complete)
    {
        complete = false;
        var end = _headLength == 0 ? bytes.IndexOf("\r\n\r\n"u8) : -1;
        if (end >= 0)
        {
            // The usual case: the whole head in one read, parsed where it lies.
            complete = end <= HeadBytesMax && ParseHead(bytes[..(end + 2)]);
            bytes = bytes[(end + 4)..];
            return complete;
        }

        var taken = Math.Min(bytes.Length, HeadBytesMax - _headLength);
        bytes[..taken].CopyTo(_head.AsSpan(_headLength));
        var from = Math.Max(0, _headLength - 3);
        var at = _head.AsSpan(from, _headLength + taken - from).IndexOf("\r\n\r\n"u8);
        if (at < 0)
        {
            _headLength += taken;
            bytes = bytes[taken..];
            return _headLength < HeadBytesMax && LooksLikeHttp();
        }

        var used = from + at + 4 - _headLength;
        complete = ParseHead(_head.AsSpan(0, from + at + 2));
        bytes = bytes[used..];
        return complete;
    }

    /// <summary>A server of another protocol is told from a slow one by its first bytes.</summary>
    private bool LooksLikeHttp()
    {
        var known = Math.Min(_headLength, 7);
        return _head.AsSpan(0, known).SequenceEqual("HTTP/1."u8[..known]);
    }

    private bool ParseHead(ReadOnlySpan<byte> head)
    {
        var lineEnd = head.IndexOf("\r\n"u8);
        if (!ParseStatus(head[..lineEnd]))
            return false;
        head = head[(lineEnd + 2)..];
        while (!head.IsEmpty)
        {
            lineEnd = head.IndexOf("\r\n"u8);
            var line = head[..lineEnd];
            var colon = line.IndexOf((byte)':');
            if (colon <= 0 || !TakeHeader(line[..colon], Trim(line[(colon + 1)..])))
                return false;
            head = head[(lineEnd + 2)..];
        }

        return StartBody();
    }

    private bool ParseStatus(ReadOnlySpan<byte> line)
    {
        // HTTP/1.1 200 OK: the reason phrase may be empty, and so may the space before it.
        if (line.Length < 12 || !line.StartsWith("HTTP/1."u8) || line[8] != ' ')
            return false;
        KeepAlive = line[7] != '0';
        if (!Utf8Parser.TryParse(line[9..12], out int status, out var used) || used != 3)
            return false;
        Status = status;
        return status is >= 100 and <= 999 and not 101 && (line.Length == 12 || line[12] == ' ');
    }

    private bool TakeHeader(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        switch (name.Length)
        {
            case 10 when Is(name, "connection"u8):
                KeepAlive = Is(value, "keep-alive"u8) || (KeepAlive && !Is(value, "close"u8));
                return true;
            case 11 or 14 when name[0] is (byte)'R' or (byte)'r':
                TakeRetry(name, value);
                return true;
            case 13 when Is(name, "server-timing"u8):
                Stages.Read(value);
                return true;
            case 14 when Is(name, "content-length"u8):
                return TakeLength(value);
            case 16 when Is(name, "x-spillway-fault"u8):
                _faultLength = Math.Min(value.Length, FaultBytesMax);
                value[.._faultLength].CopyTo(_fault);
                return true;
            case 17 when Is(name, "transfer-encoding"u8):
                _chunked = Is(value, "chunked"u8);
                return _chunked;
            default:
                return true;
        }
    }

    /// <summary>The header in milliseconds is the finer one and wins over whole seconds.</summary>
    private void TakeRetry(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        if (!TryNumber(value, out var number))
            return;
        if (Is(name, "retry-after-ms"u8))
            RetryAfterMs = number;
        else if (Is(name, "retry-after"u8) && RetryAfterMs < 0)
            RetryAfterMs = Math.Min(number, int.MaxValue) * 1000;
    }

    private bool TakeLength(ReadOnlySpan<byte> value)
    {
        if (!TryNumber(value, out var length) || (_length >= 0 && _length != length))
            return false;
        _length = length;
        return true;
    }

    private bool StartBody()
    {
        if (_chunked && _length >= 0)
            return false; // Two framings: the classic smuggling answer. No honest server sends it.
        if (Status is 204 or 304)
            (_length, _chunked) = (0, false);
        if (!_chunked && _length < 0)
            KeepAlive = false;
        _bodyLeft = _length;
        _chunks = default;
        return true;
    }

    private ParseState FeedBody(ReadOnlySpan<byte> bytes)
    {
        if (_chunked)
            return FeedChunks(bytes);
        if (_length < 0)
        {
            KeepError(bytes);
            return ParseState.NeedMore;
        }

        if (bytes.Length > _bodyLeft)
            return ParseState.Malformed;
        KeepError(bytes);
        _bodyLeft -= bytes.Length;
        return _bodyLeft == 0 ? ParseState.Complete : ParseState.NeedMore;
    }

    private ParseState FeedChunks(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var state = _chunks.Feed(ref bytes, out var data);
            KeepError(data);
            if (state == ParseState.Complete && !bytes.IsEmpty)
                return ParseState.Malformed;
            if (state != ParseState.NeedMore)
                return state;
        }

        return ParseState.NeedMore;
    }

    private void KeepError(ReadOnlySpan<byte> body)
    {
        if (Status is >= 200 and < 300 || _errorLength == ErrorBytesMax)
            return;
        var taken = Math.Min(body.Length, ErrorBytesMax - _errorLength);
        body[..taken].CopyTo(_error.AsSpan(_errorLength));
        _errorLength += taken;
    }

    private static bool TryNumber(ReadOnlySpan<byte> value, out long number) =>
        Utf8Parser.TryParse(value, out number, out var used) && used == value.Length && number >= 0 && value[0] != '+';

    private static bool Is(ReadOnlySpan<byte> text, ReadOnlySpan<byte> lower) => Ascii.EqualsIgnoreCase(text, lower);

    private static ReadOnlySpan<byte> Trim(ReadOnlySpan<byte> value) => value.Trim(" \t"u8);
}
