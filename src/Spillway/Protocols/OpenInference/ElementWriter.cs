using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Spillway.Protocols.OpenInference;

/// <summary>
/// Writes a tensor's elements as a flat JSON array, numbers in the shortest form that reads back the same.
/// </summary>
internal static class ElementWriter
{
    // The longest: a double such as -2.2250738585072014E-308 and its comma.
    private const int NumberMax = 32;

    /// <summary>Writes the array, or says why JSON cannot hold it.</summary>
    public static Fault? Write(ref JsonOutput json, in Tensor tensor, TensorSpec spec)
    {
        var data = tensor.Data.Span;
        return tensor.Type switch
        {
            DataType.Bytes => Strings(ref json, data, spec),
            DataType.Bool => Booleans(ref json, data),
            DataType.Float16 => Halves(ref json, MemoryMarshal.Cast<byte, Half>(data), spec),
            DataType.BFloat16 => Brains(ref json, MemoryMarshal.Cast<byte, ushort>(data), spec),
            DataType.Float32 => Singles(ref json, MemoryMarshal.Cast<byte, float>(data), spec),
            DataType.Float64 => Doubles(ref json, MemoryMarshal.Cast<byte, double>(data), spec),
            DataType.UInt8 => Numbers<byte>(ref json, data),
            DataType.UInt16 => Numbers<ushort>(ref json, data),
            DataType.UInt32 => Numbers<uint>(ref json, data),
            DataType.UInt64 => Numbers<ulong>(ref json, data),
            _ => Signed(ref json, data, tensor.Type),
        };
    }

    private static Fault? Signed(ref JsonOutput json, ReadOnlySpan<byte> data, DataType type) => type switch
    {
        DataType.Int8 => Numbers<sbyte>(ref json, data),
        DataType.Int16 => Numbers<short>(ref json, data),
        DataType.Int32 => Numbers<int>(ref json, data),
        DataType.Int64 => Numbers<long>(ref json, data),
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "Not a signed integer."),
    };

    private static Fault? Singles(ref JsonOutput json, ReadOnlySpan<float> values, TensorSpec spec)
    {
        Open(ref json);
        foreach (var value in values)
        {
            if (!float.IsFinite(value))
                return NotFinite(spec);
            Append(ref json, value);
        }

        return Close(ref json, values.Length);
    }

    private static Fault? Doubles(ref JsonOutput json, ReadOnlySpan<double> values, TensorSpec spec)
    {
        Open(ref json);
        foreach (var value in values)
        {
            if (!double.IsFinite(value))
                return NotFinite(spec);
            Append(ref json, value);
        }

        return Close(ref json, values.Length);
    }

    private static Fault? Halves(ref JsonOutput json, ReadOnlySpan<Half> values, TensorSpec spec)
    {
        Open(ref json);
        foreach (var value in values)
        {
            if (!Half.IsFinite(value))
                return NotFinite(spec);
            Append(ref json, value);
        }

        return Close(ref json, values.Length);
    }

    /// <summary>As the float of the same value: exact, at the price of a few more digits than 8 bits need.</summary>
    private static Fault? Brains(ref JsonOutput json, ReadOnlySpan<ushort> values, TensorSpec spec)
    {
        Open(ref json);
        foreach (var bits in values)
        {
            var value = BitConverter.UInt32BitsToSingle((uint)bits << 16);
            if (!float.IsFinite(value))
                return NotFinite(spec);
            Append(ref json, value);
        }

        return Close(ref json, values.Length);
    }

    private static Fault? Numbers<T>(ref JsonOutput json, ReadOnlySpan<byte> data)
        where T : unmanaged, IUtf8SpanFormattable
    {
        var values = MemoryMarshal.Cast<byte, T>(data);
        Open(ref json);
        foreach (var value in values)
            Append(ref json, value);
        return Close(ref json, values.Length);
    }

    private static Fault? Booleans(ref JsonOutput json, ReadOnlySpan<byte> data)
    {
        Open(ref json);
        foreach (var value in data)
            json.Raw(value != 0 ? "true,"u8 : "false,"u8);
        return Close(ref json, data.Length);
    }

    private static Fault? Strings(ref JsonOutput json, ReadOnlySpan<byte> data, TensorSpec spec)
    {
        var count = 0;
        Open(ref json);
        while (data.Length > 0)
        {
            var length = BinaryPrimitives.ReadInt32LittleEndian(data);
            if (!json.String(data.Slice(4, length)))
            {
                return Fault.Invalid(
                    $"output '{spec.Name}' holds bytes that are no UTF-8 text, which JSON cannot hold; "
                    + "ask for it in the binary format (output parameter 'binary_data': true)");
            }

            json.Raw(","u8);
            data = data[(4 + length)..];
            count++;
        }

        return Close(ref json, count);
    }

    private static void Append<T>(ref JsonOutput json, T value)
        where T : IUtf8SpanFormattable
    {
        var room = json.Reserve(NumberMax);
        value.TryFormat(room, out var written, default, CultureInfo.InvariantCulture);
        room[written] = (byte)',';
        json.Advance(written + 1);
    }

    private static void Open(ref JsonOutput json) => json.Raw("["u8);

    /// <summary>Every element left a comma behind it; the last one becomes the bracket.</summary>
    private static Fault? Close(ref JsonOutput json, int count)
    {
        if (count > 0)
            json.Retract();
        json.Raw("]"u8);
        return null;
    }

    private static Fault NotFinite(TensorSpec spec) => Fault.Invalid(
        $"output '{spec.Name}' holds NaN or Infinity, which JSON does not have; "
        + "ask for it in the binary format (output parameter 'binary_data': true)");
}
