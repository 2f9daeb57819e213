using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Spillway.Engine.Doors;

/// <summary>
/// Takes from an answer what its caller is not to see: who does not need exact probabilities cannot leak them, and
/// copies a model only slowly. Costs a caller with every right one comparison. Before the run it decides which outputs
/// there will be, so that nothing is run in vain; after it, it rounds and cuts.
/// </summary>
internal static class Hardening
{
    /// <summary>
    /// Before the run, when the request is read: leaves out or turns into classes what the caller does not see as
    /// numbers. Null, or why nothing would be left.
    /// </summary>
    public static Fault? Ask(Work work)
    {
        var detail = work.Caller.Detail;
        if (ReferenceEquals(detail, AnswerDetail.Full) || (!detail.LabelOnly && detail.TopK is null))
            return null;
        var (door, asked) = (work.Door, work.Request.Outputs);
        // Nothing named means everything.
        for (var port = 0; port == asked.Count && port < door.Signature!.Outputs.Count; port++)
            asked.Add(new(port, Binary: null));
        for (var i = asked.Count - 1; i >= 0; i--)
        {
            if (Shown(door, detail, asked[i]) is { } shown)
                asked[i] = shown;
            else
                asked.RemoveAt(i);
        }

        return asked.Count > 0 ? null : new(
            FaultKind.Forbidden,
            $"The key {work.Caller.Key} sees labels and texts only, and the outputs asked for of "
                + $"'{door.Route.Model.Name}' "
            + "are numbers. Ask for outputs that are not, or ask the operator for a key that sees more.");
    }

    /// <summary>After the run, when classes are made: rounds numbers, and cuts classes to the best ones.</summary>
    public static void Finish(Work work)
    {
        var detail = work.Caller.Detail;
        if (ReferenceEquals(detail, AnswerDetail.Full))
            return;
        foreach (ref var tensor in work.Outputs.Span)
        {
            if (detail.TopK is { } k && work.Door.GivesBestClasses && tensor.Shape.Rank == 2 && tensor.Shape[1] > k)
                Cut(work.Outputs, ref tensor, k);
            if (detail.Decimals is { } decimals && IsFloating(tensor.Type))
                Round(work.Outputs, ref tensor, decimals);
        }
    }

    /// <summary>An output as the caller sees it; null when it does not.</summary>
    private static RequestedOutput? Shown(Door door, AnswerDetail detail, RequestedOutput output)
    {
        var classes = output.Classes;
        if (classes > 0)
            classes = Math.Min(classes, detail.TopK ?? 1);
        else if (door.IsLabelled(output.Port))
            classes = detail.TopK ?? 1;
        var isNumbers = classes == 0 && IsFloating(door.Signature!.Outputs[output.Port].Type);
        return detail.LabelOnly && isNumbers ? null : output with { Classes = classes };
    }

    private static bool IsFloating(DataType type) =>
        type is DataType.Float16 or DataType.BFloat16 or DataType.Float32 or DataType.Float64;

    /// <summary>The first k of each row, which are its best.</summary>
    private static void Cut(TensorSet outputs, ref Tensor tensor, int k)
    {
        var (rows, all) = ((int)tensor.Shape[0], (int)tensor.Shape[1]);
        var from = tensor.Data.Span;
        var into = outputs.Rent(tensor.Data.Length);
        var (read, written) = (0, 0);
        for (var i = 0; i < rows * all; i++)
        {
            var length = tensor.Type is DataType.Bytes
                ? sizeof(uint) + BinaryPrimitives.ReadInt32LittleEndian(from[read..]) : tensor.Type.Size();
            if (i % all < k)
            {
                from.Slice(read, length).CopyTo(into.Span[written..]);
                written += length;
            }

            read += length;
        }

        (tensor.Shape, tensor.Data) = (new([rows, k]), into[..written]);
    }

    private static void Round(TensorSet outputs, ref Tensor tensor, int decimals)
    {
        var memory = outputs.Rent(tensor.Data.Length);
        ReadOnlySpan<byte> from = tensor.Data.Span;
        var into = memory.Span;
        switch (tensor.Type)
        {
            case DataType.Float32:
                Each<float>(from, into, v => (float)Math.Round(v, decimals));
                break;
            case DataType.Float64:
                Each<double>(from, into, v => Math.Round(v, decimals));
                break;
            case DataType.Float16:
                Each<Half>(from, into, v => (Half)Math.Round((double)v, decimals));
                break;
            default:
                Each<ushort>(from, into, v => Brain(Math.Round(
                    BitConverter.UInt32BitsToSingle((uint)v << 16), decimals)));
                break;
        }

        tensor.Data = memory;
    }

    private static void Each<T>(ReadOnlySpan<byte> from, Span<byte> into, Func<T, T> round)
        where T : unmanaged
    {
        var values = MemoryMarshal.Cast<byte, T>(from);
        var rounded = MemoryMarshal.Cast<byte, T>(into);
        for (var i = 0; i < values.Length; i++)
            rounded[i] = round(values[i]);
    }

    /// <summary>The nearest BF16, ties to even.</summary>
    private static ushort Brain(double value)
    {
        var bits = BitConverter.SingleToUInt32Bits((float)value);
        return float.IsNaN((float)value) ? (ushort)(bits >> 16 | 1)
            : (ushort)((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
    }
}
