using System.Buffers;

namespace Spillway.Protocols.OpenInference;

/// <summary>
/// Turns the outputs of a request into the body of its answer. Two steps, because the headers tell both lengths:
/// <see cref="WriteJson"/> into a buffer, then <see cref="WriteBinary"/> straight to the connection. Allocates nothing.
/// </summary>
internal static class InferResponseWriter
{
    private const int BinaryChunkMax = 1 << 20;

    /// <summary>
    /// Writes the JSON. A fault says that JSON cannot hold an output, or that the outputs lack one that was asked for;
    /// what was written until then is to be thrown away.
    /// </summary>
    /// <param name="model">Name and version that answered.</param>
    /// <param name="signature">Of the served name.</param>
    /// <param name="request">Which outputs are asked for, which of them binary, and the id to echo.</param>
    /// <param name="outputs">The outputs, in any order.</param>
    /// <param name="parameters">The answer's own parameters; empty for none.</param>
    /// <param name="into">Where to.</param>
    public static Outcome<ResponseLayout> WriteJson(
        ModelRef model, Signature signature, InferenceRequest request, TensorSet outputs,
        ReadOnlySpan<ResponseParameter> parameters, IBufferWriter<byte> into)
    {
        var json = new JsonOutput(into);
        WriteHead(ref json, model, request.Id, parameters);
        var (binaryLength, anyBinary) = (0L, false);
        var count = Count(signature, request);
        for (var i = 0; i < count; i++)
        {
            var (port, binary) = Requested(request, i);
            var index = outputs.Find(port);
            if (index < 0)
                return Absent(signature.Outputs[port], model);
            if (i > 0)
                json.Raw(","u8);
            ref readonly var tensor = ref outputs[index];
            if (WriteOutput(ref json, tensor, signature.Outputs[port], binary) is { } fault)
                return fault;
            binaryLength += binary ? tensor.Data.Length : 0;
            anyBinary |= binary;
        }

        json.Raw("]}"u8);
        json.Flush();
        return new ResponseLayout(checked((int)json.Length), binaryLength, anyBinary);
    }

    /// <summary>
    /// Writes the binary outputs, in the order of the JSON, after <see cref="WriteJson"/> has succeeded.
    /// </summary>
    public static void WriteBinary(
        Signature signature, InferenceRequest request, TensorSet outputs, IBufferWriter<byte> into)
    {
        var count = Count(signature, request);
        for (var i = 0; i < count; i++)
        {
            var (port, binary) = Requested(request, i);
            if (!binary)
                continue;
            var data = outputs[outputs.Find(port)].Data.Span;
            while (data.Length > 0)
            {
                var part = Math.Min(data.Length, BinaryChunkMax);
                into.Write(data[..part]);
                data = data[part..];
            }
        }
    }

    /// <summary>
    /// The data of one answered output, empty when it is not binary; false beyond the last. For outputs that are too
    /// large to be written at once.
    /// </summary>
    public static bool TryBinary(
        Signature signature, InferenceRequest request, TensorSet outputs, int index, out ReadOnlyMemory<byte> data)
    {
        data = default;
        if (index >= Count(signature, request))
            return false;
        var (port, binary) = Requested(request, index);
        data = binary ? outputs[outputs.Find(port)].Data : default;
        return true;
    }

    /// <summary>Both steps into one buffer.</summary>
    public static Outcome<ResponseLayout> Write(
        ModelRef model, Signature signature, InferenceRequest request, TensorSet outputs,
        ReadOnlySpan<ResponseParameter> parameters, IBufferWriter<byte> into)
    {
        var layout = WriteJson(model, signature, request, outputs, parameters, into);
        if (layout.Fault is null)
            WriteBinary(signature, request, outputs, into);
        return layout;
    }

    /// <summary>How many outputs the answer has.</summary>
    public static int Count(Signature signature, InferenceRequest request) =>
        request.Outputs.Count == 0 ? signature.Outputs.Count : request.Outputs.Count;

    private static (int Port, bool Binary) Requested(InferenceRequest request, int index)
    {
        if (request.Outputs.Count == 0)
            return (index, request.BinaryOutputs);
        var output = request.Outputs[index];
        return (output.Port, output.Binary ?? request.BinaryOutputs);
    }

    private static void WriteHead(
        ref JsonOutput json, ModelRef model, string id, ReadOnlySpan<ResponseParameter> parameters)
    {
        json.Raw("{"u8);
        if (id.Length > 0)
        {
            json.Raw("\"id\":"u8);
            json.String(id);
            json.Raw(","u8);
        }

        json.Raw("\"model_name\":"u8);
        json.String(model.Name);
        json.Raw(",\"model_version\":"u8);
        json.String(model.Version);
        for (var i = 0; i < parameters.Length; i++)
        {
            json.Raw(i == 0 ? ",\"parameters\":{"u8 : ","u8);
            WriteParameter(ref json, parameters[i]);
        }

        json.Raw(parameters.Length > 0 ? "},\"outputs\":["u8 : ",\"outputs\":["u8);
    }

    private static void WriteParameter(ref JsonOutput json, in ResponseParameter parameter)
    {
        json.String(parameter.Name);
        json.Raw(":"u8);
        if (parameter.Text is { } text)
            json.String(text);
        else if (parameter.IsBoolean)
            json.Raw(parameter.Number != 0 ? "true"u8 : "false"u8);
        else
            json.Number(parameter.Number);
    }

    private static Fault? WriteOutput(ref JsonOutput json, in Tensor tensor, TensorSpec spec, bool binary)
    {
        json.Raw("{\"name\":"u8);
        json.String(spec.NameUtf8);
        json.Raw(",\"datatype\":\""u8);
        Span<byte> type = stackalloc byte[8];
        json.Raw(type[..System.Text.Encoding.ASCII.GetBytes(tensor.Type.WireName(), type)]);
        json.Raw("\",\"shape\":["u8);
        for (var i = 0; i < tensor.Shape.Rank; i++)
        {
            if (i > 0)
                json.Raw(","u8);
            json.Number(tensor.Shape[i]);
        }

        Fault? fault = null;
        if (binary)
        {
            json.Raw("],\"parameters\":{\"binary_data_size\":"u8);
            json.Number(tensor.Data.Length);
            json.Raw("}"u8);
        }
        else
        {
            json.Raw("],\"data\":"u8);
            fault = ElementWriter.Write(ref json, tensor, spec);
        }

        json.Raw("}"u8);
        return fault;
    }

    /// <summary>The runtime broke its word.</summary>
    public static Fault Absent(TensorSpec spec, ModelRef model) => new(
        FaultKind.Internal, $"model {model} gave no output '{spec.Name}', which its signature promises");
}
