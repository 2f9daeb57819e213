using System.Buffers.Binary;
using System.Text;

namespace Spillway.Tests.Protocols.Grpc;

/// <summary>
/// Protobuf as the specification has it, written apart from the server's own, so that both do not share a mistake.
/// </summary>
internal static class Proto
{
    /// <summary>Fields one after the other.</summary>
    public static byte[] Message(params byte[][] fields) => [.. fields.SelectMany(f => f)];

    public static byte[] Varint(ulong value)
    {
        var bytes = new List<byte>();
        for (; value > 127; value >>= 7)
            bytes.Add((byte)(value & 127 | 128));
        return [.. bytes, (byte)value];
    }

    public static byte[] Whole(int field, long value) => [.. Varint((ulong)field * 8), .. Varint((ulong)value)];

    public static byte[] Bytes(int field, params byte[][] parts)
    {
        var all = Message(parts);
        return [.. Varint(((ulong)field * 8) + 2), .. Varint((ulong)all.Length), .. all];
    }

    public static byte[] Text(int field, string text) => Bytes(field, Encoding.UTF8.GetBytes(text));

    /// <summary>A packed list of varints.</summary>
    public static byte[] Packed(int field, params long[] values) => Bytes(field,
        [.. values.Select(v => Varint((ulong)v))]);

    /// <summary>An entry of a map of InferParameter: the choice is the value's own field.</summary>
    public static byte[] Parameter(string name, byte[] choice) => Bytes(4, Text(1, name), Bytes(2, choice));

    /// <summary>An InferInputTensor without data.</summary>
    public static byte[] Input(string name, string type, long[] shape, params byte[][] more) =>
        Bytes(5, [Text(1, name), Text(2, type), Packed(3, shape), .. more]);

    /// <summary>A ModelInferRequest for a row of x, raw.</summary>
    public static byte[] Row(string model, string id = "", params byte[][] more) => Message(
        [Text(1, model), Text(3, id), Input("x", "FP32", [1, 4]), Bytes(7, Floats(1, 2, 3, 4)), .. more]);

    public static byte[] Floats(params float[] values)
    {
        var bytes = new byte[4 * values.Length];
        for (var i = 0; i < values.Length; i++)
            BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(4 * i), values[i]);
        return bytes;
    }

    /// <summary>A frame of gRPC.</summary>
    public static byte[] Frame(byte[] message, byte flag = 0, long? claims = null)
    {
        var head = new byte[5];
        head[0] = flag;
        BinaryPrimitives.WriteUInt32BigEndian(head.AsSpan(1), (uint)(claims ?? message.Length));
        return [.. head, .. message];
    }

    /// <summary>The fields of a message; varints as eight bytes.</summary>
    public static List<(int Field, byte[] Value)> Read(byte[] message)
    {
        var (fields, at) = (new List<(int, byte[])>(), 0);
        while (at < message.Length)
        {
            var tag = Next(message, ref at);
            var length = (tag & 7) switch
            {
                0 => 0,
                1 => 8,
                2 => (int)Next(message, ref at),
                5 => 4,
                _ => throw new InvalidDataException($"wire type {tag & 7}"),
            };
            var value = (tag & 7) == 0 ? BitConverter.GetBytes(Next(message, ref at)) : message[at..(at + length)];
            fields.Add(((int)(tag >> 3), value));
            at += length;
        }

        return fields;
    }

    /// <summary>The one field of that number; empty when it is absent.</summary>
    public static byte[] Field(byte[] message, int field) =>
        Read(message).Where(f => f.Field == field).Select(f => f.Value).SingleOrDefault([]);

    public static string TextOf(byte[] message, int field) => Encoding.UTF8.GetString(Field(message, field));

    private static ulong Next(byte[] bytes, ref int at)
    {
        var (value, shift) = (0UL, 0);
        do
        {
            value |= (ulong)(bytes[at] & 127) << shift;
            shift += 7;
        }
        while (bytes[at++] > 127);
        return value;
    }
}
