using System.Buffers;
using System.Runtime.CompilerServices;
using System.Text.Unicode;

namespace Spillway.Protocols.OpenInference;

/// <summary>What the next JSON value is, judged by its first byte.</summary>
/// <remarks>This file is long because the tokenizer is one grammar over one position; its kinds of value come
/// first.</remarks>
internal enum JsonKind : byte
{
    /// <summary>Nothing is left.</summary>
    End,

    /// <summary>A "{".</summary>
    Object,

    /// <summary>A "[".</summary>
    Array,

    /// <summary>A quote.</summary>
    String,

    /// <summary>A digit or a minus sign.</summary>
    Number,

    /// <summary>A "t".</summary>
    True,

    /// <summary>An "f".</summary>
    False,

    /// <summary>An "n".</summary>
    Null,

    /// <summary>A byte that starts no value.</summary>
    Other,
}

/// <summary>
/// A strict RFC 8259 tokenizer over UTF-8 that the caller drives forward. It exists because Utf8JsonReader can neither
/// stop before an array for a faster parser nor go on behind it. Errors are values: a false is final, and then
/// <see cref="Failed"/> is true and <see cref="Expected"/> and <see cref="Position"/> say what was missing where.
/// It allocates nothing and never recurses. (Longer than a file should be: one grammar, whose parts share its state.)
/// </summary>
internal ref struct JsonCursor
{
    /// <summary>Open objects and arrays at one place; the same bound as System.Text.Json's default.</summary>
    public const int DepthMax = 64;

    private static readonly SearchValues<byte> s_stringStops = SearchValues.Create(StringStops());

    private readonly ReadOnlySpan<byte> _text;
    private int _at;
    private int _depth;
    private string? _expected;

    /// <summary>Starts at a byte of the text, with that many objects and arrays already open.</summary>
    public JsonCursor(ReadOnlySpan<byte> text, int at = 0, int depth = 0)
    {
        _text = text;
        (_at, _depth) = (at, depth);
    }

    /// <summary>True after the first error.</summary>
    public readonly bool Failed => _expected is not null;

    /// <summary>What the text lacks at <see cref="Position"/>; empty while nothing failed.</summary>
    public readonly string Expected => _expected ?? "";

    /// <summary>The next byte to read, or the byte where the error is.</summary>
    public readonly int Position => _at;

    /// <summary>Objects and arrays open here.</summary>
    public readonly int Depth => _depth;

    /// <summary>The whole text.</summary>
    public readonly ReadOnlySpan<byte> Text => _text;

    /// <summary>Checks that a text is exactly one JSON value; the cursor then holds the error, if any.</summary>
    public static bool IsValid(ReadOnlySpan<byte> text, out JsonCursor cursor)
    {
        cursor = new JsonCursor(text);
        return cursor.SkipValue() && cursor.TryEnd();
    }

    /// <summary>Jumps over white space and tells what follows.</summary>
    public JsonKind Peek()
    {
        SkipSpace();
        if ((uint)_at >= (uint)_text.Length)
            return JsonKind.End;
        return _text[_at] switch
        {
            (byte)'{' => JsonKind.Object,
            (byte)'[' => JsonKind.Array,
            (byte)'"' => JsonKind.String,
            (byte)'-' or (>= (byte)'0' and <= (byte)'9') => JsonKind.Number,
            (byte)'t' => JsonKind.True,
            (byte)'f' => JsonKind.False,
            (byte)'n' => JsonKind.Null,
            _ => JsonKind.Other,
        };
    }

    /// <summary>Goes on at another byte, which another parser has reached.</summary>
    public void Resume(int at) => _at = at;

    /// <summary>Records the first error.</summary>
    public bool Fail(string expected, int at)
    {
        if (_expected is null)
            (_expected, _at) = (expected, at);
        return false;
    }

    /// <summary>Enters an object; then call <see cref="NextMember"/> until it is false.</summary>
    public bool TryEnterObject() => TryEnter((byte)'{', "an object");

    /// <summary>Enters an array; then call <see cref="NextElement"/> until it is false.</summary>
    public bool TryEnterArray() => TryEnter((byte)'[', "an array");

    /// <summary>
    /// Reads the next key up to its value; false at the object's end, which is then left, and on an error.
    /// </summary>
    /// <param name="first">True before the first member; this method clears it.</param>
    /// <param name="key">The key.</param>
    public bool NextMember(ref bool first, out JsonString key)
    {
        key = default;
        if (!Separate((byte)'}', ref first, "',' or '}'"))
            return false;
        if (Peek() != JsonKind.String)
            return Fail("a quoted key", _at);
        if (!TryReadString(out key))
            return false;
        SkipSpace();
        if ((uint)_at >= (uint)_text.Length || _text[_at] != ':')
            return Fail("':' after the key", _at);
        _at++;
        return true;
    }

    /// <summary>Goes to the next element; false at the array's end, which is then left, and on an error.</summary>
    /// <param name="first">True before the first element; this method clears it.</param>
    public bool NextElement(ref bool first) => Separate((byte)']', ref first, "',' or ']'");

    /// <summary>Reads a string and checks its escapes, its control characters and its UTF-8.</summary>
    public bool TryReadString(out JsonString value)
    {
        value = default;
        if (Peek() != JsonKind.String)
            return Fail("a string", _at);
        var start = ++_at;
        var escaped = false;
        for (;;)
        {
            var rest = _text[_at..];
            var stop = rest.IndexOfAny(s_stringStops);
            if (stop < 0)
                return Fail("a closing '\"'", _text.Length);
            _at += stop;
            if (_text[_at] == '"')
                break;
            if (_text[_at] != '\\')
                return Fail("no control character in a string", _at);
            escaped = true;
            if (!SkipEscape())
                return false;
        }

        var raw = _text[start.._at];
        if (!Utf8.IsValid(raw))
            return Fail("valid UTF-8 in the string", start);
        _at++;
        value = new JsonString(raw, escaped);
        return true;
    }

    /// <summary>Reads a number and gives its text, which follows JSON's grammar.</summary>
    public bool TryReadNumber(out ReadOnlySpan<byte> token)
    {
        token = default;
        if (Peek() != JsonKind.Number)
            return Fail("a number", _at);
        var length = NumberLength(_text[_at..], out var expected);
        if (expected is not null)
            return Fail(expected, _at + length);
        token = _text.Slice(_at, length);
        _at += length;
        return true;
    }

    /// <summary>Reads "true", "false" or "null".</summary>
    public bool TryReadLiteral(ReadOnlySpan<byte> literal)
    {
        SkipSpace();
        if (!_text[_at..].StartsWith(literal))
            return Fail("true, false, null, a number, a string, an array or an object", _at);
        _at += literal.Length;
        return true;
    }

    /// <summary>
    /// Checks the next value and jumps over it, however large or deep (up to <see cref="DepthMax"/>).
    /// </summary>
    public bool SkipValue()
    {
        var bottom = _depth;
        var objects = 0UL;
        do
        {
            var before = _depth;
            if (!SkipScalarOrEnter(ref objects))
                return false;
            if (!SkipToNextValue(bottom, objects, first: _depth > before))
                return false;
        }
        while (_depth > bottom);
        return true;
    }

    /// <summary>True when nothing but white space follows.</summary>
    public bool TryEnd()
    {
        SkipSpace();
        return _at == _text.Length ? !Failed : Fail("the end of the document", _at);
    }

    /// <summary>
    /// The length of the number at the start of a text by JSON's grammar. On an error the length of the good part,
    /// and what had to follow.
    /// </summary>
    public static int NumberLength(ReadOnlySpan<byte> text, out string? expected)
    {
        var at = At(text, 0) == '-' ? 1 : 0;
        var digits = DigitCount(text, at);
        expected = digits == 0 ? "a digit" : digits > 1 && text[at] == '0' ? "no leading zero" : null;
        if (expected is not null)
            return at;
        at += digits;
        if (At(text, at) == '.')
            at = SkipDigits(text, at + 1, ref expected);
        if (expected is not null || (At(text, at) | 0x20) != 'e')
            return at;
        var sign = At(text, at + 1) is '+' or '-' ? 1 : 0;
        return SkipDigits(text, at + 1 + sign, ref expected);
    }

    private static int At(ReadOnlySpan<byte> text, int at) => (uint)at < (uint)text.Length ? text[at] : -1;

    private static int SkipDigits(ReadOnlySpan<byte> text, int at, ref string? expected)
    {
        var digits = DigitCount(text, at);
        if (digits == 0)
            expected = "a digit";
        return at + digits;
    }

    private static int DigitCount(ReadOnlySpan<byte> text, int at)
    {
        var start = at;
        while (text.Length - at >= 8)
        {
            var digits = Decimals.DigitCount(Decimals.Load(ref Decimals.Start(text, at)));
            at += digits;
            if (digits < 8)
                return at - start;
        }

        while ((uint)at < (uint)text.Length && (uint)(text[at] - '0') <= 9)
            at++;
        return at - start;
    }

    private bool TryEnter(byte open, string what)
    {
        SkipSpace();
        if (Failed || (uint)_at >= (uint)_text.Length || _text[_at] != open)
            return Fail(what, _at);
        if (_depth == DepthMax)
            return Fail("no more than 64 nested objects and arrays", _at);
        _depth++;
        _at++;
        return true;
    }

    private bool Separate(byte close, ref bool first, string expected)
    {
        SkipSpace();
        if (Failed || (uint)_at >= (uint)_text.Length)
            return Fail(expected, _at);
        if (_text[_at] == close)
        {
            _at++;
            _depth--;
            return false;
        }

        if (first)
        {
            first = false;
            return true;
        }

        if (_text[_at] != ',')
            return Fail(expected, _at);
        _at++;
        return true;
    }

    /// <summary>One value, or the opening of one that holds others; bit n of objects tells what depth n is.</summary>
    private bool SkipScalarOrEnter(ref ulong objects)
    {
        var kind = Peek();
        switch (kind)
        {
            case JsonKind.Object or JsonKind.Array:
                if (!TryEnter(_text[_at], "a value"))
                    return false;
                var bit = 1UL << (_depth - 1);
                objects = kind == JsonKind.Object ? objects | bit : objects & ~bit;
                return true;
            case JsonKind.String:
                return TryReadString(out _);
            case JsonKind.Number:
                return TryReadNumber(out _);
            case JsonKind.True:
                return TryReadLiteral("true"u8);
            case JsonKind.False:
                return TryReadLiteral("false"u8);
            case JsonKind.Null:
                return TryReadLiteral("null"u8);
            default:
                return Fail("a value", _at);
        }
    }

    /// <summary>Closes what ends here and stands before the next value, behind its key in an object.</summary>
    private bool SkipToNextValue(int bottom, ulong objects, bool first)
    {
        while (_depth > bottom)
        {
            var isObject = (objects >> (_depth - 1) & 1) != 0;
            if (isObject ? NextMember(ref first, out _) : NextElement(ref first))
                return true;
            if (Failed)
                return false;
            first = false;
        }

        return !Failed;
    }

    private bool SkipEscape()
    {
        var at = _at + 1;
        if ((uint)at >= (uint)_text.Length)
            return Fail("an escape", at);
        if (_text[at] != 'u')
        {
            if ("\"\\/bfnrt"u8.IndexOf(_text[at]) < 0)
                return Fail("a known escape", at);
            _at = at + 1;
            return true;
        }

        var unit = JsonString.HexUnit(_text, at + 1);
        if (unit < 0)
            return Fail("four hexadecimal digits", at + 1);
        _at = at + 5;
        if (!char.IsSurrogate((char)unit))
            return true;
        var low = _text[_at..].StartsWith("\\u"u8) ? JsonString.HexUnit(_text, _at + 2) : -1;
        if (!char.IsHighSurrogate((char)unit) || low < 0 || !char.IsLowSurrogate((char)low))
            return Fail("a whole surrogate pair", at - 1);
        _at += 6;
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void SkipSpace()
    {
        while ((uint)_at < (uint)_text.Length && _text[_at] <= ' ' && IsSpace(_text[_at]))
            _at++;
    }

    /// <summary>JSON's four white space bytes.</summary>
    public static bool IsSpace(byte value) => value is (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t';

    private static byte[] StringStops()
    {
        var stops = new byte[34];
        for (var i = 0; i < 32; i++)
            stops[i] = (byte)i;
        (stops[32], stops[33]) = ((byte)'"', (byte)'\\');
        return stops;
    }
}
