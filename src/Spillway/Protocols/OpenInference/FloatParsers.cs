using System.Globalization;
using System.Runtime.CompilerServices;

namespace Spillway.Protocols.OpenInference;

/// <summary>FP32, rounded to nearest even, the same bits as Utf8JsonReader.GetSingle.</summary>
internal readonly struct SingleParser : IElementParser<float>
{
    /// <inheritdoc/>
    /// <remarks>
    /// Multiplies in double and rounds once more. The mantissa as a double, the power and the product are each wrong
    /// by at
    /// most half a unit in the last place, so the double lies within 4 units of the true value. Rounding it to float is
    /// right unless a midpoint between two floats (29 low bits 1000…0) lies that close; within 8 units, to be sure, the
    /// slow path decides. (The idea is Clinger's, "How to read floating point numbers accurately", 1990, with an error
    /// bound in place of exact operands.) From 1e-23 to 1e19, as here, no float is subnormal or infinite.
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ScanErrorKind Parse(ReadOnlySpan<byte> text, ref int at, out float value)
    {
        if (text.Length - at >= Decimals.Window)
        {
            var length = Decimals.ReadPlain(
                ref Decimals.Start(text, at), out var mantissa, out var decimals, out var negative);
            var wide = (long)mantissa * Decimals.Powers[Decimals.PowerMax - decimals];
            if (length != 0 && !IsNearMidpoint(wide))
            {
                at += length;
                // Signs may be random: a branch on them would be mispredicted every other time.
                var sign = (negative ? 1u : 0u) << 31;
                value = BitConverter.UInt32BitsToSingle(BitConverter.SingleToUInt32Bits((float)wide) | sign);
                return ScanErrorKind.None;
            }
        }

        var (error, taken) = ParseSlowly(text, at, out var slow);
        at += taken;
        value = slow;
        return error;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsNearMidpoint(double wide) =>
        (uint)(BitConverter.DoubleToInt64Bits(wide) & 0x1FFFFFFF) - 0x0FFFFFF8 <= 16;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static (ScanErrorKind Error, int Taken) ParseSlowly(ReadOnlySpan<byte> text, int at, out float value)
    {
        if (text.Length - at >= Decimals.Window)
        {
            var length = Decimals.ReadRare(
                ref Decimals.Start(text, at), out var mantissa, out var exponent, out var negative);
            if (length != 0 && TryRound(mantissa, exponent, out value))
            {
                value = negative ? -value : value;
                return (ScanErrorKind.None, length);
            }
        }

        value = 0;
        var error = NumberToken.Take(text, at, out var token);
        if (error != ScanErrorKind.None)
            return (error, 0);
        value = float.Parse(token, NumberStyles.Float, CultureInfo.InvariantCulture);
        return float.IsFinite(value) ? (ScanErrorKind.None, token.Length) : (ScanErrorKind.OutOfRange, 0);
    }

    /// <summary>As in <see cref="Parse"/>, but also leaves subnormal and overflowing floats to the slow path.</summary>
    private static bool TryRound(ulong mantissa, int exponent, out float value)
    {
        value = 0;
        var power = (uint)(exponent + Decimals.PowerMax);
        if (mantissa == 0 || power > 2 * Decimals.PowerMax)
            return mantissa == 0;
        var wide = (long)mantissa * Decimals.Powers[(int)power];
        value = (float)wide;
        return !IsNearMidpoint(wide) && wide >= 1.1754943508222875e-38 && value <= float.MaxValue;
    }
}

/// <summary>FP64, rounded to nearest even, the same bits as Utf8JsonReader.GetDouble.</summary>
internal readonly struct DoubleParser : IElementParser<double>
{
    /// <inheritdoc/>
    public static ScanErrorKind Parse(ReadOnlySpan<byte> text, ref int at, out double value)
    {
        value = 0;
        if (text.Length - at >= Decimals.Window && TryExact(ref Decimals.Start(text, at), ref at, out value))
            return ScanErrorKind.None;
        var error = NumberToken.Take(text, at, out var token);
        if (error != ScanErrorKind.None)
            return error;
        value = double.Parse(token, NumberStyles.Float, CultureInfo.InvariantCulture);
        if (!double.IsFinite(value))
            return ScanErrorKind.OutOfRange;
        at += token.Length;
        return ScanErrorKind.None;
    }

    /// <summary>
    /// Clinger's exact cases: both operands are exact doubles, so the one operation rounds correctly.
    /// </summary>
    private static bool TryExact(ref byte text, ref int at, out double value)
    {
        value = 0;
        var length = Decimals.ReadPlain(ref text, out var mantissa, out var decimals, out var negative);
        var exponent = -decimals;
        if (length == 0)
            length = Decimals.ReadRare(ref text, out mantissa, out exponent, out negative);
        if (length == 0 || mantissa > 1UL << 53 || (uint)(exponent + 22) > 44)
            return false;
        at += length;
        value = exponent < 0
            ? (long)mantissa / Decimals.Powers[Decimals.PowerMax - exponent]
            : (long)mantissa * Decimals.Powers[Decimals.PowerMax + exponent];
        value = negative ? -value : value;
        return true;
    }
}

/// <summary>FP16: the number as the nearest double, rounded to nearest even.</summary>
internal readonly struct HalfParser : IElementParser<Half>
{
    /// <inheritdoc/>
    public static ScanErrorKind Parse(ReadOnlySpan<byte> text, ref int at, out Half value)
    {
        var start = at;
        var error = DoubleParser.Parse(text, ref at, out var wide);
        value = (Half)wide;
        if (error != ScanErrorKind.None || Half.IsFinite(value))
            return error;
        at = start;
        return ScanErrorKind.OutOfRange;
    }
}

/// <summary>BF16 as its 16 bits: the number as the nearest double, rounded to nearest even.</summary>
internal readonly struct BrainParser : IElementParser<ushort>
{
    /// <inheritdoc/>
    public static ScanErrorKind Parse(ReadOnlySpan<byte> text, ref int at, out ushort value)
    {
        var start = at;
        var error = DoubleParser.Parse(text, ref at, out var wide);
        value = Round(wide);
        if (error != ScanErrorKind.None || (value & 0x7F80) != 0x7F80)
            return error;
        at = start;
        return ScanErrorKind.OutOfRange;
    }

    /// <summary>
    /// Rounds a finite double. The step by way of float rounds to odd (Boldo and Melquiond, "Emulation of FMA and
    /// correctly rounded sums", 2008), so that the second rounding cannot see a tie that is none.
    /// </summary>
    public static ushort Round(double wide)
    {
        var narrow = (float)wide;
        var bits = BitConverter.SingleToUInt32Bits(narrow);
        if (narrow != wide)
            bits = (Math.Abs((double)narrow) > Math.Abs(wide) ? bits - 1 : bits) | 1;
        return (ushort)((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
    }
}
