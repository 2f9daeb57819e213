using Spillway.Engine;
using Spillway.Protocols.Admin;
using Spillway.Protocols.OpenInference;

namespace Spillway.Protocols.Grpc;

/// <summary>The end of a request that came by gRPC, for its record.</summary>
internal static class InferDelivery
{
    private const string InferPath = $"/{GrpcEndpoints.Service}/ModelInfer";

    /// <summary>
    /// Records it and gives back what it held. The status is REST's for the same end, so that records and metrics read
    /// the same whatever door was used.
    /// </summary>
    public static void Close(
        ServerContext server, Work work, in RequestTags tags, in RequestBody body, in InferTranslation translation,
        Fault? ended, long sent)
    {
        var held = body.Held + translation.Held;
        if (translation.Routed)
        {
            server.Close(work, held, new(
                tags.RequestId, tags.Trace.Trace, ended, ended is null ? 200 : FaultMapping.Status(ended.Kind),
                body.Length, sent, server.BytesHeld, server.Snapshot.Server.BodyBytesInFlightMax));
            return;
        }

        server.Recorder.Unrouted(ended?.Kind ?? FaultKind.Internal);
        // A stream that ends for its key is written down by whoever ends it.
        if (ended is { Kind: FaultKind.Forbidden })
            server.Denied(work.Caller, ended, InferPath);
        server.LetGo(held);
        server.Serving.Return(work);
    }
}
