using System.Buffers.Binary;

namespace Spillway.Engine.Rollout;

/// <summary>
/// Whether two versions gave the same answer: floats within 0.001 of each other (another order of additions, another
/// instruction set), everything else byte for byte. Pure.
/// </summary>
internal static class Agreement
{
    /// <summary>How far two floats may be apart.</summary>
    public const double DifferenceMax = 1e-3;

    /// <summary>Whether every output of the one is in the other and agrees.</summary>
    public static bool Of(TensorSet champion, TensorSet challenger)
    {
        foreach (ref readonly var tensor in champion.Span)
        {
            var index = challenger.Find(tensor.Port);
            if (index < 0 || !Of(tensor, challenger[index]))
                return false;
        }

        return true;
    }

    private static bool Of(in Tensor one, in Tensor other)
    {
        if (one.Type != other.Type || !one.Shape.Equals(other.Shape) || one.Data.Length != other.Data.Length)
            return false;
        var a = one.Data.Span;
        var b = other.Data.Span;
        return a.SequenceEqual(b) || one.Type switch
        {
            DataType.Float64 => Near(a, b, sizeof(double), BinaryPrimitives.ReadDoubleLittleEndian),
            DataType.Float32 => Near(a, b, sizeof(float), static v => BinaryPrimitives.ReadSingleLittleEndian(v)),
            DataType.Float16 => Near(
                a, b, sizeof(ushort), static v => (double)BinaryPrimitives.ReadHalfLittleEndian(v)),
            DataType.BFloat16 => Near(a, b, sizeof(ushort), static v => BitConverter.Int32BitsToSingle(
                BinaryPrimitives.ReadUInt16LittleEndian(v) << 16)),
            DataType.Bool or DataType.UInt8 or DataType.UInt16 or DataType.UInt32 or DataType.UInt64 or DataType.Int8
                or DataType.Int16 or DataType.Int32 or DataType.Int64 or DataType.Bytes => false,
        };
    }

    private static bool Near(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b, int size, Read read)
    {
        for (var at = 0; at + size <= a.Length; at += size)
        {
            var (x, y) = (read(a[at..]), read(b[at..]));
            // What is no number on both sides, or infinite alike, agrees.
            if (!(Math.Abs(x - y) <= DifferenceMax) && !x.Equals(y))
                return false;
        }

        return true;
    }

    private delegate double Read(ReadOnlySpan<byte> element);
}
