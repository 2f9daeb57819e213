namespace Spillway.Protocols.OpenInference;

/// <summary>
/// One element of a request's "inputs". Its keys may come in any order: data that comes before its name, shape or type
/// is checked and passed over first, and read when the object has ended.
/// </summary>
internal struct InputReader
{
    private readonly RequestScope _scope;
    private Shape _shape;
    private DataType _type;
    private long _count;
    private long _binarySize;
    private int _dataAt;
    private int _port;
    private Seen _seen;

    private InputReader(in RequestScope scope)
    {
        _scope = scope;
        (_binarySize, _dataAt, _port) = (-1, -1, -1);
    }

    [Flags]
    private enum Seen
    {
        None = 0,
        Name = 1,
        Shape = 2,
        Type = 4,
        Described = Name | Shape | Type,
        Parameters = 8,
        Data = 16,
        Checked = 32,
    }

    /// <summary>Reads the object that the cursor stands before and adds its tensor to the request.</summary>
    public static Fault? Read(ref JsonCursor json, ref RequestScope scope)
    {
        if (json.Peek() != JsonKind.Object)
            return RequestFaults.NotA(ref json, "object", "inputs");
        var reader = new InputReader(scope);
        json.TryEnterObject();
        var first = true;
        while (json.NextMember(ref first, out var key))
        {
            if (reader.ReadMember(ref json, key) is { } fault)
                return json.Failed ? RequestFaults.Json(json) : fault;
            if (json.Failed)
                break;
        }

        return json.Failed ? RequestFaults.Json(json) : reader.Finish(json, ref scope);
    }

    private Fault? ReadMember(ref JsonCursor json, scoped JsonString key)
    {
        if (key.Is("name"u8))
            return ReadName(ref json);
        if (key.Is("shape"u8))
            return Mark(Seen.Shape, "shape") ?? JsonValues.ReadShape(ref json, out _shape);
        if (key.Is("datatype"u8))
            return ReadType(ref json);
        if (key.Is("data"u8))
            return ReadData(ref json);
        if (key.Is("parameters"u8))
            return Mark(Seen.Parameters, "parameters") ?? ReadParameters(ref json);
        json.SkipValue();
        return null;
    }

    private Fault? Mark(Seen what, string key)
    {
        if ((_seen & what) != 0)
            return RequestFaults.Twice(key, "one input");
        _seen |= what;
        return null;
    }

    private Fault? ReadName(ref JsonCursor json)
    {
        if (Mark(Seen.Name, "name") is { } twice)
            return twice;
        if (json.Peek() != JsonKind.String || !json.TryReadString(out var name))
            return RequestFaults.NotA(ref json, "string", "name");
        var specs = _scope.Signature.Inputs;
        _port = 0;
        while (_port < specs.Count && !name.Is(specs[_port].NameUtf8))
            _port++;
        if (_port == specs.Count)
            return RequestFaults.UnknownInput(name.Shown(), _scope.Model);
        return _scope.Request.Inputs.Find(_port) < 0 ? null : RequestFaults.Duplicate("input", Spec.Name);
    }

    private Fault? ReadType(ref JsonCursor json)
    {
        if (Mark(Seen.Type, "datatype") is { } twice)
            return twice;
        if (json.Peek() != JsonKind.String || !json.TryReadString(out var name))
            return RequestFaults.NotA(ref json, "string", "datatype");
        return DataTypes.TryParse(name.Raw, out _type) ? null : RequestFaults.UnknownType(name.Shown());
    }

    private Fault? ReadParameters(ref JsonCursor json)
    {
        if (JsonValues.EnterParameters(ref json, out var fault) is false)
            return fault;
        var first = true;
        while (json.NextMember(ref first, out var key))
        {
            if (key.Is("binary_data_size"u8))
            {
                if (JsonValues.ReadWhole(ref json, "binary_data_size", out var size) is { } notWhole)
                    return notWhole;
                _binarySize = (long)Math.Min(size, long.MaxValue);
            }
            else if (key.Is("shared_memory_region"u8))
            {
                return RequestFaults.Unsupported(
                    "shared memory (parameter 'shared_memory_region')", "send the data in the request's body");
            }
            else if (JsonValues.SkipParameter(ref json, key) is { } odd)
            {
                return odd;
            }
        }

        return null;
    }

