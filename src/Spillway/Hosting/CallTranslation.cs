using System.Text;
using Spillway.Client;
using Spillway.Engine;
using Spillway.Engine.Doors;
using Spillway.Protocols.OpenInference;

namespace Spillway.Hosting;

/// <summary>Steps 1 and 10 of a request that an application makes: call to request, outputs to reply.</summary>
internal static class CallTranslation
{
    /// <summary>Fills the work's request; null, or what is wrong with the call, in the words of the wire.</summary>
    public static Fault? Read(InferenceCall call, Work work, bool stopping)
    {
        var door = work.Door;
        if (door.Signature is not { } signature)
            return work.Flow.Begin(door.Route, stopping).Fault ?? MetadataEndpoints.NotThere(door);
        if (Encoding.UTF8.GetByteCount(call.Id) is > RequestHeader.IdBytesMax and var bytes)
            return Fault.Invalid($"the request's id has {bytes} bytes; at most {RequestHeader.IdBytesMax} are allowed");
        var (request, model) = (work.Request, door.Route.Model.Name);
        (request.Id, request.Priority, request.Timeout) = (call.Id, call.Priority, call.Deadline);
        request.Sequence = call.Sequence is { Key.IsNone: false } mark ? mark : null;
        (request.CostMax, request.Criticality) = (call.CostMax, call.Criticality);
        foreach (var input in call.Inputs)
        {
            if (Read(input, request.Inputs, signature, model) is { } fault)
                return fault;
        }

        return ReadOutputs(call.Outputs, request, signature, model)
            ?? RequestChecks.Complete(request.Inputs, signature, model)
            ?? Hardening.Ask(work);
    }

    /// <summary>The answer, copied out of the server's buffers.</summary>
    public static Outcome<InferenceReply> Reply(Work work, string requestId)
    {
        if (!work.Answer.TryRead(out var delta))
            return new Fault(FaultKind.Internal, "The answer was lost inside the server.");
        if (work.Door.Classify(work) is { } unfit)
            return unfit;
        var (door, asked) = (work.Door, work.Request.Outputs);
        var outputs = new InferenceOutput[asked.Count == 0 ? door.Signature!.Outputs.Count : asked.Count];
        for (var i = 0; i < outputs.Length; i++)
        {
            var port = asked.Count == 0 ? i : asked[i].Port;
            var name = door.Signature!.Outputs[port].Name;
            if (delta.Payload.Find(port) is not (>= 0 and var index))
                return new Fault(FaultKind.RuntimeFailed, $"The model gave no output '{name}'.");
            ref var tensor = ref delta.Payload[index];
            outputs[i] = new(name, tensor.Type, tensor.Shape, tensor.Data.ToArray());
        }

        return new InferenceReply
        {
            Model = door.Route.Model.Name,
            Version = door.Route.Model.Version,
            Id = work.Request.Id,
            RequestId = requestId,
            IsSimulated = door.Traits!.Simulated,
            Outputs = outputs,
        };
    }

    /// <summary>How it ended, for the record: the status and the bytes that the wire would have had.</summary>
    public static Delivery Delivery(
        InferenceCall call, Outcome<InferenceReply> outcome, in RequestTags tags)
    {
        var status = outcome.Fault is { } fault ? FaultMapping.Status(fault.Kind) : 200;
        var sent = outcome.Fault is null ? outcome.Value.Outputs.Sum(o => (long)o.Data.Length) : 0;
        return new(
            tags.RequestId, tags.Trace.Trace, outcome.Fault, status, call.Inputs.Sum(i => (long)i.Data.Length), sent,
            Link: tags.Link);
    }

    private static Fault? Read(InferenceInput input, TensorSet into, Signature signature, string model)
    {
        var port = signature.FindInput(Encoding.UTF8.GetBytes(input.Name));
        if (port < 0)
            return RequestFaults.UnknownInput(input.Name, model);
        if (into.Find(port) >= 0)
            return RequestFaults.Duplicate("input", input.Name);
        var spec = signature.Inputs[port];
        var fault = RequestChecks.Described(spec, input.Type, input.Shape, model, out var count)
            ?? RequestChecks.Binary(input.Data.Span, spec, input.Shape, count, model);
        if (fault is not null)
            return fault;
        ref var tensor = ref into.Add();
        (tensor.Port, tensor.Type, tensor.Shape, tensor.Data) = (port, input.Type, input.Shape, input.Data);
        return null;
    }

    private static Fault? ReadOutputs(
        IReadOnlyList<string> names, InferenceRequest request, Signature signature, string model)
    {
        foreach (var name in names)
        {
            var port = signature.FindOutput(Encoding.UTF8.GetBytes(name));
            if (port < 0)
                return RequestFaults.UnknownOutput(name, model);
            if (request.Outputs.Any(o => o.Port == port))
                return RequestFaults.Duplicate("output", name);
            request.Outputs.Add(new(port, Binary: true));
        }

        return null;
    }
}
