using System.Buffers;
using System.Buffers.Text;
using System.Text.Unicode;

namespace Spillway.Protocols.OpenInference;

/// <summary>
/// Writes JSON text to a buffer writer, piece by piece, without allocation. It escapes only what JSON demands, so that
/// an answer stays readable on a terminal. Call <see cref="Flush"/> at the end.
/// </summary>
internal ref struct JsonOutput(IBufferWriter<byte> sink)
{
    private const int Chunk = 4096;

    private static readonly SearchValues<byte> s_escaped = SearchValues.Create(Escaped());

    private readonly IBufferWriter<byte> _sink = sink;
    private Span<byte> _room;
    private int _used;
    private long _flushed;

    /// <summary>Bytes written so far.</summary>
    public readonly long Length => _flushed + _used;

    /// <summary>Hands what is written to the buffer writer.</summary>
    public void Flush()
    {
        _sink.Advance(_used);
        _flushed += _used;
        _used = 0;
        _room = default;
    }

    /// <summary>At least that many writable bytes; then <see cref="Advance"/>.</summary>
    public Span<byte> Reserve(int bytes)
    {
        if (_room.Length - _used < bytes)
        {
            Flush();
            _room = _sink.GetSpan(Math.Max(bytes, Chunk));
        }

        return _room[_used..];
    }

    /// <summary>Counts bytes written to <see cref="Reserve"/>'s span.</summary>
    public void Advance(int bytes) => _used += bytes;

    /// <summary>
    /// Takes the byte back that was written last; it has not been flushed, as every write leaves it here.
    /// </summary>
    public void Retract() => _used--;

    /// <summary>Writes text that is JSON already.</summary>
    public void Raw(scoped ReadOnlySpan<byte> utf8)
    {
        while (utf8.Length > 0)
        {
            var room = Reserve(Math.Min(utf8.Length, Chunk));
            var part = Math.Min(room.Length, utf8.Length);
            utf8[..part].CopyTo(room);
            Advance(part);
            utf8 = utf8[part..];
        }
    }

    /// <summary>Writes a whole number.</summary>
    public void Number(long value)
    {
        Utf8Formatter.TryFormat(value, Reserve(20), out var written);
        Advance(written);
    }

    /// <summary>
    /// Writes a quoted string from UTF-8; false, with nothing good written, when it is not valid UTF-8.
    /// </summary>
    public bool String(scoped ReadOnlySpan<byte> utf8)
    {
        if (!Utf8.IsValid(utf8))
            return false;
        Raw("\""u8);
        for (;;)
        {
            var run = utf8.IndexOfAny(s_escaped);
            Raw(run < 0 ? utf8 : utf8[..run]);
            if (run < 0)
                break;
            Escape(utf8[run]);
            utf8 = utf8[(run + 1)..];
        }

        Raw("\""u8);
        return true;
    }

    /// <summary>Writes a quoted string; a lone surrogate becomes U+FFFD.</summary>
    public void String(scoped ReadOnlySpan<char> text)
    {
        Raw("\""u8);
        foreach (var rune in text.EnumerateRunes())
        {
            if (rune.IsAscii && s_escaped.Contains((byte)rune.Value))
                Escape((byte)rune.Value);
            else
                Advance(rune.EncodeToUtf8(Reserve(4)));
        }

        Raw("\""u8);
    }

    private void Escape(byte value)
    {
        var letter = value switch
        {
            (byte)'"' or (byte)'\\' => value,
            (byte)'\b' => (byte)'b',
            (byte)'\f' => (byte)'f',
            (byte)'\n' => (byte)'n',
            (byte)'\r' => (byte)'r',
            (byte)'\t' => (byte)'t',
            _ => (byte)0,
        };
        if (letter != 0)
        {
            Raw([(byte)'\\', letter]);
            return;
        }

        Raw("\\u00"u8);
        Utf8Formatter.TryFormat(value, Reserve(2), out var written, new StandardFormat('x', 2));
        Advance(written);
    }

    private static byte[] Escaped()
    {
        var bytes = new byte[34];
        for (var i = 0; i < 32; i++)
            bytes[i] = (byte)i;
        (bytes[32], bytes[33]) = ((byte)'"', (byte)'\\');
        return bytes;
    }
}
