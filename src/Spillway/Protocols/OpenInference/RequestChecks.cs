namespace Spillway.Protocols.OpenInference;

/// <summary>The rules of a request's inputs, whatever form they came in.</summary>
internal static class RequestChecks
{
    /// <summary>
    /// Checks all that an input declares, before anything is rented for it; gives the number of its elements.
    /// </summary>
    public static Fault? Described(TensorSpec spec, DataType type, in Shape shape, string model, out long count)
    {
        count = 0;
        if (type != spec.Type)
            return RequestFaults.WrongType(spec.Name, type.WireName(), model, spec.Type);
        foreach (var dim in shape.Dims)
        {
            if (dim < 0)
                return RequestFaults.WrongShape(spec, model, shape);
        }

        if (!spec.Accepts(shape))
            return RequestFaults.WrongShape(spec, model, shape);
        return shape.TryCount(out count) ? null : RequestFaults.Overflow(spec.Name, shape);
    }

    /// <summary>Checks that binary data are exactly those elements.</summary>
    public static Fault? Binary(ReadOnlySpan<byte> data, TensorSpec spec, in Shape shape, long count, string model)
    {
        if (spec.Type == DataType.Bytes)
            return BytesTensor.Check(data, count, spec.Name, model);
        var size = spec.Type.Size();
        if (count == data.Length / size && data.Length % size == 0)
            return null;
        return count > long.MaxValue / size
            ? RequestFaults.Overflow(spec.Name, shape)
            : RequestFaults.ByteSize(spec.Name, model, count * size, data.Length);
    }

    /// <summary>
    /// Orders the inputs as the signature has them and checks that none is missing and that rows agree.
    /// </summary>
    public static Fault? Complete(TensorSet inputs, Signature signature, string model)
    {
        if (inputs.Count != signature.Inputs.Count)
            return Missing(inputs, signature, model);
        var tensors = inputs.Span;
        for (var port = 0; port < tensors.Length; port++)
        {
            // Every port occurs once, so each swap puts one tensor where it stays.
            while (tensors[port].Port is var home && home != port)
                (tensors[port], tensors[home]) = (tensors[home], tensors[port]);
        }

        return signature.Batched ? Rows(tensors, signature, model) : null;
    }

    private static Fault? Rows(ReadOnlySpan<Tensor> tensors, Signature signature, string model)
    {
        for (var port = 0; port < tensors.Length; port++)
        {
            var rows = tensors[port].Shape[0];
            if (rows < 1)
                return RequestFaults.ZeroRows(signature.Inputs[port].Name, model);
            if (rows != tensors[0].Shape[0])
                return RequestFaults.RowsDiffer(signature.Inputs[port].Name, model, rows, tensors[0].Shape[0]);
        }

        return null;
    }

    private static Fault Missing(TensorSet inputs, Signature signature, string model)
    {
        var got = signature.Inputs.Where((_, port) => inputs.Find(port) >= 0).Select(Quoted);
        var missing = signature.Inputs.Where((_, port) => inputs.Find(port) < 0).Select(Quoted);
        return Fault.Invalid(
            $"expected {signature.Inputs.Count} inputs but got {inputs.Count} inputs for model '{model}'. "
            + $"Got input(s) [{string.Join(", ", got)}], but missing required input(s) "
            + $"[{string.Join(", ", missing)}]. Please provide all required input(s).");
    }

    private static string Quoted(TensorSpec spec) => $"'{spec.Name}'";
}
