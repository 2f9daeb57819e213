using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Unicode;

namespace Spillway.Engine.Gateway;

/// <summary>
/// A text of JSON as UTF-16, piece by piece, so that a long one is never in memory as a whole. Says the same as
/// <c>JsonChars.Read</c>, wherever it is cut.
/// </summary>
/// <param name="raw">The bytes between its quotation marks; the reader found them to be well formed.</param>
internal ref struct JsonPieces(ReadOnlySpan<byte> raw)
{
    private ReadOnlySpan<byte> _rest = raw;

    /// <summary>Whether everything was given.</summary>
    public readonly bool IsEmpty => _rest.IsEmpty;

    /// <summary>How many characters of UTF-16 a text has; allocates nothing.</summary>
    public static long CountChars(ReadOnlySpan<byte> raw)
    {
        long count = 0;
        while (raw.IndexOf((byte)'\\') is >= 0 and var at)
        {
            count += Encoding.UTF8.GetCharCount(raw[..at]) + 1;
            raw = raw[(at + LengthOfEscape(raw[at..]))..];
        }

        return count + Encoding.UTF8.GetCharCount(raw);
    }

    /// <summary>The next characters; at least one where there are any.</summary>
    /// <param name="into">Takes them; room for at least two.</param>
    public int Read(Span<char> into)
    {
        var count = 0;
        while (!_rest.IsEmpty && count < into.Length)
        {
            var at = _rest.IndexOf((byte)'\\');
            if (at == 0)
            {
                into[count++] = Escaped(_rest);
                _rest = _rest[LengthOfEscape(_rest)..];
                continue;
            }

            var plain = at < 0 ? _rest : _rest[..at];
            var status = Utf8.ToUtf16(plain, into[count..], out var read, out var written);
            count += written;
            _rest = _rest[read..];
            if (status is OperationStatus.DestinationTooSmall)
                break;
        }

        return count;
    }

    private static int LengthOfEscape(ReadOnlySpan<byte> escape) => escape[1] == (byte)'u' ? 6 : 2;

    private static char Escaped(ReadOnlySpan<byte> escape) => escape[1] switch
    {
        (byte)'u' => (char)ushort.Parse(
            escape.Slice(2, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture),
        (byte)'b' => '\b',
        (byte)'f' => '\f',
        (byte)'n' => '\n',
        (byte)'r' => '\r',
        (byte)'t' => '\t',
        var c => (char)c,
    };
}