    private Fault? ReadData(ref JsonCursor json)
    {
        if (Mark(Seen.Data, "data") is { } twice)
            return twice;
        var kind = json.Peek();
        if (kind == JsonKind.Null)
        {
            json.TryReadLiteral("null"u8);
            return null;
        }

        if (kind != JsonKind.Array)
            return RequestFaults.NotA(ref json, "array", "data");
        _dataAt = json.Position;
        if ((_seen & Seen.Described) != Seen.Described || _binarySize >= 0)
        {
            json.SkipValue();
            return null;
        }

        return Check() ?? ReadElements(ref json);
    }

    private Fault? Finish(in JsonCursor json, ref RequestScope scope)
    {
        if ((_seen & Seen.Described) != Seen.Described)
        {
            var lacking = (_seen & Seen.Name) == 0 ? "name" : (_seen & Seen.Shape) == 0 ? "shape" : "datatype";
            return RequestFaults.Missing(lacking, "an input");
        }

        var read = (_seen & Seen.Checked) != 0;
        if (!read && Check() is { } fault)
            return fault;
        if (_binarySize >= 0)
            return _dataAt >= 0 ? RequestFaults.DataAndBinary(Spec.Name) : TakeBinary(ref scope);
        if (_dataAt < 0)
        {
            return _scope.HasHeaderLength
                ? RequestFaults.NoHeaderLength()
                : RequestFaults.Missing("data", $"input '{Spec.Name}'");
        }

        if (read)
            return null;
        var again = new JsonCursor(json.Text, _dataAt, json.Depth + 1);
        return ReadElements(ref again);
    }

    private readonly TensorSpec Spec => _scope.Signature.Inputs[_port];

    /// <summary>Checks all that the input declares, before anything is rented for it.</summary>
    private Fault? Check()
    {
        _seen |= Seen.Checked;
        return RequestChecks.Described(Spec, _type, _shape, _scope.Model, out _count);
    }

    private readonly Fault? ReadElements(ref JsonCursor json)
    {
        // n elements take n bytes and n - 1 commas at least: a shape that claims more is refused before renting.
        var left = json.Text.Length - json.Position;
        if (_count > (left + 1) / 2)
            return RequestFaults.Count(Spec.Name, _shape, _count, $"has room for fewer in {left} bytes");
        ScanError error;
        Memory<byte> memory;
        if (_type == DataType.Bytes)
        {
            var ahead = json;
            if (!ahead.SkipValue())
                return RequestFaults.Json(ahead);
            var size = ahead.Position - json.Position + _count;
            if (size > Array.MaxLength)
                return RequestFaults.TooLarge(Spec.Name, _shape);
            memory = _scope.Request.Inputs.Rent((int)size);
            error = NumberScanner.ReadStrings(ref json, (int)_count, memory.Span, out var written);
            memory = memory[..written];
        }
        else
        {
            var size = _count * _type.Size();
            if (size > Array.MaxLength)
                return RequestFaults.TooLarge(Spec.Name, _shape);
            memory = _scope.Request.Inputs.Rent((int)size);
            error = NumberScanner.Read(ref json, _type, memory.Span);
        }

        if (error.Kind != ScanErrorKind.None)
            return RequestFaults.Data(error, Spec, _shape, _count);
        Add(memory);
        return null;
    }

    private readonly Fault? TakeBinary(ref RequestScope scope)
    {
        if (!_scope.HasHeaderLength)
            return RequestFaults.NoHeaderLength();
        var rest = scope.BinaryRest;
        if (_binarySize > rest.Length)
            return RequestFaults.Short(Spec.Name, _binarySize - rest.Length, _scope.Model);
        var data = scope.TakeBinary((int)_binarySize);
        if (RequestChecks.Binary(data.Span, Spec, _shape, _count, _scope.Model) is { } fault)
            return fault;
        Add(data);
        return null;
    }

    private readonly void Add(ReadOnlyMemory<byte> data)
    {
        ref var tensor = ref _scope.Request.Inputs.Add();
        (tensor.Port, tensor.Type, tensor.Shape, tensor.Data) = (_port, _type, _shape, data);
    }
}
