using System.Buffers.Binary;

namespace Spillway.Engine;

/// <summary>A configured number as one element of a tensor.</summary>
internal static class NumberBytes
{
    /// <summary>Its little-endian bytes; null when the type cannot hold it: a whole type takes whole numbers.</summary>
    public static byte[]? Of(DataType type, double value) => type switch
    {
        DataType.Float32 => Float(value),
        DataType.Float64 => BitConverter.GetBytes(value),
        DataType.Float16 => Small(value),
        DataType.BFloat16 => Float(value)?[2..],
        DataType.Bytes => null,
        DataType.Bool => Flag(value),
        DataType.Int8 or DataType.Int16 or DataType.Int32 or DataType.Int64 => Whole(type.Size(), value, signed: true),
        DataType.UInt8 or DataType.UInt16 or DataType.UInt32 or DataType.UInt64 =>
            Whole(type.Size(), value, signed: false),
    };

    private static byte[]? Flag(double value) => value is 0 or 1 ? [(byte)value] : null;

    private static byte[]? Small(double value) =>
        Half.IsFinite((Half)value) ? BitConverter.GetBytes((Half)value) : null;

    private static byte[]? Float(double value) =>
        float.IsFinite((float)value) ? BitConverter.GetBytes((float)value) : null;

    private static byte[]? Whole(int size, double value, bool signed)
    {
        var bits = 8 * size;
        var (low, beyond) = signed ? (-Math.Pow(2, bits - 1), Math.Pow(2, bits - 1)) : (0, Math.Pow(2, bits));
        if (!double.IsInteger(value) || value < low || value >= beyond)
            return null;
        var bytes = new byte[sizeof(long)];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, value < 0 ? (ulong)(long)value : (ulong)value);
        return bytes[..size];
    }
}
