using System.Runtime.InteropServices;

namespace Spillway.Runtimes.Onnx;

/// <summary>
/// One output of one replica: reads the tensor of a run and hands each item its rows, straight from native memory.
/// Used by one thread at a time.
/// </summary>
internal sealed unsafe class OutputSlot(OnnxModel model, TensorSpec spec)
{
    private readonly int _size = spec.Type.Size();

    // Strings of the last run in the hall's form, and where each element begins; grown to the largest run so far.
    private byte[] _text = [];
    private nuint[] _offsets = [];

    // An item's share of an output that had to be cut in pieces; grown to the largest so far.
    private byte[] _cut = [];

    // The last run, valid until its native tensor is released.
    private Shape _shape;
    private byte* _data;
    private long _perRow;

    /// <summary>
    /// Takes the tensor of a run, or says why it cannot be shared out: a model must give as many rows as it was given
    /// when several requests run together. A request that runs alone gets whatever there is.
    /// </summary>
    public Fault? Read(nint value, int items, long rows)
    {
        if (ReadShape(value) is { } unreadable)
            return unreadable;
        if (items > 1 && (_shape.Rank == 0 || _shape[0] != rows))
        {
            return Bad($"has shape {_shape} for {rows} rows, so its rows cannot be told apart. Set batching.batchRowsMax to 1 " +
                "for this model, or export it with a batch dimension");
        }

        if (!_shape.TryCount(out var elements) || elements > Array.MaxLength / Math.Max(_size, sizeof(uint)))
            return Bad($"of shape {_shape} is larger than 2 GiB");
        _perRow = rows == 0 ? 0 : elements / rows;
        return spec.Type == DataType.Bytes ? ReadText(value, (int)elements) : ReadNumbers(value);
    }

    /// <summary>Gives an item its rows, or everything when it ran alone.</summary>
    /// <param name="item">Whose rows.</param>
    /// <param name="port">Index of this output.</param>
    /// <param name="items">How many items the run had.</param>
    /// <param name="firstRow">Where its rows begin.</param>
    /// <param name="padding">How it was padded, if at all.</param>
    public void HandOver(WorkItem item, int port, int items, long firstRow, RunPadding? padding)
    {
        var shape = _shape;
        var (from, count) = (0L, 0L);
        if (items > 1)
        {
            shape[0] = item.Rows;
            (from, count) = (firstRow * _perRow, item.Rows * _perRow);
        }
        else
        {
            _ = shape.TryCount(out count);
        }

        if (spec.Type == DataType.Bytes)
            item.Output(port, shape, _text.AsSpan(TextStart(from), TextStart(from + count) - TextStart(from)));
        else
            HandOver(item, port, shape, new(_data + (from * _size), (int)(count * _size)), padding);
    }

    /// <summary>
    /// Numbers, cut back to what the item's own length gives; without a copy where that is one piece.
    /// </summary>
    private void HandOver(WorkItem item, int port, Shape shape, ReadOnlySpan<byte> data, RunPadding? padding)
    {
        if (padding is { Length: var run and > 0, Plan: var plan } && plan.Output(port) is { } cut
            && plan.LengthOf(item.Inputs) is var own && own < run && cut.Axis < shape.Rank
            && cut.Keep(own) is var keep && keep < shape[cut.Axis])
        {
            var pieces = PaddedRows.Blocks(shape, cut.Axis);
            var bytes = (int)(data.Length / shape[cut.Axis] * keep);
            if (pieces == 1)
            {
                data = data[..bytes];
            }
            else
            {
                if (_cut.Length < bytes)
                    _cut = GC.AllocateUninitializedArray<byte>(bytes);
                PaddedRows.Cut(data, shape, cut.Axis, keep, _size, _cut);
                data = _cut.AsSpan(0, bytes);
            }

            shape[cut.Axis] = keep;
        }

        item.Output(port, shape, data);
    }

    private Fault? ReadShape(nint value)
    {
        var api = model.Library.Api;
        nint info;
        var status = api.GetTensorTypeAndShape(value, &info);
        if (status != 0)
            return api.Take(status).ToRunFault(model.Name);
        nuint rank = 0;
        var dims = stackalloc long[Shape.RankMax];
        status = api.GetDimensionsCount(info, &rank);
        if (status == 0 && rank <= Shape.RankMax)
            status = api.GetDimensions(info, dims, rank);
        api.ReleaseTensorTypeAndShapeInfo(info);
        if (status != 0)
            return api.Take(status).ToRunFault(model.Name);
        if (rank > Shape.RankMax)
            return Bad($"has {rank} dimensions; at most {Shape.RankMax} are served");
        _shape = new Shape(new ReadOnlySpan<long>(dims, (int)rank));
        return null;
    }

    private Fault? ReadNumbers(nint value)
    {
        void* data;
        var status = model.Library.Api.GetTensorMutableData(value, &data);
        if (status != 0)
            return model.Library.Api.Take(status).ToRunFault(model.Name);
        _data = (byte*)data;
        return null;
    }

    /// <summary>
    /// The native side gives all strings end to end. They land behind the room that their length fields need, and each
    /// is then moved to its place; going forward, a place never reaches a string that has not moved yet.
    /// </summary>
    private Fault? ReadText(nint value, int elements)
    {
        var api = model.Library.Api;
        nuint bytes;
        var status = api.GetStringTensorDataLength(value, &bytes);
        if (status != 0)
            return api.Take(status).ToRunFault(model.Name);
        var prefix = elements * sizeof(uint);
        if (bytes > (nuint)(Array.MaxLength - prefix))
            return Bad($"holds {bytes} bytes of strings, more than 2 GiB");
        if (_text.Length < prefix + (int)bytes)
            _text = GC.AllocateUninitializedArray<byte>(prefix + (int)bytes);
        if (_offsets.Length <= elements)
            _offsets = GC.AllocateUninitializedArray<nuint>(elements + 1);
        fixed (byte* text = _text)
        fixed (nuint* offsets = _offsets)
        {
            status = elements == 0 ? 0 : api.GetStringTensorContent(value, text + prefix, bytes, offsets, (nuint)elements);
        }

        if (status != 0)
            return api.Take(status).ToRunFault(model.Name);
        _offsets[elements] = bytes;
        for (var i = 0; i < elements; i++)
        {
            var length = (int)(_offsets[i + 1] - _offsets[i]);
            var place = TextStart(i);
            _text.AsSpan(prefix + (int)_offsets[i], length).CopyTo(_text.AsSpan(place + sizeof(uint)));
            MemoryMarshal.Write(_text.AsSpan(place), (uint)length);
        }

        return null;
    }

    /// <summary>Where an element's length field is, once placed.</summary>
    private int TextStart(long element) => (int)((element * sizeof(uint)) + (long)_offsets[element]);

    private Fault Bad(string why) => new(FaultKind.RuntimeFailed, $"Model '{model.Name}': output '{spec.Name}' {why}.");
}
