using System.Buffers;
using Microsoft.AspNetCore.Http;
using Spillway.Protocols.OpenInference;
using Spillway.Telemetry;

namespace Spillway.Protocols;

/// <summary>A fault on the wire: status, {"error": text}, and when to come again.</summary>
internal static class ErrorAnswer
{
    /// <summary>The fault's kind in one word, for programs.</summary>
    public const string FaultName = "X-Spillway-Fault";

    /// <summary>Writes it; returns the bytes of the body. A caller that is gone is no error here.</summary>
    public static async ValueTask<long> WriteAsync(HttpContext http, Fault fault)
    {
        var response = http.Response;
        response.StatusCode = FaultMapping.Status(fault.Kind);
        response.ContentType = "application/json";
        response.Headers[FaultName] = FaultLabels.Of(fault.Kind);
        if (FaultMapping.IsRetryAfterDue(fault.Kind))
        {
            response.Headers.RetryAfter = FaultMapping.RetryAfterSeconds(fault.RetryAfter);
            response.Headers["retry-after-ms"] = FaultMapping.RetryAfterMs(fault.RetryAfter);
        }

        if (FaultMapping.IsRetryInVain(fault.Kind))
            response.Headers["x-should-retry"] = "false";
        if (FaultMapping.EndsConnection(fault.Kind))
            response.Headers.Connection = "close";
        var body = ResponseBuffer.OfThisThread;
        body.Clear();
        Metadata.WriteError(fault.Message, body);
        response.ContentLength = body.Written.Length;
        response.BodyWriter.Write(body.Written.Span);
        var length = body.Written.Length;
        try
        {
            await response.BodyWriter.FlushAsync(http.RequestAborted).ConfigureAwait(false);
            return length;
        }
        catch (Exception gone) when (gone is OperationCanceledException or IOException)
        {
            return 0;
        }
    }
}
