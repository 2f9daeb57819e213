namespace Spillway;

/// <summary>The element types of the Open Inference Protocol.</summary>
public enum DataType : byte
{
    /// <summary>1 byte, 0 or 1. Wire name BOOL.</summary>
    Bool,

    /// <summary>1 byte. UINT8.</summary>
    UInt8,

    /// <summary>2 bytes. UINT16.</summary>
    UInt16,

    /// <summary>4 bytes. UINT32.</summary>
    UInt32,

    /// <summary>8 bytes. UINT64.</summary>
    UInt64,

    /// <summary>1 byte. INT8.</summary>
    Int8,

    /// <summary>2 bytes. INT16.</summary>
    Int16,

    /// <summary>4 bytes. INT32.</summary>
    Int32,

    /// <summary>8 bytes. INT64.</summary>
    Int64,

    /// <summary>2 bytes, IEEE half. FP16.</summary>
    Float16,

    /// <summary>4 bytes. FP32.</summary>
    Float32,

    /// <summary>8 bytes. FP64.</summary>
    Float64,

    /// <summary>2 bytes, the upper half of a float. BF16.</summary>
    BFloat16,

    /// <summary>
    /// A byte string of any length; in memory each element is a little-endian uint32 length and its bytes. BYTES.
    /// </summary>
    Bytes,
}

/// <summary>Facts about <see cref="DataType"/>.</summary>
public static class DataTypes
{
    private static readonly string[] s_names =
    [
        "BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64",
        "FP16", "FP32", "FP64", "BF16", "BYTES",
    ];

    /// <summary>Bytes of one element; 0 for <see cref="DataType.Bytes"/>, whose elements vary.</summary>
    public static int Size(this DataType type) => type switch
    {
        DataType.Bool or DataType.UInt8 or DataType.Int8 => 1,
        DataType.UInt16 or DataType.Int16 or DataType.Float16 or DataType.BFloat16 => 2,
        DataType.UInt32 or DataType.Int32 or DataType.Float32 => 4,
        DataType.UInt64 or DataType.Int64 or DataType.Float64 => 8,
        DataType.Bytes => 0,
    };

    /// <summary>The protocol's name, such as "FP32".</summary>
    public static string WireName(this DataType type) => s_names[(int)type];

    /// <summary>Finds a type by its protocol name, exactly as spelt.</summary>
    public static bool TryParse(ReadOnlySpan<byte> wireName, out DataType type)
    {
        for (var i = 0; i < s_names.Length; i++)
        {
            if (wireName.Length == s_names[i].Length && System.Text.Ascii.Equals(wireName, s_names[i]))
            {
                type = (DataType)i;
                return true;
            }
        }

        type = default;
        return false;
    }

    /// <summary>Every protocol name, for error texts.</summary>
    public static string AllWireNames => string.Join(", ", s_names);
}
