using System.Buffers;
using Microsoft.AspNetCore.Http;
using Spillway.Engine;
using Spillway.Protocols.OpenInference;

namespace Spillway.Protocols.Grpc;

/// <summary>
/// ModelInfer: steps 1, 10 and 12 of a request around the pipeline, as InferEndpoint is for REST. The hot path.
/// </summary>
internal sealed class ModelInferCall(ServerContext server)
{
    private static readonly Fault s_bug = new(FaultKind.Internal,
        "An internal error; the server's log has the details.");

    private readonly Serving _serving = server.Serving;

    /// <summary>Answers one call. Never throws for what a caller does.</summary>
    public async Task HandleAsync(HttpContext http, TimeSpan? patience, Caller caller)
    {
        var clock = _serving.Clock;
        var work = _serving.Rent(clock.Now);
        work.Caller = caller;
        var tags = RequestTags.Of(http.Request.Headers, server.Spans);
        work.Trace = tags.Trace;
        var read = default(MessageRead);
        var translation = default(InferTranslation);
        // What is recorded when something here throws.
        var (ended, sent) = ((Fault?)s_bug, 0L);
        try
        {
            read = await MessageReader.ReadOnlyAsync(http, server).ConfigureAwait(false);
            work.Timeline.Mark(Stage.Receive, clock.EndOf(Stage.Receive));
            read.Body.GiveTo(work.Request.Inputs);
            var fault = read.Fault ?? GuardHeaders.Read(http.Request.Headers, work.Request);
            if (fault is null)
            {
                translation = await InferTranslation.ReadAsync(server, work, read.Message, patience, http)
                    .ConfigureAwait(false);
                fault = translation.Fault;
            }

            RouteHeaders.Read(http.Request.Headers, work);
            work.Timeline.Mark(Stage.Parse, clock.EndOf(Stage.Parse));
            fault ??= await _serving.Pipeline.RunAsync(work, _serving.Stopping, http.RequestAborted)
                .ConfigureAwait(false);
            if (fault is null)
                (fault, sent) = await AnswerAsync(http, work, tags).ConfigureAwait(false);
            ended = fault;
            if (fault is not null)
                Refuse(http, work, tags, fault);
            else
                GrpcAnswer.End(http);
        }
        finally
        {
            work.Timeline.Mark(Stage.Write, clock.EndOf(Stage.Write));
            InferDelivery.Close(server, work, tags, read.Body, translation, ended, sent);
        }
    }

    /// <summary>
    /// The answer; a fault when there is none, or the caller is gone. A small one is left to the connection's writer
    /// together with the trailers, which saves a turn of it.
    /// </summary>
    private async ValueTask<(Fault? Fault, long Sent)> AnswerAsync(HttpContext http, Work work, RequestTags tags)
    {
        if (!work.Answer.TryRead(out var delta))
            return (new(FaultKind.Internal, "The answer was lost inside the server."), 0);
        if (work.Door.Classify(work) is { } unfit)
            return (unfit, 0);
        if (!Begin(http.Response, work, tags, delta.Payload).TryGet(out var lengths, out var fault))
            return (fault, 0);
        var gone = await ModelInferWriter.SendRawAsync(http, work, delta.Payload, lengths.Behind).ConfigureAwait(false);
        return (gone, gone is null ? lengths.Frame + lengths.Behind : 0);
    }

    private Outcome<(long Frame, long Behind)> Begin(
        HttpResponse response, Work work, in RequestTags tags, TensorSet outputs)
    {
        var into = WireBuffer.OfThisThread;
        if (!ModelInferWriter.WriteHead(into, work, outputs, stream: null).TryGet(out var behind, out var fault))
            return fault;
        response.ContentType = GrpcAnswer.ContentType;
        work.Timeline.Mark(Stage.Output, _serving.Clock.EndOf(Stage.Output));
        tags.WriteTo(response.Headers, work.Timeline);
        GuardHeaders.WriteTo(response.Headers, work);
        RouteHeaders.WriteTo(response.Headers, work);
        CostHeader.Write(response.Headers, work);
        var frame = into.Frame(behind);
        response.BodyWriter.Write(frame);
        return (frame.Length, behind);
    }

    private void Refuse(HttpContext http, Work work, in RequestTags tags, Fault fault)
    {
        if (fault.Kind is FaultKind.Cancelled)
        {
            http.Abort();
            return;
        }

        work.Timeline.Mark(Stage.Output, _serving.Clock.EndOf(Stage.Output));
        if (!http.Response.HasStarted)
        {
            tags.WriteTo(http.Response.Headers, work.Timeline);
            GuardHeaders.WriteTo(http.Response.Headers, work);
            RouteHeaders.WriteTo(http.Response.Headers, work);
        }

        GrpcAnswer.End(http, fault);
    }
}
