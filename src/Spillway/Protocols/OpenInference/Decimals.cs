using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Spillway.Protocols.OpenInference;

/// <summary>
/// The fast part of reading decimal numbers: sign, up to 19 significant digits and a small exponent, eight digits at
/// a time (SWAR: the bytes of one register are treated as eight lanes; the digit test and the three multiplications
/// are the well-known ones of Lemire, "Number parsing at a gigabyte per second", 2021, section 6 and 7).
/// </summary>
internal static class Decimals
{
    /// <summary>Bytes that must be readable from the start of a number: the longest one that the fast part takes.</summary>
    public const int Window = 64;

    /// <summary>Powers of ten as doubles: exact up to 22, the nearest double beyond.</summary>
    public static ReadOnlySpan<double> Powers =>
    [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
        1e20, 1e21, 1e22, 1e23, 1e24, 1e25, 1e26, 1e27, 1e28, 1e29, 1e30, 1e31, 1e32, 1e33, 1e34, 1e35, 1e36, 1e37,
        1e38, 1e39, 1e40, 1e41, 1e42, 1e43, 1e44, 1e45, 1e46, 1e47, 1e48, 1e49, 1e50, 1e51, 1e52, 1e53, 1e54, 1e55,
    ];

    private static ReadOnlySpan<ulong> Scales => [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000];

    /// <summary>
    /// Reads a number whose value is <paramref name="mantissa"/> times ten to the <paramref name="exponent"/>.
    /// Returns its length, or 0 when it is malformed or too long for this path. The byte behind it is not judged.
    /// </summary>
    /// <param name="text">The first byte; <see cref="Window"/> bytes must be readable.</param>
    /// <param name="mantissa">The digits as one number.</param>
    /// <param name="exponent">Power of ten.</param>
    /// <param name="negative">True behind a minus sign.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Read(ref byte text, out ulong mantissa, out int exponent, out bool negative)
    {
        exponent = 0;
        negative = text == '-';
        var at = negative ? 1 : 0;
        mantissa = (uint)Unsafe.Add(ref text, at++) - '0';
        if (mantissa > 9)
            return 0;
        if (mantissa != 0)
        {
            uint digit;
            while ((digit = (uint)Unsafe.Add(ref text, at) - '0') <= 9)
            {
                mantissa = mantissa * 10 + digit;
                if (++at > 19)
                    return 0;
            }
        }

        if (Unsafe.Add(ref text, at) == '.')
        {
            var digits = ReadFraction(ref Unsafe.Add(ref text, at + 1), ref mantissa);
            if (digits == 0)
                return 0;
            exponent = -digits;
            at += digits + 1;
        }

        return (Unsafe.Add(ref text, at) | 0x20) == 'e' ? ReadExponent(ref text, at, ref exponent) : at;
    }

    /// <summary>Appends the digits to the mantissa and returns how many, or 0 for none or too many.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int ReadFraction(ref byte text, ref ulong mantissa)
    {
        var eight = Load(ref text);
        var count = DigitCount(eight);
        if (count < 8)
        {
            // The mantissa has at most 19 digits; with 7 more it may not fit any longer.
            if (mantissa > 100_000_000_000)
                return AppendSlowly(count, eight, ref mantissa);
            mantissa = mantissa * Scales[count] + Leading(eight, count);
            return count;
        }

        if (mantissa > 100_000_000_000)
            return 0;
        mantissa = mantissa * 100_000_000 + Value(eight);
        eight = Load(ref Unsafe.Add(ref text, 8));
        count = DigitCount(eight);
        if (count == 0)
            return 8;
        if (count < 8 && mantissa <= 100_000_000_000)
        {
            mantissa = mantissa * Scales[count] + Leading(eight, count);
            return 8 + count;
        }

        return ReadLongFraction(ref Unsafe.Add(ref text, 8), count, eight, ref mantissa);
    }

    /// <summary>The second eight digits and up to seven more, as long as the mantissa holds them.</summary>
    private static int ReadLongFraction(ref byte text, int count, ulong eight, ref ulong mantissa)
    {
        if (count < 8)
        {
            var appended = AppendSlowly(count, eight, ref mantissa);
            return appended == 0 ? 0 : 8 + appended;
        }

        if (mantissa > 100_000_000_000)
            return 0;
        mantissa = mantissa * 100_000_000 + Value(eight);
        eight = Load(ref Unsafe.Add(ref text, 8));
        count = DigitCount(eight);
        if (count == 0)
            return 16;
        return count == 8 || AppendSlowly(count, eight, ref mantissa) == 0 ? 0 : 16 + count;
    }

    private static int AppendSlowly(int count, ulong eight, ref ulong mantissa)
    {
        if (count == 0)
            return 0;
        var high = Math.BigMul(mantissa, Scales[count], out var low);
        var sum = low + Leading(eight, count);
        if (high != 0 || sum < low)
            return 0;
        mantissa = sum;
        return count;
    }

    private static int ReadExponent(ref byte text, int at, ref int exponent)
    {
        at++;
        var sign = Unsafe.Add(ref text, at);
        if (sign is (byte)'+' or (byte)'-')
            at++;
        var (start, value) = (at, 0);
        uint digit;
        while ((digit = (uint)Unsafe.Add(ref text, at) - '0') <= 9)
        {
            value = value * 10 + (int)digit;
            if (++at - start > 4)
                return 0;
        }

        exponent += sign == '-' ? -value : value;
        return at == start ? 0 : at;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Load(ref byte text)
    {
        var value = Unsafe.ReadUnaligned<ulong>(ref text);
        return BitConverter.IsLittleEndian ? value : System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(value);
    }

    /// <summary>How many of the eight bytes are digits before the first that is none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int DigitCount(ulong eight)
    {
        var others = (eight + 0x4646464646464646 | eight - 0x3030303030303030) & 0x8080808080808080;
        return BitOperations.TrailingZeroCount(others) >> 3;
    }

    /// <summary>The number that the first bytes spell (1 to 7): they move to the end, zeros come before them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Leading(ulong eight, int count) =>
        count == 0 ? 0 : Combine((eight - 0x3030303030303030) << (64 - 8 * count));

    /// <summary>The number that eight digits spell.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Value(ulong eight) => Combine(eight - 0x3030303030303030);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Combine(ulong lanes)
    {
        lanes = lanes * 10 + (lanes >> 8);
        return (((lanes & 0x000000FF000000FF) * 0x000F424000000064)
            + ((lanes >> 16 & 0x000000FF000000FF) * 0x0000271000000001)) >> 32;
    }

    /// <summary>The first byte of the rest, for <see cref="Read"/>; the caller has checked the window.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ref byte Start(ReadOnlySpan<byte> text, int at) =>
        ref Unsafe.Add(ref MemoryMarshal.GetReference(text), at);
}
