using System.Numerics;
using System.Runtime.CompilerServices;

namespace Spillway.Protocols.OpenInference;

/// <summary>
/// A whole number within the type's range; a fraction or an exponent is refused, also where it is zero.
/// </summary>
/// <typeparam name="T">Any of the eight integer types.</typeparam>
internal readonly struct IntegerParser<T> : IElementParser<T>
    where T : unmanaged, IBinaryInteger<T>, IMinMaxValue<T>
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ScanErrorKind Parse(ReadOnlySpan<byte> text, ref int at, out T value)
    {
        value = default;
        var negative = text[at] == '-';
        var first = negative ? at + 1 : at;
        var end = first;
        var magnitude = 0UL;
        uint digit;
        while ((uint)end < (uint)text.Length && (digit = (uint)text[end] - '0') <= 9)
        {
            // 19 digits always fit; the twentieth may not.
            if (end - first >= 19 && magnitude > (ulong.MaxValue - digit) / 10)
                return Judge(text, at);
            magnitude = magnitude * 10 + digit;
            end++;
        }

        if (IsOdd(text, first, end))
            return Judge(text, at);
        if (magnitude > Limit(negative))
            return ScanErrorKind.OutOfRange;
        value = T.CreateTruncating(negative ? 0 - magnitude : magnitude);
        at = end;
        return ScanErrorKind.None;
    }

    /// <summary>No digit, a leading zero, or more than an integer behind it.</summary>
    private static bool IsOdd(ReadOnlySpan<byte> text, int first, int end) =>
        end == first || (end - first > 1 && text[first] == '0')
        || ((uint)end < (uint)text.Length && text[end] is (byte)'.' or (byte)'e' or (byte)'E');

    private static ulong Limit(bool negative) => !negative ? ulong.CreateTruncating(T.MaxValue)
        : T.IsZero(T.MinValue) ? 0 : ulong.CreateTruncating(T.MaxValue) + 1;

    /// <summary>Well-formed but not a whole number in range, or malformed.</summary>
    private static ScanErrorKind Judge(ReadOnlySpan<byte> text, int at)
    {
        var error = NumberToken.Take(text, at, out var token);
        if (error != ScanErrorKind.None)
            return error;
        return token.IndexOfAny(".eE"u8) >= 0 ? ScanErrorKind.NotWhole : ScanErrorKind.OutOfRange;
    }
}

/// <summary>BOOL: true or false, also 1 or 0, which numeric libraries write.</summary>
internal readonly struct BoolParser : IElementParser<byte>
{
    /// <inheritdoc/>
    public static ScanErrorKind Parse(ReadOnlySpan<byte> text, ref int at, out byte value)
    {
        var rest = text[at..];
        value = (byte)(rest[0] is (byte)'t' or (byte)'1' ? 1 : 0);
        if (rest.StartsWith("true"u8) || rest.StartsWith("false"u8))
        {
            at += value == 1 ? 4 : 5;
            return ScanErrorKind.None;
        }

        var error = NumberToken.Take(text, at, out var token);
        if (error != ScanErrorKind.None)
            return error;
        if (token.Length != 1 || token[0] > '1')
            return ScanErrorKind.OutOfRange;
        at++;
        return ScanErrorKind.None;
    }
}

/// <summary>The slow part of reading numbers, which also names what is wrong.</summary>
internal static class NumberToken
{
    /// <summary>Takes a number by JSON's grammar, or says why there is none.</summary>
    public static ScanErrorKind Take(ReadOnlySpan<byte> text, int at, out ReadOnlySpan<byte> token)
    {
        var rest = text[at..];
        token = default;
        if (rest.StartsWith("NaN"u8) || rest.StartsWith("Infinity"u8) || rest.StartsWith("-Infinity"u8))
            return ScanErrorKind.NotFinite;
        if (rest[0] is (byte)'"' or (byte)'{' or (byte)'t' or (byte)'f' or (byte)'n')
            return ScanErrorKind.WrongKind;
        var length = JsonCursor.NumberLength(rest, out var expected);
        if (expected is not null)
            return ScanErrorKind.Syntax;
        token = rest[..length];
        return ScanErrorKind.None;
    }
}
