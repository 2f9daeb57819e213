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
        var text = Encoding.UTF8.GetString(raw);
        return isEscaped ? Unescape(text) : text;
    }

    private static string Unescape(string text)
    {
        var into = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] != '\\')
            {
                into.Append(text[i]);
                continue;
            }

            i++;
            if (text[i] == 'u')
            {
                into.Append((char)ushort.Parse(
                    text.AsSpan(i + 1, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture));
                i += 4;
                continue;
            }

            into.Append(text[i] switch { 'b' => '\b', 'f' => '\f', 'n' => '\n', 'r' => '\r', 't' => '\t', var c => c });
        }

        return into.ToString();
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
