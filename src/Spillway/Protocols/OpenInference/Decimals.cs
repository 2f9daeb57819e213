using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Spillway.Protocols.OpenInference;

/// <summary>
/// The fast part of reading decimal numbers: sign, up to 19 significant digits and a small exponent, sixteen digits at
/// a time with SSE 4.1, else eight (SWAR: the bytes of one register are treated as eight lanes; the digit test and the
/// three multiplications
/// are the well-known ones of Lemire, "Number parsing at a gigabyte per second", 2021, section 6 and 7).
/// </summary>
internal static class Decimals
{
    /// <summary>
    /// Bytes that must be readable from the start of a number: the longest one that the fast part takes.
    /// </summary>
    public const int Window = 64;

    /// <summary>The largest power of ten, and the smallest negated, in <see cref="Powers"/>.</summary>
    public const int PowerMax = 44;

    /// <summary>10 to the (index - 44) as the nearest double; exact from 0 to 22.</summary>
    public static ReadOnlySpan<double> Powers =>
    [
        1e-44, 1e-43, 1e-42, 1e-41, 1e-40, 1e-39, 1e-38, 1e-37, 1e-36, 1e-35, 1e-34, 1e-33, 1e-32, 1e-31, 1e-30,
        1e-29, 1e-28, 1e-27, 1e-26, 1e-25, 1e-24, 1e-23, 1e-22, 1e-21, 1e-20, 1e-19, 1e-18, 1e-17, 1e-16, 1e-15,
        1e-14, 1e-13, 1e-12, 1e-11, 1e-10, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1e0, 1e1, 1e2, 1e3,
        1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
        1e23, 1e24, 1e25, 1e26, 1e27, 1e28, 1e29, 1e30, 1e31, 1e32, 1e33, 1e34, 1e35, 1e36, 1e37, 1e38, 1e39, 1e40,
        1e41, 1e42, 1e43, 1e44,
    ];

    private static ReadOnlySpan<ulong> Scales =>
    [
        1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000, 10_000_000_000,
        100_000_000_000, 1_000_000_000_000, 10_000_000_000_000, 100_000_000_000_000, 1_000_000_000_000_000,
    ];

    /// <summary>The largest mantissa that takes that many more digits and stays below 2^63.</summary>
    private static ReadOnlySpan<ulong> Limits =>
    [
        9_000_000_000_000_000_000, 900_000_000_000_000_000, 90_000_000_000_000_000, 9_000_000_000_000_000,
        900_000_000_000_000, 90_000_000_000_000, 9_000_000_000_000, 900_000_000_000, 90_000_000_000, 9_000_000_000,
        900_000_000, 90_000_000, 9_000_000, 900_000, 90_000, 9_000,
    ];

    /// <summary>
    /// From byte n on: what moves n bytes to the end of a register and puts zeros (0x80) before them.
    /// </summary>
    private static ReadOnlySpan<byte> ToTheEnd =>
    [
        0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80,
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
    ];

    /// <summary>
    /// Reads a number without an exponent: <paramref name="mantissa"/> (below 2^63) divided by ten to the number of
    /// <paramref name="decimals"/> (0 to 23). Returns its length, or 0 when it is another kind of number or malformed:
    /// then <see cref="ReadRare"/> decides. The byte behind it is not judged, but is no part of a number. The variables
    /// here are never passed on by reference, so that they stay in registers.
    /// </summary>
    /// <param name="text">The first byte; <see cref="Window"/> bytes must be readable.</param>
    /// <param name="mantissa">The digits as one number.</param>
    /// <param name="decimals">Digits behind the point.</param>
    /// <param name="negative">True behind a minus sign.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int ReadPlain(ref byte text, out ulong mantissa, out int decimals, out bool negative)
    {
        negative = text == '-';
        // A sum and no jump: signs are often random, and a jump would be mispredicted every other time.
        var at = negative ? 1 : 0;
        var first = (uint)Unsafe.Add(ref text, at++) - '0';
        mantissa = first;
        decimals = 0;
        if (first - 1 <= 8)
        {
            uint digit;
            while ((digit = (uint)Unsafe.Add(ref text, at) - '0') <= 9 && at < 11)
            {
                mantissa = mantissa * 10 + digit;
                at++;
            }
        }

        if (first > 9)
            return 0;
        if (Unsafe.Add(ref text, at) == '.')
        {
            decimals = AppendFraction(ref Unsafe.Add(ref text, at + 1), mantissa, out mantissa);
            if (decimals == 0)
                return 0;
            at += 1 + decimals;
        }

        var next = (uint)Unsafe.Add(ref text, at);
        return next - '0' <= 9 || (next | 0x20) == 'e' || next == '.' ? 0 : at;
    }

    /// <summary>Appends up to 23 digits while they fit and returns how many; those that do not fit stay.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int AppendFraction(ref byte text, ulong number, out ulong result)
    {
        if (!Sse41.IsSupported)
            return AppendLongFraction(ref text, number, out result);
        var digits = Vector128.LoadUnsafe(ref text) - Vector128.Create((byte)'0');
        var others = Vector128.GreaterThan(digits, Vector128.Create((byte)9)).ExtractMostSignificantBits();
        var count = BitOperations.TrailingZeroCount(others | 0x10000);
        if (count == 16 || number > Limits[count])
        {
            var length = AppendLongFraction(ref text, number, out var longer);
            result = longer;
            return length;
        }

        result = number * Scales[count] + Spell(digits, count);
        // Shortest floats have 7, 8 or 9 decimals by chance: a jump on that is a coin toss, so they take the sum.
        return count < 7 ? Predicted(count) : count;
    }

