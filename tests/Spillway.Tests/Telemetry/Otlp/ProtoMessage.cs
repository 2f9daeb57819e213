using System.Buffers.Binary;
using System.Text;

namespace Spillway.Tests.Telemetry.Otlp;

/// <summary>
/// A strict reader of Protocol Buffers' wire format: throws on anything that is no such message. Knows no schema; the
/// tests name the fields.
/// </summary>
internal sealed class ProtoMessage
{
    private readonly List<(int Field, ulong Number, byte[] Bytes)> _fields = [];

    public ProtoMessage(ReadOnlySpan<byte> bytes)
    {
        for (var at = 0; at < bytes.Length;)
        {
            var tag = Varint(bytes, ref at);
            var field = (int)(tag >> 3);
            Assert.InRange(field, 1, 1 << 20);
            switch (tag & 7)
            {
                case 0:
                    _fields.Add((field, Varint(bytes, ref at), []));
                    break;
                case 1:
                    _fields.Add((field, BinaryPrimitives.ReadUInt64LittleEndian(bytes[at..]), []));
                    at += 8;
                    break;
                case 2:
                    var length = checked((int)Varint(bytes, ref at));
                    _fields.Add((field, 0, bytes.Slice(at, length).ToArray()));
                    at += length;
                    break;
                case 5:
                    _fields.Add((field, BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]), []));
                    at += 4;
                    break;
                default:
                    Assert.Fail($"Wire type {tag & 7} at {at}.");
                    break;
            }
        }
    }

    public bool Has(int field) => _fields.Exists(f => f.Field == field);

    public ulong Number(int field) => _fields.Where(f => f.Field == field).Select(f => f.Number).SingleOrDefault();

    public double Double(int field) => BitConverter.UInt64BitsToDouble(Number(field));

    public string Text(int field) => new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(Bytes(field));

    public string Hex(int field) => Convert.ToHexStringLower(Bytes(field));

    public byte[] Bytes(int field) => _fields.Where(f => f.Field == field).Select(f => f.Bytes).SingleOrDefault() ?? [];

    public ProtoMessage Message(int field) => Messages(field).Single();

    public List<ProtoMessage> Messages(int field) =>
        [.. _fields.Where(f => f.Field == field).Select(f => new ProtoMessage(f.Bytes))];

    /// <summary>A packed list of eight bytes each.</summary>
    public ulong[] Packed(int field) => [.. Bytes(field).Chunk(8).Select(c => BinaryPrimitives.ReadUInt64LittleEndian(c))];

    /// <summary>Key-value pairs as OTLP has them; lists joined by line feeds.</summary>
    public Dictionary<string, object> Attributes(int field) =>
        Messages(field).ToDictionary(pair => pair.Text(1), pair => Value(pair.Message(2)));

    private static object Value(ProtoMessage any)
    {
        if (any.Has(1))
            return any.Text(1);
        if (any.Has(2))
            return any.Number(2) != 0;
        if (any.Has(3))
            return (long)any.Number(3);
        return any.Has(4) ? any.Double(4) : string.Join('\n', any.Message(5).Messages(1).Select(item => item.Text(1)));
    }

    private static ulong Varint(ReadOnlySpan<byte> bytes, ref int at)
    {
        var value = 0UL;
        for (var shift = 0; shift < 64; shift += 7)
        {
            var group = bytes[at++];
            value |= (ulong)(group & 0x7f) << shift;
            if (group < 0x80)
                return value;
        }

        throw new InvalidDataException("A number of more than ten bytes.");
    }
}

/// <summary>A span as a receiver reads it.</summary>
internal sealed record Span(
    string Trace, string Id, string Parent, string Name, ulong Kind, ulong Start, ulong End, ulong Status,
    string Message, ulong Flags, Dictionary<string, object> Attributes)
{
    /// <summary>Reads an export of traces: the sender's attributes and every span.</summary>
    public static (Dictionary<string, object> Resource, List<Span> Spans) Read(ReadOnlySpan<byte> export)
    {
        var resource = new ProtoMessage(export).Message(1);
        var scope = resource.Message(2);
        Assert.Equal("Spillway", scope.Message(1).Text(1));
        return (resource.Message(1).Attributes(1), [.. scope.Messages(2).Select(Of)]);
    }

    private static Span Of(ProtoMessage span) => new(
        span.Hex(1), span.Hex(2), span.Hex(4), span.Text(5), span.Number(6), span.Number(7), span.Number(8),
        span.Has(15) ? span.Message(15).Number(3) : 0, span.Has(15) ? span.Message(15).Text(2) : "", span.Number(16),
        span.Attributes(9));
}
