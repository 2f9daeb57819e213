using System.Globalization;
using System.Text;

namespace Spillway.Config.Triton;

/// <summary>What a token is.</summary>
internal enum ProtoTokenKind
{
    /// <summary>The end of the text.</summary>
    End,

    /// <summary>A bare word.</summary>
    Word,

    /// <summary>A number without its sign.</summary>
    Number,

    /// <summary>Text in quotes, neighbours joined.</summary>
    Text,

    /// <summary>One of { } &lt; &gt; [ ] : , ; - . /</summary>
    Symbol,
}

/// <summary>One token.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Mark">Where it begins.</param>
/// <param name="Text">A word, a symbol, text without quotes and escapes, a whole number in decimal.</param>
internal readonly record struct ProtoToken(ProtoTokenKind Kind, Mark Mark, string Text)
{
    /// <summary>True for that symbol.</summary>
    public bool Is(char symbol) => Kind == ProtoTokenKind.Symbol && Text[0] == symbol;
}

/// <summary>
/// Cuts the text form of a protocol buffer into tokens, by its language specification. Throws
/// <see cref="ProtoSyntaxException"/>.
/// </summary>
internal sealed class ProtoLexer(string file, string text)
{
    private const string Symbols = "{}<>[]:,;-./";

    private static readonly UTF8Encoding s_utf8 = new(encoderShouldEmitUTF8Identifier: false,
        throwOnInvalidBytes: true);

    private int _at;
    private int _line = 1;
    private int _lineStart;

    /// <summary>Where the next character stands.</summary>
    private Mark Here => new(file, _line, _at - _lineStart + 1);

    /// <summary>The next token; at the end always <see cref="ProtoTokenKind.End"/>.</summary>
    public ProtoToken Next()
    {
        SkipBlanks();
        var mark = Here;
        if (_at == text.Length)
            return new(ProtoTokenKind.End, mark, "");
        var c = text[_at];
        if (char.IsAsciiLetter(c) || c == '_')
            return new(ProtoTokenKind.Word, mark, TakeWord());
        if (char.IsAsciiDigit(c) || (c == '.' && _at + 1 < text.Length && char.IsAsciiDigit(text[_at + 1])))
            return new(ProtoTokenKind.Number, mark, Number(mark));
        if (c is '"' or '\'')
            return new(ProtoTokenKind.Text, mark, Text(mark));
        if (!Symbols.Contains(c, StringComparison.Ordinal))
            throw Stray(mark, c);
        _at++;
        return new(ProtoTokenKind.Symbol, mark, c.ToString());
    }

    private static ProtoSyntaxException Stray(Mark mark, char c) => c == '$'
        ? new(mark, "$", "This looks like a placeholder of a template that nobody filled in.",
            "Fill in the template's variables, then use the result.")
        : new(mark, c.ToString(), $"The character U+{(int)c:X4} has no meaning here.",
            "Remove it, or put text into quotes.");

    private void SkipBlanks()
    {
        for (; _at < text.Length; _at++)
        {
            var c = text[_at];
            if (c == '#')
            {
                while (_at + 1 < text.Length && text[_at + 1] != '\n')
                    _at++;
            }
            else if (c == '\n')
            {
                _line++;
                _lineStart = _at + 1;
            }
            else if (c is not (' ' or '\t' or '\r' or '\v' or '\f'))
            {
                return;
            }
        }
    }

    private string TakeWord()
    {
        var start = _at;
        while (_at < text.Length && IsWordPart(text[_at]))
            _at++;
        return text[start.._at];
    }

    private static bool IsWordPart(char c) => char.IsAsciiLetterOrDigit(c) || c == '_';

    private string Number(Mark mark)
    {
        var start = _at;
        while (_at < text.Length && (IsWordPart(text[_at]) || text[_at] == '.' || IsExponentSign(start)))
            _at++;
        var written = text[start.._at];
        return Whole(written) ?? Real(written) ?? throw new ProtoSyntaxException(mark, written,
            "This is not a number.", "Write digits, as in 8 or 0.5; put text into quotes.");
    }

    private bool IsExponentSign(int start) => text[_at] is '+' or '-' && _at > start && text[_at - 1] is 'e' or 'E'
        && !text.AsSpan(start).StartsWith("0x", StringComparison.OrdinalIgnoreCase);

