namespace Spillway.Protocols.OpenInference;

/// <summary>What can be judged only when all inputs are there.</summary>
internal static class RequestChecks
{
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
