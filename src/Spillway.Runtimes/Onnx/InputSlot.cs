using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Spillway.Runtimes.Onnx;

/// <summary>One input of one replica: gathers the rows of a batch into one tensor. Used by one thread at a time.</summary>
internal sealed unsafe class InputSlot(OnnxModel model, TensorSpec spec, int port)
{
    private const int Alignment = 64; // A cache line, and the widest vector register.

    private readonly int _size = spec.Type.Size();

    // Pinned for its whole life, at least as large as the largest batch so far; it never shrinks.
    private byte[] _buffer = [];
    private byte* _start;

    /// <summary>
    /// Makes the native tensor of that input for all items; the caller releases it after the run, and it borrows this
    /// slot's buffer until then. The items' bytes are checked against their shapes: nothing is read that they do not bring.
    /// </summary>
    public Fault? Gather(ReadOnlySpan<WorkItem> batch, long rows, out nint value)
    {
        value = 0;
        ref var first = ref batch[0].Inputs[port];
        var shape = first.Shape;
        if (model.Signature.Batched && shape.Rank > 0)
            shape[0] = rows;
        if (first.Type != spec.Type || !shape.TryCount(out var elements))
            return Bad($"is {first.Type.WireName()} {first.Shape}; expected {spec.Type.WireName()} {spec.Shape}");
        return spec.Type == DataType.Bytes
            ? GatherText(batch, shape, elements, rows, out value)
            : GatherNumbers(batch, shape, elements, rows, out value);
    }

    private Fault? GatherNumbers(ReadOnlySpan<WorkItem> batch, in Shape shape, long elements, long rows, out nint value)
    {
        value = 0;
        if (elements > (Array.MaxLength - Alignment) / _size)
            return Bad($"of {elements} elements in one run is larger than 2 GiB; send fewer rows");
        Reserve((int)elements * _size);
        var at = 0;
        foreach (var item in batch)
        {
            var data = item.Inputs[port].Data.Span;
            if (data.Length != ShareOf(item, elements, rows) * _size || !Fits(item, shape))
                return Mismatch(item);
            data.CopyTo(new Span<byte>(_start + at, data.Length));
            at += data.Length;
        }

        nint native;
        fixed (long* dims = shape.Dims)
        {
            var status = model.Library.Api.CreateTensorWithData(
                model.Library.CpuMemory, _start, (nuint)at, dims, (nuint)shape.Rank, OrtElements.ToNative(spec.Type), &native);
            if (status != 0)
                return model.Library.Api.Take(status).ToRunFault(model.Name);
        }

        value = native;
        return null;
    }

    private Fault? GatherText(ReadOnlySpan<WorkItem> batch, in Shape shape, long elements, long rows, out nint value)
    {
        value = 0;

        // Each element brings at least its length field, so the claimed count is held against the bytes that are there.
        foreach (var item in batch)
        {
            if (!IsText(item.Inputs[port].Data.Span, ShareOf(item, elements, rows)) || !Fits(item, shape))
                return Mismatch(item);
        }

        nint native;
        var api = model.Library.Api;
        fixed (long* dims = shape.Dims)
        {
            var status = api.CreateTensor(model.Library.Allocator, dims, (nuint)shape.Rank, OrtElements.Text, &native);
            if (status != 0)
                return api.Take(status).ToRunFault(model.Name);
        }

        value = native;
        nuint index = 0;
        foreach (var item in batch)
        {
            for (var rest = item.Inputs[port].Data.Span; rest.Length > 0; index++)
            {
                var length = (int)MemoryMarshal.Read<uint>(rest);
                byte* target;
                var status = api.ResizeStringElement(native, index, (nuint)length, &target);
                if (status != 0)
                    return api.Take(status).ToRunFault(model.Name);
                rest.Slice(sizeof(uint), length).CopyTo(new Span<byte>(target, length));
                rest = rest[(sizeof(uint) + length)..];
            }
        }

        return null;
    }

    /// <summary>Elements that one item brings: its rows of the batch.</summary>
    private long ShareOf(WorkItem item, long elements, long rows) =>
        !model.Signature.Batched ? elements : rows == 0 ? 0 : elements / rows * item.Rows;

    /// <summary>True when the item's own shape is the batch's but for the rows.</summary>
    private bool Fits(WorkItem item, in Shape shape)
    {
        ref var tensor = ref item.Inputs[port];
        if (!model.Signature.Batched)
            return true;
        return tensor.Shape.Rank == shape.Rank && tensor.Shape[0] == item.Rows
            && tensor.Shape.Dims[1..].SequenceEqual(shape.Dims[1..]);
    }

    /// <summary>True for exactly that many elements of uint32 length + bytes.</summary>
    private static bool IsText(ReadOnlySpan<byte> data, long elements)
    {
        for (; data.Length >= sizeof(uint) && elements > 0; elements--)
        {
            var length = MemoryMarshal.Read<uint>(data);
            if (length > data.Length - sizeof(uint))
                return false;
            data = data[(sizeof(uint) + (int)length)..];
        }

        return elements == 0 && data.IsEmpty;
    }

    private void Reserve(int bytes)
    {
        if (_start != null && bytes <= _buffer.Length - Alignment)
            return;
        _buffer = GC.AllocateUninitializedArray<byte>(bytes + Alignment, pinned: true);
        var address = (nuint)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(_buffer));
        _start = (byte*)((address + Alignment - 1) & ~(nuint)(Alignment - 1));
    }

    private Fault Mismatch(WorkItem item)
    {
        ref var tensor = ref item.Inputs[port];
        return Bad($"brings {tensor.Data.Length} bytes and {item.Rows} rows, which is not what its shape {tensor.Shape} of " +
            $"{tensor.Type.WireName()} needs in this run");
    }

    private Fault Bad(string why) => Fault.Invalid($"Model '{model.Name}': input '{spec.Name}' {why}.");
}