    /// <summary>The number that the first digits spell, by adding neighbours with their weights three times.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Spell(Vector128<byte> digits, int count)
    {
        var order = Vector128.LoadUnsafe(ref MemoryMarshal.GetReference(ToTheEnd), (nuint)count);
        var pairs = Ssse3.MultiplyAddAdjacent(Ssse3.Shuffle(digits, order), Vector128.Create((short)0x010A).AsSByte());
        var fours = Sse2.MultiplyAddAdjacent(pairs, Vector128.Create(0x0001_0064).AsInt16());
        var packed = Sse41.PackUnsignedSaturate(fours, fours).AsInt16();
        var eights = Sse2.MultiplyAddAdjacent(packed, Vector128.Create(0x0001_2710).AsInt16()).AsUInt64().ToScalar();
        return (uint)eights * 100_000_000UL + (eights >> 32);
    }

    /// <summary>The same by eights, for more digits and for processors without these instructions.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int AppendLongFraction(ref byte text, ulong number, out ulong result)
    {
        var eight = Load(ref text);
        var count = DigitCount(eight);
        if (count < 8)
        {
            // At most 11 digits and 7 more: they fit.
            result = number * Scales[count] + Leading(eight, count);
            return Predicted(count);
        }

        var at = 0;
        while (count == 8 && number <= Limits[8] && at < 16)
        {
            number = number * 100_000_000 + Combine(eight - 0x3030303030303030);
            at += 8;
            eight = Load(ref Unsafe.Add(ref text, at));
            count = DigitCount(eight);
        }

        if (count < 8 && number <= Limits[count])
        {
            number = number * Scales[count] + Leading(eight, count);
            at += count;
        }

        result = number;
        return at;
    }

    /// <summary>
    /// The digits move to the end of the register, zeros come before them; two shifts: one by 64 does nothing.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Leading(ulong eight, int count) =>
        Combine((eight - 0x3030303030303030) << (32 - 4 * count) << (32 - 4 * count));

    /// <summary>
    /// The count itself, by way of a jump. Where the next number begins depends on it; a processor predicts jumps but
    /// not
    /// sums, so it starts on the next number before it has counted this one's digits. That pays for numbers of a fixed
    /// format (a quarter of the time for four decimals); shortest forms vary too much, and take the sum.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Predicted(int count)
    {
        switch (count)
        {
            case 1:
                return 1;
            case 2:
                return 2;
            case 3:
                return 3;
            case 4:
                return 4;
            case 5:
                return 5;
            case 6:
                return 6;
            case 7:
                return 7;
            default:
                return 0;
        }
    }

    /// <summary>
    /// Reads any number of up to 19 digits, whose value is <paramref name="mantissa"/> (below 2^63) times ten to the
    /// <paramref name="exponent"/>. Returns its length, or 0 when it is longer or malformed.
    /// </summary>
    /// <param name="text">The first byte; <see cref="Window"/> bytes must be readable.</param>
    /// <param name="mantissa">The digits as one number.</param>
    /// <param name="exponent">Power of ten.</param>
    /// <param name="negative">True behind a minus sign.</param>
    public static int ReadRare(ref byte text, out ulong mantissa, out int exponent, out bool negative)
    {
        (mantissa, exponent, negative) = (0, 0, text == '-');
        var first = negative ? 1 : 0;
        var at = first;
        if (!AppendDigits(ref text, ref at, ref mantissa) || (at - first > 1 && Unsafe.Add(ref text, first) == '0'))
            return 0;
        if (Unsafe.Add(ref text, at) == '.')
        {
            var start = ++at;
            if (!AppendDigits(ref text, ref at, ref mantissa))
                return 0;
            exponent = start - at;
        }

        if ((Unsafe.Add(ref text, at) | 0x20) != 'e')
            return at;
        var sign = Unsafe.Add(ref text, ++at);
        if (sign is (byte)'+' or (byte)'-')
            at++;
        var power = 0UL;
        var digits = at;
        if (!AppendDigits(ref text, ref at, ref power) || at - digits > 4)
            return 0;
        exponent += sign == '-' ? -(int)power : (int)power;
        return at;
    }

    /// <summary>At least one digit, in bounds and without overflow; else false.</summary>
    private static bool AppendDigits(ref byte text, ref int at, ref ulong number)
    {
        var start = at;
        uint digit;
        while ((digit = (uint)Unsafe.Add(ref text, at) - '0') <= 9)
        {
            if (number > Limits[1] || at > Window - 12)
                return false;
            number = number * 10 + digit;
            at++;
        }

        return at > start;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Load(ref byte text)
    {
        var value = Unsafe.ReadUnaligned<ulong>(ref text);
        return BitConverter.IsLittleEndian ? value : System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(value);
    }

    /// <summary>How many of the eight bytes are digits before the first that is none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int DigitCount(ulong eight)
    {
        var others = (eight + 0x4646464646464646 | eight - 0x3030303030303030) & 0x8080808080808080;
        return BitOperations.TrailingZeroCount(others) >> 3;
    }

    /// <summary>The number that eight digit values spell, the first byte the highest.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Combine(ulong lanes)
    {
        lanes = lanes * 10 + (lanes >> 8);
        return (((lanes & 0x000000FF000000FF) * 0x000F424000000064)
            + ((lanes >> 16 & 0x000000FF000000FF) * 0x0000271000000001)) >> 32;
    }

    /// <summary>The first byte of the rest, for <see cref="ReadPlain"/>; the caller has checked the window.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ref byte Start(ReadOnlySpan<byte> text, int at) =>
        ref Unsafe.Add(ref MemoryMarshal.GetReference(text), at);
}
