using System.Globalization;

namespace Spillway.Telemetry;

/// <summary>A W3C trace id: 16 bytes, not all zero when valid.</summary>
/// <param name="High">The first eight bytes, as a big-endian number.</param>
/// <param name="Low">The last eight.</param>
public readonly record struct TraceId(ulong High, ulong Low)
{
    /// <summary>True for the value that means none.</summary>
    public bool IsEmpty => (High | Low) == 0;

    /// <summary>32 lower-case hexadecimal digits.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{High:x16}{Low:x16}");
}

/// <summary>
/// The header traceparent of W3C Trace Context: which trace a request belongs to and which span called.
/// https://www.w3.org/TR/trace-context/#traceparent-header
/// </summary>
/// <param name="Trace">The trace; not empty.</param>
/// <param name="Span">The span; not 0.</param>
/// <param name="Flags">Bit 0: sampled; bit 1: the trace id is random (level 2). Other bits are dropped.</param>
public readonly record struct TraceContext(TraceId Trace, ulong Span, byte Flags)
{
    /// <summary>The header's name.</summary>
    public const string HeaderName = "traceparent";

    private const int Length = 55;
    private const byte KnownFlags = 0x03;

    /// <summary>Whether the caller records this trace.</summary>
    public bool Sampled => (Flags & 1) != 0;

    /// <summary>
    /// Reads a header value. Version 00 must fit exactly; a higher version is read by the part that it shares with 00,
    /// as the specification asks; version ff, all-zero ids and upper-case digits are refused.
    /// </summary>
    public static bool TryParse(ReadOnlySpan<char> header, out TraceContext context)
    {
        context = default;
        if (!LayoutFits(header) || !TryHex(header[3..19], out var high) || !TryHex(header[19..35], out var low)
            || !TryHex(header[36..52], out var span) || !TryHex(header[53..55], out var flags))
            return false;
        var trace = new TraceId(high, low);
        if (trace.IsEmpty || span == 0)
            return false;
        context = new(trace, span, (byte)(flags & KnownFlags));
        return true;
    }

    /// <summary>The same trace with a new span of ours.</summary>
    public TraceContext Child(SpanIds ids) => this with { Span = ids.Next() };

    /// <summary>A new trace, not sampled, for a request that brought none.</summary>
    public static TraceContext Root(SpanIds ids) => new(new(ids.Next(), ids.Next()), ids.Next(), Flags: 0);

    /// <summary>The header value in version 00. Allocates only the string.</summary>
    public override string ToString() => string.Create(Length, this, static (text, context) =>
    {
        "00-".CopyTo(text);
        Hex(text[3..19], context.Trace.High);
        Hex(text[19..35], context.Trace.Low);
        text[35] = '-';
        Hex(text[36..52], context.Span);
        text[52] = '-';
        Hex(text[53..55], context.Flags);
    });

    private static void Hex(Span<char> digits, ulong value)
    {
        for (var i = digits.Length - 1; i >= 0; i--)
        {
            digits[i] = "0123456789abcdef"[(int)(value & 15)];
            value >>= 4;
        }
    }

    /// <summary>The dashes, the version, and an end that fits the version.</summary>
    private static bool LayoutFits(ReadOnlySpan<char> header)
    {
        if (header.Length < Length || header[2] != '-' || header[35] != '-' || header[52] != '-')
            return false;
        if (!TryHex(header[..2], out var version) || version == 0xff)
            return false;
        return header.Length == Length || (version > 0 && header[Length] == '-');
    }

    private static bool TryHex(ReadOnlySpan<char> digits, out ulong value)
    {
        value = 0;
        foreach (var digit in digits)
        {
            if (!char.IsAsciiHexDigitLower(digit))
                return false;
            value = value << 4 | (uint)(digit <= '9' ? digit - '0' : digit - 'a' + 10);
        }

        return true;
    }
}

/// <summary>
/// A source of span and trace ids: SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators,
/// 2014) over an atomic counter, so it is thread-safe, allocates nothing, repeats only after 2^64 numbers, and replays
/// from its seed.
/// </summary>
/// <param name="seed">Different for each process, or ids of two servers collide; from a secure source at start.</param>
public sealed class SpanIds(ulong seed)
{
    private const ulong Golden = 0x9E3779B97F4A7C15;
    private ulong _state = seed;

    /// <summary>The next id, never 0.</summary>
    public ulong Next()
    {
        ulong mixed;
        do
        {
            mixed = Interlocked.Add(ref _state, Golden);
            mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9;
            mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
            mixed ^= mixed >> 31;
        }
        while (mixed == 0);
        return mixed;
    }
}
