using System.Buffers;
using System.Buffers.Binary;
using System.Buffers.Text;
using System.Globalization;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Spillway.Transforms.Text;

/// <summary>
/// The classification extension of the protocol: the best classes of each row as byte strings "value:index" or
/// "value:index:label", best first, equal values by lower index. Pure. Values are written as C's "%f" does (six
/// decimals), whole numbers as they are, because that is what clients of Triton parse.
/// </summary>
internal static class Classification
{
    // The longest: the largest negative double with its 309 digits, a point and six decimals.
    private const int ValueBytesMax = 320;
    private const int IndexBytesMax = 10;

    /// <summary>Whether elements of a type can be ordered as scores: every number but BF16.</summary>
    public static bool Takes(DataType type) => type switch
    {
        DataType.UInt8 or DataType.UInt16 or DataType.UInt32 or DataType.UInt64 or DataType.Int8 or DataType.Int16
            or DataType.Int32 or DataType.Int64 or DataType.Float16 or DataType.Float32 or DataType.Float64 => true,
        DataType.Bool or DataType.BFloat16 or DataType.Bytes => false,
    };

    /// <summary>Null, or why classes of an output cannot be given: to be asked before anything runs.</summary>
    public static Fault? Check(TensorSpec output) => Takes(output.Type) ? null : Fault.Invalid(
        $"class result not available for output '{output.Name}' due to unsupported type '{output.Type.WireName()}'; "
        + "ask for it without the parameter 'classification'");

    /// <summary>
    /// The shape of the answer, given the output's: [rows, k] for a batched model, else [k]; k never exceeds the number
    /// of classes, and every dimension behind the rows counts as classes.
    /// </summary>
    public static Shape ShapeOf(in Shape output, bool batched, int k)
    {
        var (rows, classes) = Split(output, batched);
        k = (int)Math.Min(k, classes);
        return batched && output.Rank > 0 ? new([rows, k]) : new([k]);
    }

    /// <summary>
    /// Writes the elements in the form of BYTES tensors: each a little-endian uint32 length and its text. Null, or a
    /// <see cref="FaultKind.RuntimeFailed"/> when a score is NaN.
    /// </summary>
    /// <param name="data">The output's elements, row-major.</param>
    /// <param name="type">One that <see cref="Takes"/>.</param>
    /// <param name="output">The output's shape, which the data fills.</param>
    /// <param name="batched">Whether the first dimension counts rows.</param>
    /// <param name="k">How many classes of each row, at least 1.</param>
    /// <param name="labels">Their names; null for none. A class beyond them has none.</param>
    /// <param name="into">Where to.</param>
    /// <param name="detail">
    /// How the values are shown: rounded, or as "nan" where only labels are; classes are chosen by the exact values in
    /// any case. Null for all there is.
    /// </param>
    public static Fault? Write(
        ReadOnlySpan<byte> data, DataType type, in Shape output, bool batched, int k, LabelFile? labels,
        IBufferWriter<byte> into, AnswerDetail? detail = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(k, 1);
        var (rows, classes) = Split(output, batched);
        if (rows == 0 || classes == 0)
            return null;
        var job = new Job(rows, (int)classes, (int)Math.Min(k, classes), labels, into, detail ?? AnswerDetail.Full);
        return type switch
        {
            DataType.Float32 => job.Write(MemoryMarshal.Cast<byte, float>(data)),
            DataType.Float64 => job.Write(MemoryMarshal.Cast<byte, double>(data)),
            DataType.Float16 => job.Write(MemoryMarshal.Cast<byte, Half>(data)),
            DataType.Int64 => job.Write(MemoryMarshal.Cast<byte, long>(data)),
            DataType.UInt64 => job.Write(MemoryMarshal.Cast<byte, ulong>(data)),
            DataType.Int32 => job.Write(MemoryMarshal.Cast<byte, int>(data)),
            DataType.UInt32 => job.Write(MemoryMarshal.Cast<byte, uint>(data)),
            _ => Small(job, data, type),
        };
    }

    private static Fault? Small(in Job job, ReadOnlySpan<byte> data, DataType type) => type switch
    {
        DataType.UInt8 => job.Write(data),
        DataType.UInt16 => job.Write(MemoryMarshal.Cast<byte, ushort>(data)),
        DataType.Int8 => job.Write(MemoryMarshal.Cast<byte, sbyte>(data)),
        DataType.Int16 => job.Write(MemoryMarshal.Cast<byte, short>(data)),
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "It cannot be ordered as scores."),
    };

    private static (long Rows, long Classes) Split(in Shape output, bool batched)
    {
        output.TryCount(out var count);
        if (!batched || output.Rank == 0)
            return (1, count);
        return (output[0], output[0] == 0 ? 0 : count / output[0]);
    }

    private readonly ref struct Job(
        long rows, int classes, int k, LabelFile? labels, IBufferWriter<byte> into, AnswerDetail detail)
    {
        public Fault? Write<T>(ReadOnlySpan<T> scores)
            where T : unmanaged, INumberBase<T>, IComparisonOperators<T, T, bool>
        {
            Span<int> best = k <= 256 ? stackalloc int[k] : new int[k];
            for (var row = 0; row < rows; row++)
            {
                var own = scores.Slice(row * classes, classes);
                for (var i = 0; i < own.Length; i++)
                {
                    if (T.IsNaN(own[i]))
                        return NotANumber(i, row);
                }

                BestIndexes.Select(own, best);
                foreach (var index in best)
                    Element(own[index], index);
            }

            return null;
        }

        private void Element<T>(T value, int index)
            where T : unmanaged, INumberBase<T>
        {
            var label = labels is not null && index < labels.Count ? labels[index] : default;
            var room = into.GetSpan(sizeof(uint) + ValueBytesMax + 1 + IndexBytesMax + 1 + label.Length);
            var at = sizeof(uint) + Value(value, room[sizeof(uint)..]);
            room[at++] = (byte)':';
            Utf8Formatter.TryFormat(index, room[at..], out var written);
            at += written;
            if (labels is not null && index < labels.Count)
            {
                room[at++] = (byte)':';
                label.CopyTo(room[at..]);
                at += label.Length;
            }

            BinaryPrimitives.WriteUInt32LittleEndian(room, (uint)(at - sizeof(uint)));
            into.Advance(at);
        }

        private int Value<T>(T value, Span<byte> room)
            where T : unmanaged, INumberBase<T>
        {
            if (detail.LabelOnly)
            {
                "nan"u8.CopyTo(room);
                return 3;
            }

            var infinite = T.IsPositiveInfinity(value) ? "inf"u8 : T.IsNegativeInfinity(value) ? "-inf"u8 : default;
            if (!infinite.IsEmpty)
            {
                infinite.CopyTo(room);
                return infinite.Length;
            }

            int written;
            var real = typeof(T) == typeof(float) || typeof(T) == typeof(double) || typeof(T) == typeof(Half);
            if (real)
                Shown(double.CreateChecked(value)).TryFormat(room, out written, "F6", CultureInfo.InvariantCulture);
            else
                value.TryFormat(room, out written, default, CultureInfo.InvariantCulture);
            return written;
        }

        private double Shown(double value) =>
            detail.Decimals is { } decimals ? Math.Round(value, decimals) : value;

        private static Fault NotANumber(int index, long row) => Failed(
            $"The model gave NaN as the score of class {index} in row {row}, which cannot be ordered. "
            + $"Check the input for such values, then the model's weights.");

        private static Fault Failed(ref InvariantText message) => new(FaultKind.RuntimeFailed, message.Take());
    }
}
