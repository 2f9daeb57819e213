using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Spillway.Client;

/// <summary>Which element type a type of C# is, and arrays of it as the little-endian bytes of the wire.</summary>
internal static class ElementType
{
    private static readonly Dictionary<Type, DataType> s_types = new()
    {
        [typeof(bool)] = DataType.Bool,
        [typeof(byte)] = DataType.UInt8,
        [typeof(ushort)] = DataType.UInt16,
        [typeof(uint)] = DataType.UInt32,
        [typeof(ulong)] = DataType.UInt64,
        [typeof(sbyte)] = DataType.Int8,
        [typeof(short)] = DataType.Int16,
        [typeof(int)] = DataType.Int32,
        [typeof(long)] = DataType.Int64,
        [typeof(Half)] = DataType.Float16,
        [typeof(float)] = DataType.Float32,
        [typeof(double)] = DataType.Float64,
    };

    /// <summary>The element type; throws for a type that no tensor holds.</summary>
    public static DataType Of<T>()
        where T : unmanaged => s_types.TryGetValue(typeof(T), out var type)
            ? type
            : throw new ArgumentException(
                $"No tensor holds {typeof(T).Name}. Use one of: {string.Join(", ", s_types.Keys.Select(t => t.Name))}; "
                + "strings have a method of their own, and BF16 goes as raw bytes.");

    /// <summary>A copy in wire form.</summary>
    public static byte[] Bytes<T>(ReadOnlySpan<T> elements)
        where T : unmanaged
    {
        var bytes = MemoryMarshal.AsBytes(elements).ToArray();
        Turn(bytes, Unsafe.SizeOf<T>());
        return bytes;
    }

    /// <summary>A copy from wire form; the length is a multiple of the element's.</summary>
    public static T[] Elements<T>(ReadOnlySpan<byte> bytes)
        where T : unmanaged
    {
        var elements = new T[bytes.Length / Unsafe.SizeOf<T>()];
        var into = MemoryMarshal.AsBytes(elements.AsSpan());
        bytes.CopyTo(into);
        Turn(into, Unsafe.SizeOf<T>());
        return elements;
    }

    private static void Turn(Span<byte> bytes, int size)
    {
        for (var at = 0; !BitConverter.IsLittleEndian && size > 1 && at < bytes.Length; at += size)
            bytes.Slice(at, size).Reverse();
    }
}
