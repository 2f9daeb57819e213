using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Spillway.Runtimes.Onnx;

/// <summary>
/// One input of one replica: gathers the rows of a batch into one tensor. Used by one thread at a time.
/// </summary>
internal sealed unsafe class InputSlot(OnnxModel model, TensorSpec spec, int port)
{
    private const int Alignment = 64; // A cache line, and the widest vector register.

    private readonly int _size = spec.Type.Size();

    // Pinned for its whole life, at least as large as the largest batch so far; it never shrinks.
    private byte[] _buffer = [];
    private byte* _start;

    /// <summary>
    /// Makes the native tensor of that input for all items; the caller releases it after the run, and it borrows this
    /// slot's buffer until then. The items' bytes are checked against their shapes: nothing is read that they do not
    /// bring.
    /// </summary>
    public Fault? Gather(ReadOnlySpan<WorkItem> batch, long rows, RunPadding? padding, out nint value)
    {
        value = 0;
        if (padding is { Plan.Mask: { } mask } masked && mask.Port == port)
            return GatherMask(batch, rows, masked, mask, out value);
        ref var first = ref batch[0].Inputs[port];
        var padded = padding is { Length: > 0 } run ? run.Plan.Input(port) : null;
        var shape = first.Shape;
        if (!Grow(ref shape, rows, padded, padding) || first.Type != spec.Type || !shape.TryCount(out var elements))
            return Bad($"is {first.Type.WireName()} {first.Shape}; expected {spec.Type.WireName()} {spec.Shape}");
        return spec.Type == DataType.Bytes
            ? GatherText(batch, shape, elements, rows, out value)
            : GatherNumbers(batch, shape, elements, padded, out value);
    }

    /// <summary>Makes one request's shape that of the run; false when it has no such axis.</summary>
    private bool Grow(ref Shape shape, long rows, PaddedInput? padded, RunPadding? padding)
    {
        if (model.Signature.Batched && shape.Rank > 0)
            shape[0] = rows;
        if (padded is not { Axis: var axis })
            return true;
        if (axis >= shape.Rank)
            return false;
        shape[axis] = padding!.Value.Length;
        return true;
    }

    private Fault? GatherNumbers(
        ReadOnlySpan<WorkItem> batch, in Shape shape, long elements, PaddedInput? padded, out nint value)
    {
        value = 0;
        if (elements > (Array.MaxLength - Alignment) / _size)
            return Bad($"of {elements} elements in one run is larger than 2 GiB; send fewer rows");
        var bytes = (int)elements * _size;
        Reserve(bytes);
        var at = 0;
        foreach (var item in batch)
        {
            ref var tensor = ref item.Inputs[port];
            if (!Fits(item, shape, padded?.Axis ?? 0) || !tensor.Shape.TryCount(out var own)
                || tensor.Data.Length != own * _size)
                return Mismatch(item);
            var target = new Span<byte>(_start + at, bytes - at);
            if (padded is { } pad)
            {
                at += PaddedRows.Pad(tensor.Data.Span, tensor.Shape, pad.Axis, shape[pad.Axis], pad.Value.Span, target);
                continue;
            }

            tensor.Data.Span.CopyTo(target);
            at += tensor.Data.Length;
        }

        return Wrap(shape, at, out value);
    }

    /// <summary>Makes what no request brings: one for each real position.</summary>
    private Fault? GatherMask(
        ReadOnlySpan<WorkItem> batch, long rows, in RunPadding padding, in MaskInput mask, out nint value)
    {
        value = 0;
        var length = padding.Length > 0 ? padding.Length : padding.Plan.LengthOf(batch[0].Inputs);
        var shape = spec.Shape;
        for (var i = 0; i < shape.Rank; i++)
            shape[i] = i == 0 ? rows : i == mask.Axis ? length : 1;
        if (!shape.TryCount(out var elements) || elements > (Array.MaxLength - Alignment) / _size)
            return Bad($"of shape {shape} is larger than 2 GiB; send fewer rows");
        Reserve((int)elements * _size);
        var at = 0;
        foreach (var item in batch)
        {
            var own = padding.Plan.LengthOf(item.Inputs);
            if (own > length)
                return Mismatch(item);
            var target = new Span<byte>(_start + at, ((int)elements * _size) - at);
            at += PaddedRows.Mask(item.Rows, own, length, mask.One.Span, target);
        }

        return Wrap(shape, at, out value);
    }

    private Fault? Wrap(in Shape shape, int bytes, out nint value)
    {
        value = 0;
        nint native;
        fixed (long* dims = shape.Dims)
        {
            var status = model.Library.Api.CreateTensorWithData(
                model.Library.CpuMemory, _start, (nuint)bytes, dims, (nuint)shape.Rank,
                OrtElements.ToNative(spec.Type), &native);
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
            if (!IsText(item.Inputs[port].Data.Span, ShareOf(item, elements, rows)) || !Fits(item, shape, length: 0))
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

    /// <summary>True when the item's own shape is the batch's but for the rows and a length that is padded.</summary>
    private bool Fits(WorkItem item, in Shape shape, int length)
    {
        ref var tensor = ref item.Inputs[port];
        if (!model.Signature.Batched)
            return true;
        if (tensor.Shape.Rank != shape.Rank || tensor.Shape[0] != item.Rows)
            return false;
        for (var i = 1; i < shape.Rank; i++)
        {
            if (i == length ? tensor.Shape[i] > shape[i] : tensor.Shape[i] != shape[i])
                return false;
        }

        return true;
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
