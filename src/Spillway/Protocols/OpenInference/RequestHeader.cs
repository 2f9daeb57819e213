using Spillway.Transforms.Text;

namespace Spillway.Protocols.OpenInference;

/// <summary>The JSON of an infer request, from top to bottom.</summary>
internal struct RequestHeader(RequestScope scope)
{
    /// <summary>Longest id that a caller may give, in bytes as written.</summary>
    public const int IdBytesMax = 1024;

    private RequestScope _scope = scope;
    private ulong _outputs;
    private bool _id;
    private bool _parameters;
    private bool _inputs;
    private bool _outputList;

    /// <summary>
    /// Reads the whole text, takes the binary tensors behind it, and checks that the inputs are complete.
    /// </summary>
    public Fault? Read(ref JsonCursor json)
    {
        var kind = json.Peek();
        if (kind == JsonKind.End)
            return RequestFaults.EmptyDocument();
        json.TryEnterObject();
        var first = true;
        while (!json.Failed && json.NextMember(ref first, out var key))
        {
            var fault = ReadMember(ref json, key);
            if (json.Failed)
                break;
            if (fault is not null)
                return fault;
        }

        if (json.Failed || !json.TryEnd())
            return RequestFaults.Json(json);
        if (!_inputs)
            return RequestFaults.Missing("inputs", "the request");
        return _scope.BinaryRest.Length > 0
            ? RequestFaults.Leftover(_scope.Model, _scope.BinaryRest.Length)
            : RequestChecks.Complete(_scope.Request.Inputs, _scope.Signature, _scope.Model);
    }

    private Fault? ReadMember(ref JsonCursor json, scoped JsonString key)
    {
        if (key.Is("inputs"u8))
            return Once(ref _inputs, "inputs") ?? ReadInputs(ref json);
        if (key.Is("outputs"u8))
            return Once(ref _outputList, "outputs") ?? ReadOutputs(ref json);
        if (key.Is("parameters"u8))
            return Once(ref _parameters, "parameters") ?? ReadParameters(ref json);
        if (key.Is("id"u8))
            return Once(ref _id, "id") ?? ReadId(ref json);
        json.SkipValue();
        return null;
    }

    private static Fault? Once(ref bool seen, string key)
    {
        if (seen)
            return RequestFaults.Twice(key, "the request");
        seen = true;
        return null;
    }

    private readonly Fault? ReadId(ref JsonCursor json)
    {
        var kind = json.Peek();
        if (kind == JsonKind.Null)
        {
            json.TryReadLiteral("null"u8);
            return null;
        }

        if (kind != JsonKind.String || !json.TryReadString(out var id))
            return RequestFaults.NotA(ref json, "string", "id");
        if (id.Raw.Length > IdBytesMax)
            return Fault.Invalid($"the request's id has {id.Raw.Length} bytes; at most {IdBytesMax} are allowed");
        if (id.Raw.Length > 0)
            _scope.Request.Id = id.ToString();
        return null;
    }

    private Fault? ReadInputs(ref JsonCursor json)
    {
        if (json.Peek() != JsonKind.Array)
            return RequestFaults.NotA(ref json, "array", "inputs");
        json.TryEnterArray();
        var first = true;
        while (json.NextElement(ref first))
        {
            if (InputReader.Read(ref json, ref _scope) is { } fault)
                return fault;
        }

        return null;
    }

    private Fault? ReadOutputs(ref JsonCursor json)
    {
        var kind = json.Peek();
        if (kind == JsonKind.Null)
        {
            json.TryReadLiteral("null"u8);
            return null;
        }

        if (kind != JsonKind.Array)
            return RequestFaults.NotA(ref json, "array", "outputs");
        json.TryEnterArray();
        var first = true;
        while (json.NextElement(ref first))
        {
            if (ReadOutput(ref json) is { } fault)
                return fault;
            if (json.Failed)
                return null;
        }

        return null;
    }

