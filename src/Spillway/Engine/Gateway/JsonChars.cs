using System.Buffers;
using System.Globalization;
using System.Text;

namespace Spillway.Engine.Gateway;

/// <summary>
/// Texts of JSON as UTF-16, unlike the platform's also with half a surrogate pair: the other half may stand in the next
/// event of a stream.
/// </summary>
internal static class JsonChars
{
    /// <summary>What a text's bytes between its quotation marks say; the reader found them to be well formed.</summary>
    public static string Read(ReadOnlySpan<byte> raw, bool isEscaped)
    {
        if (!isEscaped)
            return Encoding.UTF8.GetString(raw);
        var room = ArrayPool<char>.Shared.Rent(raw.Length);
        var text = new string(room, 0, Read(raw, isEscaped, room));
        ArrayPool<char>.Shared.Return(room);
        return text;
    }

    /// <summary>The same into a room that is there; how many characters it has.</summary>
    /// <param name="raw">The bytes.</param>
    /// <param name="isEscaped">Whether there are escapes among them.</param>
    /// <param name="into">As many characters as there are bytes are enough.</param>
    public static int Read(ReadOnlySpan<byte> raw, bool isEscaped, Span<char> into)
    {
        var length = Encoding.UTF8.GetChars(raw, into);
        return isEscaped ? Unescape(into[..length]) : length;
    }

    /// <summary>In place: what is escaped is shorter than its escape.</summary>
    private static int Unescape(Span<char> text)
    {
        var length = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] != '\\')
            {
                text[length++] = text[i];
                continue;
            }

            i++;
            if (text[i] == 'u')
            {
                text[length++] = (char)ushort.Parse(
                    text.Slice(i + 1, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
                i += 4;
                continue;
            }

            text[length++] = text[i] switch
            {
                'b' => '\b', 'f' => '\f', 'n' => '\n', 'r' => '\r', 't' => '\t', var c => c,
            };
        }

        return length;
    }

    /// <summary>Writes a text with its quotation marks.</summary>
    public static void Write(ReadOnlySpan<char> text, IBufferWriter<byte> into)
    {
        into.Write("\""u8);
        WritePiece(text, into);
        into.Write("\""u8);
    }

    /// <summary>Writes a part of a text, which does not end within a surrogate pair, without quotation marks.</summary>
    public static void WritePiece(ReadOnlySpan<char> text, IBufferWriter<byte> into)
    {
        var from = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (char.IsHighSurrogate(text[i]) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]))
                i++;
            else if (text[i] is '"' or '\\' || text[i] < ' ' || char.IsSurrogate(text[i]))
            {
                Encoding.UTF8.GetBytes(text[from..i], into);
                Escape(text[i], into);
                from = i + 1;
            }
        }

        Encoding.UTF8.GetBytes(text[from..], into);
    }

    private static void Escape(char c, IBufferWriter<byte> into)
    {
        var text = c switch
        {
            '"' => "\\\"",
            '\\' => "\\\\",
            '\n' => "\\n",
            '\r' => "\\r",
            '\t' => "\\t",
            _ => string.Create(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"),
        };
        Encoding.UTF8.GetBytes(text, into);
    }
}
