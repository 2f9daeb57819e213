using System.Buffers.Binary;
using System.Globalization;
using System.Text.Json;
using System.Text.Unicode;

namespace Spillway.App.Load;

/// <summary>One input tensor of one request: its shape and its bytes as they lie in a binary request.</summary>
internal sealed record InputData(InputSpec Spec, long[] Shape, byte[] Bytes)
{
    private const int TensorBytesMax = 256 << 20;
    private const int StringBytes = 8;

    /// <param name="spec">The model's declaration.</param>
    /// <param name="shape">Without variable dimensions.</param>
    /// <param name="source">"random", "zeros" or a file of raw little-endian elements (for BYTES: one element).</param>
    /// <param name="random">Seeded.</param>
    public static InputData Create(InputSpec spec, long[] shape, string source, Random random)
    {
        if (source is "random" or "zeros")
        {
            var count = Count(spec, shape);
            return new(spec, shape, source == "random" ? Random(spec.Type, count, random) : Zeros(spec.Type, count));
        }

        if (!File.Exists(source))
            throw LoadException.Usage($"The file '{source}' of input '{spec.Name}' does not exist. Give --input "
                + $"{spec.Name}=random, zeros, or a file of raw {spec.Type.WireName()} elements.");
        return FromFile(spec, shape, source);
    }

    /// <summary>Writes the elements as JSON numbers, booleans or strings, flat.</summary>
    public void WriteJson(Utf8JsonWriter json)
    {
        json.WriteStartArray();
        if (Spec.Type == DataType.Bytes)
        {
            for (var rest = Bytes.AsSpan(); !rest.IsEmpty;)
            {
                var length = (int)BinaryPrimitives.ReadUInt32LittleEndian(rest);
                if (!Utf8.IsValid(rest.Slice(4, length)))
                    throw LoadException.Usage($"Input '{Spec.Name}' is not UTF-8 text, which JSON cannot carry. "
                        + "Use --format binary, or --raw FILE.");
                json.WriteStringValue(rest.Slice(4, length));
                rest = rest[(4 + length)..];
            }
        }
        else
        {
            for (var at = 0; at < Bytes.Length; at += Spec.Type.Size())
                WriteElement(json, Bytes.AsSpan(at));
        }

        json.WriteEndArray();
    }

    private static InputData FromFile(InputSpec spec, long[] shape, string path)
    {
        if (new FileInfo(path).Length > TensorBytesMax)
            throw LoadException.Usage(
                $"'{path}' is larger than the {TensorBytesMax >> 20} MiB a tensor may have here.");
        var file = File.ReadAllBytes(path);
        if (spec.Type == DataType.Bytes)
        {
            var element = new byte[4 + file.Length];
            BinaryPrimitives.WriteUInt32LittleEndian(element, (uint)file.Length);
            file.CopyTo(element, 4);
            return new(spec, [.. shape.Select(_ => 1L)], element);
        }

        var wanted = Count(spec, shape) * spec.Type.Size();
        return file.Length == wanted ? new(spec, shape, file)
            : throw LoadException.Usage($"'{path}' has {file.Length:N0} bytes; input '{spec.Name}' of shape "
                + $"[{string.Join(',', shape)}] and type {spec.Type.WireName()} takes {wanted:N0}. Set --shape.");
    }

    private static int Count(InputSpec spec, long[] shape)
    {
        var bytesEach = Math.Max(spec.Type.Size(), 1);
        var count = 1L;
        foreach (var dimension in shape)
        {
            if (dimension < 0 || (count *= Math.Min(dimension, TensorBytesMax)) * bytesEach > TensorBytesMax)
                throw LoadException.Usage($"Input '{spec.Name}' of shape [{string.Join(',', shape)}] is negative or "
                    + $"larger than {TensorBytesMax >> 20} MiB. Give a smaller --shape {spec.Name}=…");
        }

        return (int)count;
    }

    private static byte[] Zeros(DataType type, int count) =>
        new byte[count * (type == DataType.Bytes ? 4 : type.Size())];

    /// <summary>
    /// Floats in [0, 1), integers in [0, 100), letters: values every model can take without overflow.
    /// </summary>
    private static byte[] Random(DataType type, int count, Random random)
    {
        var size = type == DataType.Bytes ? 4 + StringBytes : type.Size();
        var bytes = new byte[count * size];
        for (var i = 0; i < count; i++)
            WriteRandom(bytes.AsSpan(i * size, size), type, random);
        return bytes;
    }

    private static void WriteRandom(Span<byte> at, DataType type, Random random)
    {
        switch (type)
        {
            case DataType.Bool:
                at[0] = (byte)random.Next(2);
                break;
            case DataType.Float16:
                BinaryPrimitives.WriteHalfLittleEndian(at, (Half)(random.Next(1024) / 1024f));
                break;
            case DataType.BFloat16:
                BinaryPrimitives.WriteUInt16LittleEndian(at,
                    (ushort)(BitConverter.SingleToUInt32Bits(random.NextSingle()) >> 16));
                break;
            case DataType.Float32:
                BinaryPrimitives.WriteSingleLittleEndian(at, random.NextSingle());
                break;
            case DataType.Float64:
                BinaryPrimitives.WriteDoubleLittleEndian(at, random.NextDouble());
                break;
            case DataType.Bytes:
                BinaryPrimitives.WriteUInt32LittleEndian(at, StringBytes);
                random.GetItems("abcdefghijklmnopqrstuvwxyz"u8, at[4..]);
                break;
            default:
                // Every integer type: little-endian, so the small value stands in the first byte.
                at[0] = (byte)random.Next(100);
                break;
        }
    }

    private void WriteElement(Utf8JsonWriter json, ReadOnlySpan<byte> at)
    {
        switch (Spec.Type)
        {
            case DataType.Bool:
                json.WriteBooleanValue(at[0] != 0);
                break;
            case DataType.Float16:
                WriteFloat(json, (float)BinaryPrimitives.ReadHalfLittleEndian(at));
                break;
            case DataType.BFloat16:
                WriteFloat(json,
                    BitConverter.UInt32BitsToSingle((uint)BinaryPrimitives.ReadUInt16LittleEndian(at) << 16));
                break;
            case DataType.Float32:
                WriteFloat(json, BinaryPrimitives.ReadSingleLittleEndian(at));
                break;
            case DataType.Float64:
                json.WriteNumberValue(Finite(BinaryPrimitives.ReadDoubleLittleEndian(at)));
                break;
            default:
                json.WriteRawValue(Integer(at).ToString(CultureInfo.InvariantCulture));
                break;
        }
    }

    private Int128 Integer(ReadOnlySpan<byte> at)
    {
        var signed = Spec.Type is DataType.Int8 or DataType.Int16 or DataType.Int32 or DataType.Int64;
        var value = Int128.Zero;
        var size = Spec.Type.Size();
        for (var i = size - 1; i >= 0; i--)
            value = (value << 8) | at[i];
        return signed && at[size - 1] >= 128 ? value - (Int128.One << (8 * size)) : value;
    }

    private void WriteFloat(Utf8JsonWriter json, float value) => json.WriteNumberValue((float)Finite(value));

    private double Finite(double value) => double.IsFinite(value) ? value
        : throw LoadException.Usage(
            $"Input '{Spec.Name}' holds {value}, which JSON cannot carry. Use --format binary.");
}