    private Fault? ReadOutput(ref JsonCursor json)
    {
        if (json.Peek() != JsonKind.Object)
            return RequestFaults.NotA(ref json, "object", "outputs");
        json.TryEnterObject();
        var first = true;
        var asked = new RequestedOutput(Port: -1, Binary: null);
        while (json.NextMember(ref first, out var key))
        {
            var fault = key.Is("name"u8) ? ReadOutputName(ref json, ref asked)
                : key.Is("parameters"u8) ? ReadOutputParameters(ref json, ref asked)
                : Skip(ref json);
            if (fault is not null || json.Failed)
                return fault;
        }

        if (json.Failed)
            return null;
        if (asked.Port < 0)
            return RequestFaults.Missing("name", "an output");
        if (asked.Classes > 0 && Classification.Check(_scope.Signature.Outputs[asked.Port]) is { } unfit)
            return unfit;
        _scope.Request.Outputs.Add(asked);
        return null;
    }

    private static Fault? Skip(ref JsonCursor json)
    {
        json.SkipValue();
        return null;
    }

    private Fault? ReadOutputName(ref JsonCursor json, ref RequestedOutput asked)
    {
        if (asked.Port >= 0)
            return RequestFaults.Twice("name", "one output");
        if (json.Peek() != JsonKind.String || !json.TryReadString(out var name))
            return RequestFaults.NotA(ref json, "string", "name");
        var specs = _scope.Signature.Outputs;
        var port = 0;
        while (port < specs.Count && !name.Is(specs[port].NameUtf8))
            port++;
        if (port == specs.Count)
            return RequestFaults.UnknownOutput(name.Shown(), _scope.Model);
        var bit = 1UL << port;
        if ((_outputs & bit) != 0)
            return RequestFaults.Duplicate("output", specs[port].Name);
        _outputs |= bit;
        asked = asked with { Port = port };
        return null;
    }

    private static Fault? ReadOutputParameters(ref JsonCursor json, ref RequestedOutput asked)
    {
        if (!JsonValues.EnterParameters(ref json, out var wrong))
            return wrong;
        var first = true;
        while (json.NextMember(ref first, out var key))
        {
            Fault? fault;
            if (key.Is("binary_data"u8))
            {
                fault = JsonValues.ReadBool(ref json, "binary_data", out var value);
                asked = asked with { Binary = value };
            }
            else if (key.Is("classification"u8))
            {
                fault = JsonValues.ReadWhole(ref json, "classification", out var classes);
                asked = asked with { Classes = (int)Math.Min(classes, int.MaxValue) };
            }
            else
            {
                fault = key.Is("shared_memory_region"u8)
                    ? RequestFaults.Unsupported(
                        "shared memory (output parameter 'shared_memory_region')", "take it in the answer's body")
                    : JsonValues.SkipParameter(ref json, key);
            }

            if (fault is not null || json.Failed)
                return fault;
        }

        return null;
    }

    private readonly Fault? ReadParameters(ref JsonCursor json)
    {
        if (!JsonValues.EnterParameters(ref json, out var wrong))
            return wrong;
        var first = true;
        while (json.NextMember(ref first, out var key))
        {
            if (ReadParameter(ref json, key) is { } fault)
                return fault;
            if (json.Failed)
                return null;
        }

        SequenceParameters.Complete(_scope.Request);
        return null;
    }

    private readonly Fault? ReadParameter(ref JsonCursor json, scoped JsonString key)
    {
        var request = _scope.Request;
        if (key.Is("priority"u8))
        {
            var fault = JsonValues.ReadWhole(ref json, "priority", out var priority);
            request.Priority = (int)Math.Min(priority, int.MaxValue);
            return fault;
        }

        if (key.Is("timeout"u8))
            return ReadTimeout(ref json);
        if (key.Is("binary_data_output"u8))
        {
            var fault = JsonValues.ReadBool(ref json, "binary_data_output", out var binary);
            request.BinaryOutputs = binary;
            return fault;
        }

        if (SequenceParameters.TryRead(ref json, key, request, out var wrong))
            return wrong;
        return key.Raw.StartsWith("triton_"u8)
            ? RequestFaults.Parameter(key.Shown(), "is reserved: names that begin with 'triton_' are the server's own")
            : JsonValues.SkipParameter(ref json, key);
    }

    private readonly Fault? ReadTimeout(ref JsonCursor json)
    {
        if (JsonValues.ReadWhole(ref json, "timeout", out var microseconds) is { } fault)
            return fault;
        _scope.Request.Timeout = TimeoutPeek.OfMicroseconds(microseconds) ?? _scope.Request.Timeout;
        return null;
    }
}
