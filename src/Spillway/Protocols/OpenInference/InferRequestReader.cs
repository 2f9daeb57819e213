using System.Buffers.Binary;
using System.Globalization;

namespace Spillway.Protocols.OpenInference;

/// <summary>
/// Turns an infer request's body into an <see cref="InferenceRequest"/>: JSON, JSON with binary tensors behind it, or
/// one raw tensor. Binary tensors stay where they are: the body's memory must live as long as the request. JSON tensors
/// go to pooled buffers of the request. Allocates nothing but the caller's id. After a fault the request is half filled
/// and good for <see cref="InferenceRequest.Reset"/> only.
/// </summary>
internal static class InferRequestReader
{
    /// <summary>The request and response header that tells the length of the JSON before binary tensors.</summary>
    public const string HeaderLengthName = "Inference-Header-Content-Length";

    /// <summary>Bytes before a raw body that <see cref="ReadRawInPlace"/> needs for the element's length.</summary>
    public const int RawHeadroom = 4;

    /// <summary>
    /// Judges the value of <see cref="HeaderLengthName"/>: null when the header is absent, 0 for a raw body
    /// (<see cref="ReadRaw"/>), else the length of the JSON.
    /// </summary>
    public static Fault? ParseHeaderLength(string? headerValue, long bodyLength, out int? length)
    {
        length = null;
        if (headerValue is null)
            return null;
        var known = int.TryParse(
            headerValue, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value);
        if (!known || value < 0 || value > bodyLength)
            return RequestFaults.HeaderLength(headerValue.Length > 32 ? headerValue[..32] : headerValue, bodyLength);
        length = value;
        return null;
    }

    /// <summary>Reads a JSON body, with binary tensors behind it when the JSON's length is given.</summary>
    /// <param name="body">The whole body; binary tensors keep referring to it.</param>
    /// <param name="jsonLength">From <see cref="ParseHeaderLength"/>, at least 1; null when the whole body is
    /// JSON.</param>
    /// <param name="signature">Of the served name.</param>
    /// <param name="modelName">The served name, for texts.</param>
    /// <param name="into">An empty request; its inputs end up in the signature's order.</param>
    public static Fault? Read(
        ReadOnlyMemory<byte> body, int? jsonLength, Signature signature, string modelName, InferenceRequest into)
    {
        var split = jsonLength ?? body.Length;
        var scope = new RequestScope(body[split..], jsonLength is not null, signature, modelName, into);
        var json = new JsonCursor(body.Span[..split]);
        return new RequestHeader(scope).Read(ref json);
    }

    /// <summary>
    /// Reads a body that is nothing but the one input's data. A BYTES body is the bare string; it is copied once,
    /// behind its length, into a pooled buffer. All outputs are binary unless the caller changes that afterwards.
    /// </summary>
    public static Fault? ReadRaw(
        ReadOnlyMemory<byte> body, Signature signature, string modelName, InferenceRequest into)
    {
        if (PrepareRaw(body.Length, signature, modelName, out var shape) is { } fault)
            return fault;
        if (signature.Inputs[0].Type == DataType.Bytes)
        {
            var copy = into.Inputs.Rent(body.Length + RawHeadroom);
            body.CopyTo(copy[RawHeadroom..]);
            BinaryPrimitives.WriteInt32LittleEndian(copy.Span, body.Length);
            body = copy;
        }

        AddRaw(body, signature, shape, into);
        return null;
    }

    /// <summary>
    /// As <see cref="ReadRaw"/> without any copy: the body begins <see cref="RawHeadroom"/> bytes into a buffer that
    /// the caller owns and that lives as long as the request; those bytes are overwritten.
    /// </summary>
    public static Fault? ReadRawInPlace(
        Memory<byte> headroomAndBody, Signature signature, string modelName, InferenceRequest into)
    {
        ReadOnlyMemory<byte> body = headroomAndBody[RawHeadroom..];
        if (PrepareRaw(body.Length, signature, modelName, out var shape) is { } fault)
            return fault;
        if (signature.Inputs[0].Type == DataType.Bytes)
        {
            BinaryPrimitives.WriteInt32LittleEndian(headroomAndBody.Span, body.Length);
            body = headroomAndBody;
        }

        AddRaw(body, signature, shape, into);
        return null;
    }

    private static void AddRaw(
        ReadOnlyMemory<byte> data, Signature signature, in Shape shape, InferenceRequest into)
    {
        ref var tensor = ref into.Inputs.Add();
        (tensor.Port, tensor.Type, tensor.Shape, tensor.Data) = (0, signature.Inputs[0].Type, shape, data);
        into.BinaryOutputs = true;
    }

    /// <summary>The shape of a raw body: a batch of one, and at most one variable dimension, from the size.</summary>
    private static Fault? PrepareRaw(int length, Signature signature, string modelName, out Shape shape)
    {
        shape = default;
        if (signature.Inputs.Count != 1)
        {
            return Fault.Invalid(
                $"Raw request must only have 1 input (found 1) to be deduced but got {signature.Inputs.Count} inputs "
                + $"in '{modelName}' model configuration");
        }

        var spec = signature.Inputs[0];
        var (open, fixedElements) = (-1, 1L);
        for (var i = 0; i < spec.Shape.Rank; i++)
        {
            var asOne = spec.Shape[i] < 0 && ((i == 0 && signature.Batched) || spec.Type == DataType.Bytes);
            if (spec.Shape[i] < 0 && !asOne && open >= 0)
            {
                return Fault.Invalid(
                    $"The shape of the raw input '{spec.Name}' can not be deduced because there are more than one "
                    + "variable-sized dimension");
            }

            if (spec.Shape[i] < 0 && !asOne)
                open = i;
            shape.TryAdd(Math.Abs(spec.Shape[i]));
            fixedElements *= Math.Abs(spec.Shape[i]);
        }

        return FitRaw(length, spec, fixedElements, open, modelName, ref shape);
    }

    private static Fault? FitRaw(
        int length, TensorSpec spec, long fixedElements, int open, string modelName, ref Shape shape)
    {
        if (spec.Type == DataType.Bytes)
        {
            return fixedElements == 1 ? null : Fault.Invalid(
                $"For BYTE datatype raw input '{spec.Name}', the model must have input shape [1], but model "
                + $"'{modelName}' has {spec.Shape}");
        }

        var size = fixedElements * spec.Type.Size();
        if (open < 0 || size == 0)
            return length == size ? null : RequestFaults.ByteSize(spec.Name, modelName, size, length);
        shape[open] = length / size;
        return length % size == 0 ? null : Fault.Invalid(
            $"The shape of the raw input '{spec.Name}' can not be deduced: {length} bytes are no multiple of {size}, "
            + $"the size of one step of {spec.Shape} for model '{modelName}'");
    }
}
