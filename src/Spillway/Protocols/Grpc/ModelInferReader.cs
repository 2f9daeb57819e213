using System.Text;
using System.Text.Unicode;
using Spillway.Protocols.OpenInference;
using Spillway.Transforms.Text;

namespace Spillway.Protocols.Grpc;

/// <summary>
/// Turns a ModelInferRequest into an <see cref="InferenceRequest"/>. Raw tensors stay in the message, which must live
/// as long as the request. Allocates nothing but the caller's id. After a fault the request is half filled and good for
/// <see cref="InferenceRequest.Reset"/> only.
/// </summary>
internal ref struct ModelInferReader
{
    private readonly ReadOnlyMemory<byte> _message;
    private readonly ReadOnlySpan<byte> _span;
    private readonly ServerContext _server;
    private readonly Signature _signature;
    private readonly string _model;
    private readonly InferenceRequest _into;
    private readonly bool _hasRaws;
    private WireReader _raws;
    private ulong _outputs;

    private ModelInferReader(
        ReadOnlyMemory<byte> message, bool hasRaws, ServerContext server, Signature signature, string model,
        InferenceRequest into)
    {
        (_message, _hasRaws, _server) = (message, hasRaws, server);
        (_signature, _model, _into) = (signature, model, into);
        _span = message.Span;
        _raws = new(_span);
    }

    /// <summary>Bytes held against the server's limit, for tensors that had to be converted.</summary>
    public long Held { get; private set; }

    /// <summary>Reads all of it.</summary>
    /// <param name="message">The message; raw tensors keep referring to it.</param>
    /// <param name="head">Of this message.</param>
    /// <param name="server">Whose memory limit counts.</param>
    /// <param name="signature">Of the served name.</param>
    /// <param name="model">The served name, for texts.</param>
    /// <param name="into">An empty request; its inputs end up in the signature's order.</param>
    /// <param name="held">Bytes to give back to the server at the end, also after a fault.</param>
    public static Fault? Read(
        ReadOnlyMemory<byte> message, in ModelInferHead head, ServerContext server, Signature signature, string model,
        InferenceRequest into, out long held)
    {
        held = 0;
        if (head.Raws > 0 && head.Raws != head.Inputs)
            return GrpcFaults.RawCount(head.Raws, head.Inputs);
        if (ReadId(head.Id, into) is { } badId)
            return badId;
        into.BinaryOutputs = true;
        var reader = new ModelInferReader(message, head.Raws > 0, server, signature, model, into);
        var fault = reader.ReadFields();
        held = reader.Held;
        SequenceParameters.Complete(into);
        return fault ?? RequestChecks.Complete(into.Inputs, signature, model);
    }

    private static Fault? ReadId(ReadOnlySpan<byte> id, InferenceRequest into)
    {
        if (id.IsEmpty)
            return null;
        if (id.Length > RequestHeader.IdBytesMax)
        {
            return Fault.Invalid(
                $"the request's id has {id.Length} bytes; at most {RequestHeader.IdBytesMax} are allowed");
        }

        if (!Utf8.IsValid(id))
            return Fault.Invalid("the request's id is no valid UTF-8");
        into.Id = Encoding.UTF8.GetString(id);
        return null;
    }

    private Fault? ReadFields()
    {
        // The head was read from the same bytes, so nothing at this level can fail any more.
        var wire = new WireReader(_span);
        while (wire.Next(out var field))
        {
            if (field is not (4 or 5 or 6))
            {
                wire.Skip();
                continue;
            }

            var part = wire.Bytes();
            var fault = field == 5 ? ReadInput(part) : field == 4 ? ReadParameter(part) : ReadOutput(part);
            if (fault is not null)
                return fault;
        }

        return null;
    }

    private readonly Fault? ReadParameter(ReadOnlySpan<byte> entry)
    {
        if (InferParameter.Read(entry, out var parameter) is { } broken)
            return broken;
        if (parameter.Name.SequenceEqual("priority"u8))
        {
            var fault = parameter.Whole(out var priority);
            _into.Priority = (int)Math.Min(priority, int.MaxValue);
            return fault;
        }

        if (parameter.Name.SequenceEqual("timeout"u8))
            return ReadTimeout(parameter);
        if (parameter.Name.StartsWith("sequence_"u8))
            return SequenceParameter.Read(parameter, _into);

        // Each answer here is its request's last, and says so; an empty one behind it never comes.
        if (parameter.Name.SequenceEqual("triton_enable_empty_final_response"u8))
            return parameter.Bool(out _);
        return parameter.Name.StartsWith("triton_"u8)
            ? RequestFaults.Parameter(
                GrpcFaults.Shown(parameter.Name),
                "is reserved: names that begin with 'triton_' are the server's own")
            : null;
    }

    private readonly Fault? ReadTimeout(in InferParameter parameter)
    {
        if (parameter.Whole(out var microseconds) is { } fault)
            return fault;
        _into.Timeout = TimeoutPeek.OfMicroseconds(microseconds) ?? _into.Timeout;
        return null;
    }

    private Fault? ReadInput(ReadOnlySpan<byte> part)
    {
        if (InferInput.Read(part, out var input) is { } broken)
            return broken;
        var port = _signature.FindInput(input.Name);
        if (port < 0)
            return RequestFaults.UnknownInput(GrpcFaults.Shown(input.Name), _model);
        var spec = _signature.Inputs[port];
        if (_into.Inputs.Find(port) >= 0)
            return RequestFaults.Duplicate("input", spec.Name);
        if (!DataTypes.TryParse(input.Type, out var type))
            return RequestFaults.UnknownType(GrpcFaults.Shown(input.Type));
        if (RequestChecks.Described(spec, type, input.Shape, _model, out var count) is { } wrong)
            return wrong;
        var fault = _hasRaws
            ? TakeRaw(input, spec, count, out var data)
            : TakeTyped(part, input, spec, count, out data);
        if (fault is not null)
            return fault;
        ref var tensor = ref _into.Inputs.Add();
        (tensor.Port, tensor.Type, tensor.Shape, tensor.Data) = (port, type, input.Shape, data);
        return null;
    }

    private Fault? TakeRaw(in InferInput input, TensorSpec spec, long count, out ReadOnlyMemory<byte> data)
    {
        data = default;
        if (input.HasContents)
            return GrpcFaults.RawAndContents(spec.Name, _model);
        // The n-th of these belongs to the n-th input; there are as many.
        while (_raws.Next(out var field) && field != 7)
            _raws.Skip();
        data = Place(_raws.Bytes());
        return RequestChecks.Binary(data.Span, spec, input.Shape, count, _model);
    }

    private Fault? TakeTyped(
        ReadOnlySpan<byte> part, in InferInput input, TensorSpec spec, long count, out ReadOnlyMemory<byte> data)
    {
        data = default;
        var contents = new TypedContents(part, spec);
        if (contents.Measure(input.Shape, count) is { } wrong)
            return wrong;
        if (!contents.InPlace.IsEmpty)
        {
            data = Place(contents.InPlace);
            return null;
        }

        if (contents.Size > Array.MaxLength)
            return RequestFaults.TooLarge(spec.Name, input.Shape);
        if (!_server.TryHold(contents.Size))
            return _server.Full();
        Held += contents.Size;
        var memory = _into.Inputs.Rent((int)contents.Size);
        data = memory;
        return contents.Fill(memory.Span);
    }

    /// <summary>Bytes of the message as memory.</summary>
    private readonly ReadOnlyMemory<byte> Place(ReadOnlySpan<byte> part) =>
        part.IsEmpty || !_span.Overlaps(part, out var at) ? default : _message.Slice(at, part.Length);

    private Fault? ReadOutput(ReadOnlySpan<byte> part)
    {
        ReadOnlySpan<byte> name = [];
        var classes = 0;
        var wire = new WireReader(part);
        while (wire.Next(out var field))
        {
            if (field == 1)
                name = wire.Bytes();
            else if (field != 2)
                wire.Skip();
            else if (ReadOutputParameter(wire.Bytes(), ref classes) is { } fault)
                return fault;
        }

        if (wire.Failed)
            return GrpcFaults.Broken("InferRequestedOutputTensor", wire);
        var port = _signature.FindOutput(name);
        if (port < 0)
            return RequestFaults.UnknownOutput(GrpcFaults.Shown(name), _model);
        if ((_outputs & (1UL << port)) != 0)
            return RequestFaults.Duplicate("output", _signature.Outputs[port].Name);
        if (classes > 0 && Classification.Check(_signature.Outputs[port]) is { } unfit)
            return unfit;
        _outputs |= 1UL << port;
        _into.Outputs.Add(new(port, Binary: true) { Classes = classes });
        return null;
    }

    private static Fault? ReadOutputParameter(ReadOnlySpan<byte> entry, ref int classes)
    {
        if (InferParameter.Read(entry, out var parameter) is { } broken)
            return broken;
        if (parameter.Name.SequenceEqual("classification"u8))
        {
            var fault = parameter.Whole(out var asked);
            classes = (int)Math.Min(asked, int.MaxValue);
            return fault;
        }

        return parameter.Name.SequenceEqual("shared_memory_region"u8)
            ? RequestFaults.Unsupported(
                "shared memory (output parameter 'shared_memory_region')", "take it in raw_output_contents")
            : null;
    }
}
