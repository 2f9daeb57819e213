namespace Spillway.Runtimes.Onnx;

/// <summary>
/// ONNXTensorElementDataType, the native numbers of element types, to and from <see cref="DataType"/>.
/// </summary>
internal static class OrtElements
{
    /// <summary>The native number of strings.</summary>
    public const int Text = 8;

    /// <summary>The native number of a type.</summary>
    public static int ToNative(DataType type) => type switch
    {
        DataType.Float32 => 1,
        DataType.UInt8 => 2,
        DataType.Int8 => 3,
        DataType.UInt16 => 4,
        DataType.Int16 => 5,
        DataType.Int32 => 6,
        DataType.Int64 => 7,
        DataType.Bytes => Text,
        DataType.Bool => 9,
        DataType.Float16 => 10,
        DataType.Float64 => 11,
        DataType.UInt32 => 12,
        DataType.UInt64 => 13,
        DataType.BFloat16 => 16,
    };

    /// <summary>False for a type that the protocol has no word for: complex, 8-bit floats, 4-bit integers.</summary>
    public static bool TryFromNative(int native, out DataType type)
    {
        foreach (var candidate in Enum.GetValues<DataType>())
        {
            if (ToNative(candidate) == native)
            {
                type = candidate;
                return true;
            }
        }

        type = default;
        return false;
    }

    /// <summary>What ONNX calls a type that <see cref="TryFromNative"/> refuses.</summary>
    public static string NameOf(int native) => native switch
    {
        14 => "complex64",
        15 => "complex128",
        >= 17 and <= 20 => "an 8-bit float",
        21 or 22 => "a 4-bit integer",
        _ => $"element type {native}",
    };
}
