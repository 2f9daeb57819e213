using System.Buffers.Binary;
using System.Text;

namespace Spillway.Client;

/// <summary>One output of a reply. Owns its data; immutable and thread-safe.</summary>
public sealed class InferenceOutput
{
    internal InferenceOutput(string name, DataType type, in Shape shape, ReadOnlyMemory<byte> data) =>
        (Name, Type, Shape, Data) = (name, type, shape, data);

    /// <summary>As the model names it.</summary>
    public string Name { get; }

    /// <summary>Element type.</summary>
    public DataType Type { get; }

    /// <summary>Dimensions; the first counts rows where the model batches.</summary>
    public Shape Shape { get; }

    /// <summary>Little-endian and row-major; BYTES elements as uint32 length and bytes.</summary>
    public ReadOnlyMemory<byte> Data { get; }

    /// <summary>The elements, row-major, in a new array.</summary>
    /// <typeparam name="T">The type that fits <see cref="Type"/>: float for FP32, long for INT64 …</typeparam>
    /// <exception cref="InvalidOperationException">The output holds another type.</exception>
    public T[] As<T>()
        where T : unmanaged
    {
        if (ElementType.Of<T>() is var asked && asked != Type)
        {
            throw new InvalidOperationException(
                $"The output '{Name}' holds {Type.WireName()}, not {asked.WireName()} ({typeof(T).Name}).");
        }

        return ElementType.Elements<T>(Data.Span);
    }

    /// <summary>The texts of an output of BYTES, read as UTF-8.</summary>
    /// <exception cref="InvalidOperationException">The output holds another type.</exception>
    public string[] AsStrings() => [.. Items().Select(i => Encoding.UTF8.GetString(i.Span))];

    /// <summary>The byte strings of an output of BYTES; they point into <see cref="Data"/>.</summary>
    /// <exception cref="InvalidOperationException">The output holds another type.</exception>
    public ReadOnlyMemory<byte>[] AsBytes() => [.. Items()];

    private List<ReadOnlyMemory<byte>> Items()
    {
        if (Type is not DataType.Bytes)
            throw new InvalidOperationException($"The output '{Name}' holds {Type.WireName()}, not BYTES.");
        return TryItems(Data, out var items)
            ? items
            : throw new InvalidOperationException($"The output '{Name}' is broken: its lengths do not add up.");
    }

    /// <summary>The elements of BYTES; false when the lengths do not add up.</summary>
    internal static bool TryItems(ReadOnlyMemory<byte> data, out List<ReadOnlyMemory<byte>> items)
    {
        items = [];
        while (data.Length >= sizeof(uint))
        {
            var length = BinaryPrimitives.ReadUInt32LittleEndian(data.Span);
            if (length > data.Length - sizeof(uint))
                return false;
            items.Add(data.Slice(sizeof(uint), (int)length));
            data = data[(sizeof(uint) + (int)length)..];
        }

        return data.IsEmpty;
    }
}
