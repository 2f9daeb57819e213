using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Spillway.Protocols.OpenInference;
using Spillway.Telemetry;

namespace Spillway.Protocols.Grpc;

/// <summary>How a call ends: its status in the trailers, or in the headers when nothing was written.</summary>
internal static class GrpcAnswer
{
    /// <summary>What every call and answer is.</summary>
    public const string ContentType = "application/grpc";

    private const string StatusName = "grpc-status";

    /// <summary>Ends a call that went well.</summary>
    public static void End(HttpContext http) => http.Response.AppendTrailer(StatusName, "0");

    /// <summary>
    /// Ends a call with a fault: the status, the text, the fault's kind, and when to come again. The last is said
    /// twice, as REST does and in the form that gRPC clients with a retry policy obey by themselves.
    /// https://github.com/grpc/proposal/blob/master/A6-client-retries.md
    /// </summary>
    public static void End(HttpContext http, Fault fault)
    {
        var into = http.Response.HasStarted
            ? http.Features.Get<IHttpResponseTrailersFeature>()!.Trailers
            : http.Response.Headers;
        if (!http.Response.HasStarted)
            http.Response.ContentType = ContentType;
        into[StatusName] = GrpcMapping.Number(GrpcMapping.Status(fault.Kind));
        into["grpc-message"] = GrpcMapping.Message(fault.Message);
        into[ErrorAnswer.FaultName] = FaultLabels.Of(fault.Kind);
        if (fault.Kind is FaultKind.Unsupported)
            into["grpc-accept-encoding"] = MessageInflater.Accepted;
        if (FaultMapping.IsRetryInVain(fault.Kind))
        {
            // A negative number is what a client's retry policy takes as "never".
            (into["x-should-retry"], into["grpc-retry-pushback-ms"]) = ("false", "-1");
            return;
        }

        if (!FaultMapping.IsRetryAfterDue(fault.Kind))
            return;
        var after = FaultMapping.RetryAfterMs(fault.RetryAfter);
        into["retry-after-ms"] = after;
        into["grpc-retry-pushback-ms"] = after;
    }
}
