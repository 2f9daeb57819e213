using System.Buffers.Binary;
using System.Text;

namespace Spillway.Client;

/// <summary>One input of a call: a name, a shape, and its elements in wire form. Immutable; thread-safe.</summary>
public sealed class InferenceInput
{
    private InferenceInput(string name, DataType type, in Shape shape, byte[] data) =>
        (Name, Type, Shape, Data) = (name, type, shape, data);

    /// <summary>As the model names it.</summary>
    public string Name { get; }

    /// <summary>Element type.</summary>
    public DataType Type { get; }

    /// <summary>Dimensions; the first counts rows where the model batches.</summary>
    public Shape Shape { get; }

    /// <summary>Little-endian and row-major; BYTES elements as uint32 length and bytes.</summary>
    public ReadOnlyMemory<byte> Data { get; }

    /// <summary>
    /// Numbers or booleans. The elements are copied, so that the caller may use its array again at once, also when it
    /// gives the call up while a run reads them.
    /// </summary>
    /// <typeparam name="T">bool, byte to ulong, sbyte to long, Half, float or double.</typeparam>
    /// <param name="name">As the model names it.</param>
    /// <param name="shape">At most <see cref="Spillway.Shape.RankMax"/> dimensions.</param>
    /// <param name="elements">As many as the shape has, row-major.</param>
    public static InferenceInput Of<T>(string name, ReadOnlySpan<long> shape, ReadOnlySpan<T> elements)
        where T : unmanaged
    {
        var type = ElementType.Of<T>();
        var dims = Checked(name, shape, elements.Length);
        return new(name, type, dims, ElementType.Bytes(elements));
    }

    /// <summary>Numbers or booleans, as the other overload.</summary>
    public static InferenceInput Of<T>(string name, ReadOnlySpan<long> shape, T[] elements)
        where T : unmanaged => Of<T>(name, shape, elements.AsSpan());

    /// <summary>Texts, in UTF-8.</summary>
    /// <param name="name">As the model names it.</param>
    /// <param name="shape">Dimensions.</param>
    /// <param name="texts">As many as the shape has.</param>
    public static InferenceInput Strings(string name, ReadOnlySpan<long> shape, params ReadOnlySpan<string> texts)
    {
        var dims = Checked(name, shape, texts.Length);
        var length = 0;
        foreach (var text in texts)
            length = checked(length + sizeof(uint) + Encoding.UTF8.GetByteCount(text));
        var (data, at) = (new byte[length], 0);
        foreach (var text in texts)
        {
            var size = Encoding.UTF8.GetBytes(text, data.AsSpan(at + sizeof(uint)));
            BinaryPrimitives.WriteUInt32LittleEndian(data.AsSpan(at), (uint)size);
            at += sizeof(uint) + size;
        }

        return new(name, DataType.Bytes, dims, data);
    }

    /// <summary>Byte strings, such as the bytes of a picture.</summary>
    /// <param name="name">As the model names it.</param>
    /// <param name="shape">Dimensions.</param>
    /// <param name="items">As many as the shape has; copied.</param>
    public static InferenceInput Bytes(string name, ReadOnlySpan<long> shape, params ReadOnlySpan<byte[]> items)
    {
        var dims = Checked(name, shape, items.Length);
        var length = 0;
        foreach (var item in items)
            length = checked(length + sizeof(uint) + item.Length);
        var (data, at) = (new byte[length], 0);
        foreach (var item in items)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(data.AsSpan(at), (uint)item.Length);
            item.CopyTo(data, at + sizeof(uint));
            at += sizeof(uint) + item.Length;
        }

        return new(name, DataType.Bytes, dims, data);
    }

    /// <summary>Elements that are in wire form already, also of types that C# has no name for (BF16).</summary>
    /// <param name="name">As the model names it.</param>
    /// <param name="type">Element type.</param>
    /// <param name="shape">Dimensions.</param>
    /// <param name="wire">Little-endian, row-major; copied. The server checks it against the shape.</param>
    public static InferenceInput Raw(string name, DataType type, ReadOnlySpan<long> shape, ReadOnlySpan<byte> wire)
    {
        var count = type.Size() is > 0 and var size && wire.Length % size == 0 ? wire.Length / size : (long?)null;
        return new(name, type, Checked(name, shape, count), wire.ToArray());
    }

    private static Shape Checked(string name, ReadOnlySpan<long> dims, long? elements)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (dims.Length > Shape.RankMax)
        {
            throw new ArgumentException(
                $"Input '{name}' has {dims.Length} dimensions; at most {Shape.RankMax} are allowed.", nameof(dims));
        }

        var shape = new Shape(dims);
        if (!shape.TryCount(out var count))
        {
            throw new ArgumentException(
                $"Input '{name}': the shape {shape} has a negative dimension or more elements than can be counted.",
                nameof(dims));
        }

        if (elements is { } given && given != count)
        {
            throw new ArgumentException(
                $"Input '{name}': the shape {shape} has {count} elements, and {given} are given.", nameof(elements));
        }

        return shape;
    }
}
