using System.Buffers.Binary;

namespace Spillway.Protocols.Grpc;

/// <summary>
/// InferTensorContents: an input's elements in a protobuf list of their kind. FP32 and FP64 in one packed list, which
/// is how every client sends them, stay where they are; everything else is converted once into a pooled buffer, after
/// its elements have been counted.
/// </summary>
internal ref struct TypedContents
{
    private const int ContentsField = 5;
    private const int FieldMax = 8;

    private readonly ReadOnlySpan<byte> _input;
    private readonly TensorSpec _spec;
    private readonly int _field;
    private readonly int _fixed;
    private ReadOnlySpan<byte> _piece;
    private int _pieces;
    private Fault? _fault;

    /// <summary>Binds the contents of one input.</summary>
    /// <param name="input">The whole InferInputTensor.</param>
    /// <param name="spec">What the model takes; the input's declared type was checked against it.</param>
    public TypedContents(ReadOnlySpan<byte> input, TensorSpec spec)
    {
        _input = input;
        _spec = spec;
        (_field, _fixed) = Field(spec.Type);
    }

    /// <summary>Elements found by <see cref="Measure"/>.</summary>
    public long Count { get; private set; }

    /// <summary>Bytes that they take as a tensor.</summary>
    public long Size { get; private set; }

    /// <summary>The one list that already is the tensor; empty when there is none.</summary>
    public readonly ReadOnlySpan<byte> InPlace => _pieces == 1 && _fixed > 0 ? _piece : [];

    /// <summary>Counts the elements, so that a shape that claims more is refused before anything is rented.</summary>
    public Fault? Measure(in Shape shape, long count)
    {
        if (_field == 0)
            return GrpcFaults.RawOnly(_spec);
        var input = new WireReader(_input);
        while (input.Next(out var field))
        {
            if (field != ContentsField)
                input.Skip();
            else if (MeasureList(input.Bytes()) is { } fault)
                return fault;
        }

        if (_spec.Type != DataType.Bytes)
            Size = Count * _spec.Type.Size();
        return Count == count ? null : GrpcFaults.ContentsCount(_spec, shape, count, Count);
    }

    /// <summary>Writes the tensor into exactly <see cref="Size"/> bytes.</summary>
    public Fault? Fill(Span<byte> into)
    {
        var input = new WireReader(_input);
        var (element, at) = (0L, 0);
        while (_fault is null && input.Next(out var field))
        {
            if (field != ContentsField)
            {
                input.Skip();
                continue;
            }

            var wire = new WireReader(input.Bytes());
            while (_fault is null && wire.Next(out field))
            {
                if (field == _field)
                    FillField(ref wire, into, ref element, ref at);
                else
                    wire.Skip();
            }
        }

        return _fault;
    }

    /// <summary>The field that carries a type, and the size of its elements where that is fixed; 0 for none.</summary>
    private static (int Field, int Fixed) Field(DataType type) => type switch
    {
        DataType.Bool => (1, 0),
        DataType.Int8 or DataType.Int16 or DataType.Int32 => (2, 0),
        DataType.Int64 => (3, 0),
        DataType.UInt8 or DataType.UInt16 or DataType.UInt32 => (4, 0),
        DataType.UInt64 => (5, 0),
        DataType.Float32 => (6, 4),
        DataType.Float64 => (7, 8),
        DataType.Bytes => (8, 0),
        DataType.Float16 or DataType.BFloat16 => (0, 0),
    };

    private static string Name(int field) => field switch
    {
        1 => "bool_contents",
        2 => "int_contents",
        3 => "int64_contents",
        4 => "uint_contents",
        5 => "uint64_contents",
        6 => "fp32_contents",
        7 => "fp64_contents",
        _ => "bytes_contents",
    };

    private Fault? MeasureList(ReadOnlySpan<byte> contents)
    {
        var wire = new WireReader(contents);
        while (wire.Next(out var field))
        {
            if (field == _field)
                MeasureField(ref wire);
            else if (field <= FieldMax && (wire.Type != WireType.Length || !wire.Bytes().IsEmpty) && !wire.Failed)
                return GrpcFaults.ContentsField(_spec, Name(_field), field);
            else if (field > FieldMax)
                wire.Skip();
            if (_fault is not null)
                return _fault;
        }

        return wire.Failed ? GrpcFaults.Broken($"the contents of input '{_spec.Name}'", wire) : null;
    }

    private void MeasureField(scoped ref WireReader wire)
    {
        var isList = wire.Type == WireType.Length;
        if (_spec.Type == DataType.Bytes)
        {
            Size += 4 + wire.Bytes().Length;
            Count++;
        }
        else if (_fixed > 0)
        {
            var piece = isList ? wire.Bytes() : wire.Fixed(_fixed == 8 ? WireType.Fixed64 : WireType.Fixed32);
            if (piece.Length % _fixed != 0)
                _fault = GrpcFaults.Broken($"the packed list of input '{_spec.Name}'", wire);
            Count += piece.Length / _fixed;
            if (piece.IsEmpty)
                return;
            _piece = piece;
            _pieces++;
        }
        else if (isList)
        {
            // Each varint has one byte without the highest bit: its last.
            foreach (var one in wire.Bytes())
                Count += one < 0x80 ? 1 : 0;
        }
        else
        {
            wire.Whole();
            Count++;
        }
    }

    private void FillField(scoped ref WireReader wire, Span<byte> into, ref long element, ref int at)
    {
        var isList = wire.Type == WireType.Length;
        if (_spec.Type == DataType.Bytes)
        {
            var text = wire.Bytes();
            BinaryPrimitives.WriteInt32LittleEndian(into[at..], text.Length);
            text.CopyTo(into[(at + 4)..]);
            at += 4 + text.Length;
        }
        else if (_fixed > 0)
        {
            var piece = isList ? wire.Bytes() : wire.Fixed(_fixed == 8 ? WireType.Fixed64 : WireType.Fixed32);
            piece.CopyTo(into[at..]);
            at += piece.Length;
        }
        else if (isList)
        {
            var list = new WireReader(wire.Bytes());
            while (_fault is null && list.NextPacked(out var value))
                Store(value, into, ref element, ref at);
            if (list.Failed)
                _fault = GrpcFaults.Broken($"the packed list of input '{_spec.Name}'", list);
        }
        else
        {
            Store(wire.Whole(), into, ref element, ref at);
        }
    }

    /// <summary>One whole number; a value that its type cannot hold is refused, not cut.</summary>
    private void Store(ulong value, Span<byte> into, ref long element, ref int at)
    {
        var type = _spec.Type;
        // Negative numbers are sign-extended to 64 bits on the wire.
        var signed = unchecked((long)value);
        var fits = type switch
        {
            DataType.Int8 => signed == (sbyte)signed,
            DataType.Int16 => signed == (short)signed,
            DataType.UInt8 => value <= byte.MaxValue,
            DataType.UInt16 => value <= ushort.MaxValue,
            DataType.UInt32 => value <= uint.MaxValue,
            DataType.Int32 => signed == (int)signed,
            _ => true,
        };
        if (!fits)
        {
            _fault = GrpcFaults.OutOfRange(_spec, element);
            return;
        }

        var bits = type == DataType.Bool && value != 0 ? 1UL : value;
        switch (type.Size())
        {
            case 1:
                into[at] = (byte)bits;
                break;
            case 2:
                BinaryPrimitives.WriteUInt16LittleEndian(into[at..], (ushort)bits);
                break;
            case 4:
                BinaryPrimitives.WriteUInt32LittleEndian(into[at..], (uint)bits);
                break;
            default:
                BinaryPrimitives.WriteUInt64LittleEndian(into[at..], bits);
                break;
        }

        at += type.Size();
        element++;
    }
}
