using Microsoft.AspNetCore.Http;
using Spillway.Engine;

namespace Spillway.Protocols.OpenInference;

/// <summary>Step 1 of a request: which of the protocol's forms the body has, and its tensors.</summary>
internal static class Translation
{
    /// <summary>Fills the work's request; null, or what is wrong with the body.</summary>
    public static Fault? Read(IHeaderDictionary headers, Work work, in RequestBody body, bool stopping)
    {
        // A model that is not there yet has no signature to read against.
        if (work.Door.Signature is not { } signature)
            return work.Flow.Begin(work.Door.Route, stopping).Fault;
        var header = HeaderLength(headers);
        if (InferRequestReader.ParseHeaderLength(header, body.Length, out var jsonLength) is { } wrong)
            return wrong;
        var name = work.Door.Route.Model.Name;
        if (body.Length == 0)
        {
            return Fault.Invalid("The request body is empty. Send the JSON of an inference request, or the bytes of the one "
                + "input with the header Inference-Header-Content-Length: 0.");
        }

        if (jsonLength != 0)
            return InferRequestReader.Read(body.Memory[RequestBody.Headroom..], jsonLength, signature, name, work.Request);
        var fault = InferRequestReader.ReadRawInPlace(body.Memory, signature, name, work.Request);
        // Our addition: without it Triton answers a raw request in binary, which a person cannot read.
        if (AcceptsJson(headers.Accept))
            work.Request.BinaryOutputs = false;
        return fault;
    }

    /// <summary>The timeout of a request that cannot be read yet; null for none.</summary>
    public static TimeSpan? PeekTimeout(IHeaderDictionary headers, in RequestBody body)
    {
        return InferRequestReader.ParseHeaderLength(HeaderLength(headers), body.Length, out var length) is null && length != 0
            ? TimeoutPeek.Of(body.Memory.Span[RequestBody.Headroom..], length)
            : null;
    }

    private static string? HeaderLength(IHeaderDictionary headers) =>
        headers.TryGetValue(InferRequestReader.HeaderLengthName, out var given) ? given.ToString() : null;

    private static bool AcceptsJson(string? accept) =>
        accept is not null && accept.Contains("application/json", StringComparison.OrdinalIgnoreCase);
}
