using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Spillway.Shared;

/// <summary>
/// Writes ONNX graphs for tests and benchmarks: just the part of the format (onnx.proto3) that they need, as protobuf
/// by hand. Add ports, weights and nodes, then take the file with <see cref="ToModel"/>.
/// </summary>
public sealed class OnnxWriter
{
    /// <summary>TensorProto.DataType numbers in use.</summary>
    public const int Float = 1, UInt8 = 2, Int8 = 3, UInt16 = 4, Int16 = 5, Int32 = 6, Int64 = 7, Text = 8, Bool = 9,
        Float16 = 10, Double = 11, UInt32 = 12, UInt64 = 13, Complex64 = 14, BFloat16 = 16;

    private const int IrVersion = 8;
    private readonly Message _graph = new();

    public OnnxWriter(string graphName = "graph") => _graph.Text(2, graphName);

    /// <summary>Declares an input; a dimension is a number or a name ("N").</summary>
    public OnnxWriter Input(string name, int type, params object[] dims)
    {
        _graph.Put(11, Port(name, type, dims));
        return this;
    }

    /// <summary>Declares an output.</summary>
    public OnnxWriter Output(string name, int type, params object[] dims)
    {
        _graph.Put(12, Port(name, type, dims));
        return this;
    }

    /// <summary>Declares an output that is a sequence of tensors.</summary>
    public OnnxWriter SequenceOutput(string name, int type)
    {
        var element = new Message().Put(1, new Message().Number(1, type).Put(2, new Message().Put(1, new Message().Text(2, "n"))));
        _graph.Put(12, new Message().Text(1, name).Put(2, new Message().Put(4, new Message().Put(1, element))));
        return this;
    }

    /// <summary>Adds constant weights.</summary>
    public OnnxWriter Weights(string name, int type, ReadOnlySpan<byte> data, params long[] dims)
    {
        _graph.Put(5, Tensor(name, type, data, dims));
        return this;
    }

    /// <summary>
    /// Adds float weights that lie in another file; <paramref name="external"/> says whether it says so too.
    /// </summary>
    public OnnxWriter WeightsIn(string location, string name, long[] dims, bool external = true)
    {
        var tensor = new Message();
        foreach (var dim in dims)
            tensor.Number(1, dim);
        tensor.Number(2, Float).Text(8, name);
        if (!external)
            tensor.Bytes(9, new byte[sizeof(float) * dims.Aggregate(1L, static (product, dim) => product * dim)]);
        _graph.Put(5, tensor.Put(13, new Message().Text(1, "location").Text(2, location)).Number(14, external ? 1 : 0));
        return this;
    }

    /// <summary>Adds float weights, uniform in ±limit from a seed.</summary>
    public OnnxWriter RandomWeights(string name, Random random, float limit, params long[] dims)
    {
        var data = new byte[dims.Aggregate(sizeof(float), static (product, dim) => product * (int)dim)];
        for (var at = 0; at < data.Length; at += sizeof(float))
            BinaryPrimitives.WriteSingleLittleEndian(data.AsSpan(at), ((random.NextSingle() * 2) - 1) * limit);
        return Weights(name, Float, data, dims);
    }

    /// <summary>Adds a node: operator, space-separated input and output names ("" stands as "-"), attributes.</summary>
    public OnnxWriter Node(string op, string inputs, string outputs, params (string Name, object Value)[] attributes)
    {
        var node = new Message();
        foreach (var input in inputs.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            node.Text(1, input == "-" ? "" : input);
        foreach (var output in outputs.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            node.Text(2, output);
        node.Text(4, op);
        foreach (var (name, value) in attributes)
            node.Put(5, Attribute(name, value));
        _graph.Put(1, node);
        return this;
    }

    /// <summary>The complete file.</summary>
    public byte[] ToModel(int opset = 13) => new Message()
        .Number(1, IrVersion).Text(2, "spillway").Put(7, _graph).Put(8, new Message().Number(2, opset)).ToArray();

    private static Message Attribute(string name, object value)
    {
        const int TypeInt = 2, TypeGraph = 5, TypeInts = 7;
        var message = new Message().Text(1, name);
        return value switch
        {
            int number => message.Number(3, number).Number(20, TypeInt),
            OnnxWriter graph => message.Put(6, graph._graph).Number(20, TypeGraph),
            long[] numbers => numbers.Aggregate(message, static (m, number) => m.Number(8, number)).Number(20, TypeInts),
            _ => throw new ArgumentException($"No attribute of type {value.GetType()}.", nameof(value)),
        };
    }

    private static Message Port(string name, int type, object[] dims)
    {
        var shape = new Message();
        foreach (var dim in dims)
            shape.Put(1, dim is string symbol ? new Message().Text(2, symbol) : new Message().Number(1, Convert.ToInt64(dim)));
        return new Message().Text(1, name).Put(2, new Message().Put(1, new Message().Number(1, type).Put(2, shape)));
    }

    private static Message Tensor(string name, int type, ReadOnlySpan<byte> data, long[] dims)
    {
        var message = new Message();
        foreach (var dim in dims)
            message.Number(1, dim);
        return message.Number(2, type).Text(8, name).Bytes(9, data);
    }

    /// <summary>A protobuf message under construction.</summary>
    private sealed class Message
    {
        private readonly ArrayBufferWriter<byte> _bytes = new();

        public Message Number(int field, long value)
        {
            Varint((ulong)field << 3);
            Varint((ulong)value);
            return this;
        }

        public Message Bytes(int field, ReadOnlySpan<byte> value)
        {
            Varint(((ulong)field << 3) | 2);
            Varint((ulong)value.Length);
            _bytes.Write(value);
            return this;
        }

        public Message Text(int field, string value) => Bytes(field, Encoding.UTF8.GetBytes(value));

        public Message Put(int field, Message value) => Bytes(field, value._bytes.WrittenSpan);

        public byte[] ToArray() => _bytes.WrittenSpan.ToArray();

        private void Varint(ulong value)
        {
            for (; value >= 0x80; value >>= 7)
                _bytes.Write([(byte)(value | 0x80)]);
            _bytes.Write([(byte)value]);
        }
    }
}
