using System.Text;

namespace Spillway.Protocols.OpenInference;

/// <summary>A string in a JSON text that <see cref="JsonCursor"/> has checked: its raw bytes, still escaped.</summary>
internal readonly ref struct JsonString(ReadOnlySpan<byte> raw, bool escaped)
{
    private const int ShownMax = 100;

    /// <summary>The bytes between the quotes.</summary>
    public ReadOnlySpan<byte> Raw { get; } = raw;

    /// <summary>True when at least one backslash is inside.</summary>
    public bool Escaped { get; } = escaped;

    /// <summary>True when the string means exactly these bytes.</summary>
    public bool Is(ReadOnlySpan<byte> utf8)
    {
        if (!Escaped)
            return Raw.SequenceEqual(utf8);
        // An escape is never shorter than what it means, so a longer raw text may still be equal, up to six times.
        if (Raw.Length < utf8.Length || Raw.Length > 6 * utf8.Length)
            return false;
        Span<byte> plain = stackalloc byte[256];
        return Raw.Length <= plain.Length && plain[..Unescape(plain)].SequenceEqual(utf8);
    }

    /// <summary>
    /// Writes what the string means as UTF-8; never longer than <see cref="Raw"/>. Returns the length.
    /// </summary>
    public int Unescape(Span<byte> into)
    {
        var (from, to) = (0, 0);
        while (from < Raw.Length)
        {
            var run = Raw[from..].IndexOf((byte)'\\');
            run = run < 0 ? Raw.Length - from : run;
            Raw.Slice(from, run).CopyTo(into[to..]);
            (from, to) = (from + run, to + run);
            if (from < Raw.Length)
                from += UnescapeOne(from, into, ref to);
        }

        return to;
    }

    /// <summary>The string as an object.</summary>
    public override string ToString()
    {
        if (!Escaped)
            return Encoding.UTF8.GetString(Raw);
        var plain = new byte[Raw.Length];
        return Encoding.UTF8.GetString(plain, 0, Unescape(plain));
    }

    /// <summary>The beginning of the string for an error text, raw and at most 100 bytes.</summary>
    public string Shown() =>
        Raw.Length <= ShownMax ? Encoding.UTF8.GetString(Raw) : Encoding.UTF8.GetString(Raw[..ShownMax]) + "…";

    /// <summary>The UTF-16 unit of four hexadecimal digits, or -1.</summary>
    public static int HexUnit(ReadOnlySpan<byte> text, int at)
    {
        if (at + 4 > text.Length)
            return -1;
        var unit = 0;
        foreach (var digit in text.Slice(at, 4))
        {
            if (!char.IsAsciiHexDigit((char)digit))
                return -1;
            unit = unit << 4 | (digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10);
        }

        return unit;
    }

    private int UnescapeOne(int from, Span<byte> into, ref int to)
    {
        if (Raw[from + 1] != 'u')
        {
            into[to++] = Raw[from + 1] switch
            {
                (byte)'b' => (byte)'\b',
                (byte)'f' => (byte)'\f',
                (byte)'n' => (byte)'\n',
                (byte)'r' => (byte)'\r',
                (byte)'t' => (byte)'\t',
                var same => same,
            };
            return 2;
        }

        var unit = (char)HexUnit(Raw, from + 2);
        var paired = char.IsHighSurrogate(unit);
        var rune = paired ? new Rune(unit, (char)HexUnit(Raw, from + 8)) : new Rune(unit);
        to += rune.EncodeToUtf8(into[to..]);
        return paired ? 12 : 6;
    }
}