    /// <summary>Decimal, octal with a leading 0, hexadecimal with 0x; as decimal digits.</summary>
    private static string? Whole(string written)
    {
        ulong value = 0;
        if (written.StartsWith("0x", StringComparison.OrdinalIgnoreCase))
        {
            return ulong.TryParse(written.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture,
                out value) ? value.ToString(CultureInfo.InvariantCulture) : null;
        }

        if (written.Length > 1 && written[0] == '0' && written.All(char.IsAsciiDigit))
        {
            if (written.Length > 22 || written.Any(c => c > '7'))
                return null;
            foreach (var c in written)
                value = (value * 8) + (ulong)(c - '0');
            return value.ToString(CultureInfo.InvariantCulture);
        }

        return ulong.TryParse(written, NumberStyles.None, CultureInfo.InvariantCulture, out value)
            ? value.ToString(CultureInfo.InvariantCulture) : null;
    }

    /// <summary>With a point, an exponent or an f; the result always has one of the first two.</summary>
    private static string? Real(string written)
    {
        const NumberStyles Style = NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;
        var digits = written[^1] is 'f' or 'F' ? written[..^1] : written;
        var isReal = digits.AsSpan().ContainsAny('.', 'e', 'E');
        if ((!isReal && digits == written) || !double.TryParse(digits, Style, CultureInfo.InvariantCulture, out _))
            return null;
        return isReal ? digits : digits + ".0";
    }

    /// <summary>One or more neighbouring texts; escapes give bytes, which together must be UTF-8.</summary>
    private string Text(Mark mark)
    {
        var bytes = new MemoryStream();
        do
        {
            Piece(mark, bytes);
            SkipBlanks();
        }
        while (_at < text.Length && text[_at] is '"' or '\'');

        try
        {
            return s_utf8.GetString(bytes.GetBuffer(), 0, (int)bytes.Length);
        }
        catch (DecoderFallbackException)
        {
            throw new ProtoSyntaxException(mark, "", "The escapes in this text do not give UTF-8.",
                "Write the characters themselves and save the file as UTF-8.");
        }
    }

    private void Piece(Mark mark, MemoryStream bytes)
    {
        var quote = text[_at++];
        var run = _at;
        while (true)
        {
            if (_at == text.Length || text[_at] is '\n' or '\0')
            {
                throw new ProtoSyntaxException(mark, text[run..Math.Min(_at, run + 40)],
                    "The quote is not closed in its line.", $"Add {quote} at the end; a line break inside is \\n.");
            }

            if (text[_at] != quote && text[_at] != '\\')
            {
                _at++;
                continue;
            }

            bytes.Write(s_utf8.GetBytes(text[run.._at]));
            if (text[_at++] == quote)
                return;
            Escape(bytes);
            run = _at;
        }
    }

    private void Escape(MemoryStream bytes)
    {
        var mark = Here;
        var c = _at < text.Length ? text[_at++] : '\0';
        var plain = "abfnrtv?\\'\"".IndexOf(c, StringComparison.Ordinal);
        if (plain >= 0)
            bytes.WriteByte((byte)"\a\b\f\n\r\t\v?\\'\""[plain]);
        else if (c is >= '0' and <= '7')
            bytes.WriteByte(Digits(mark, 8, 3, _at - 1));
        else if (c == 'x' || c == 'X')
            bytes.WriteByte(Digits(mark, 16, 2, _at));
        else if (c is 'u' or 'U')
            bytes.Write(Character(mark, c == 'u' ? 4 : 8));
        else
            throw BadEscape(mark, c == '\0' ? "" : $"\\{c}");
    }

    private byte Digits(Mark mark, int radix, int most, int start)
    {
        var value = 0;
        for (_at = start; _at < text.Length && _at < start + most && Digit(text[_at]) < radix; _at++)
            value = (value * radix) + Digit(text[_at]);
        return _at > start && value <= byte.MaxValue ? (byte)value : throw BadEscape(mark, "\\");
    }

    private static int Digit(char c) => char.IsAsciiHexDigit(c) ? Convert.ToInt32(c.ToString(), 16) : int.MaxValue;

    private byte[] Character(Mark mark, int length)
    {
        if (_at + length <= text.Length && Rune.TryCreate(
            int.TryParse(text.AsSpan(_at, length), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture,
                out var code) ? code : -1, out var rune))
        {
            _at += length;
            return s_utf8.GetBytes(rune.ToString());
        }

        throw BadEscape(mark, "\\u");
    }

    private static ProtoSyntaxException BadEscape(Mark mark, string written) => new(mark, written,
        "This escape is unknown or incomplete.",
        "Write a backslash as \\\\; known are "
        + "\\n \\t \\r \\a \\b \\f \\v \\\" \\' \\? \\123 \\x1f \\u00e4 \\U0001f600.");
}
