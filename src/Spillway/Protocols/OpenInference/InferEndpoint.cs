using Microsoft.AspNetCore.Http;
using Spillway.Engine;

namespace Spillway.Protocols.OpenInference;

/// <summary>
/// POST …/infer: steps 1, 10 and 12 of a request around the pipeline. The hot path: everything it needs is pooled but
/// the strings of the response's headers.
/// </summary>
internal sealed class InferEndpoint(ServerContext server)
{
    private static readonly ResponseParameter[] s_simulated = [ResponseParameter.Of("simulated", value: true)];

    private readonly Serving _serving = server.Serving;

    /// <summary>Answers one request. Never throws for what a caller does.</summary>
    public async Task HandleAsync(HttpContext http, Door door)
    {
        var clock = _serving.Clock;
        var work = _serving.Rent(clock.Now);
        work.Door = door;
        var tags = RequestTags.Of(http.Request.Headers, server.Spans);
        var (sent, status) = (0L, 0);
        var (body, fault) = await RequestBody.ReadAsync(http, server).ConfigureAwait(false);
        try
        {
            work.Timeline.Mark(Stage.Receive, clock.EndOf(Stage.Receive));
            fault ??= Translation.Read(http.Request.Headers, work, body, _serving.Stopping);
            body.GiveTo(work.Request.Inputs);
            work.Timeline.Mark(Stage.Parse, clock.EndOf(Stage.Parse));
            fault ??= await _serving.Pipeline.RunAsync(work, _serving.Stopping, http.RequestAborted).ConfigureAwait(false);
            if (fault is null)
                (fault, status, sent) = await AnswerAsync(http, work, tags).ConfigureAwait(false);
            if (fault is not null)
                (status, sent) = await RefuseAsync(http, work, tags, fault).ConfigureAwait(false);
        }
        finally
        {
            work.Timeline.Mark(Stage.Write, clock.EndOf(Stage.Write));
            End(work, body, new(
                tags.RequestId, tags.Trace.Trace, fault, status, body.Length, sent, server.BytesHeld, server.Snapshot.Server.BodyBytesInFlightMax));
        }
    }

    /// <summary>Records, and gives back what the request held: also when a bug in the record shows up here.</summary>
    private void End(Work work, in RequestBody body, in Delivery delivery)
    {
        try
        {
            server.Recorder.Record(work, delivery);
        }
        finally
        {
            server.LetGo(body.Held);
            _serving.Return(work);
        }
    }

    private async ValueTask<(Fault? Fault, int Status, long Sent)> AnswerAsync(HttpContext http, Work work, RequestTags tags)
    {
        if (!work.Answer.TryRead(out var delta))
            return (new(FaultKind.Internal, "The answer was lost inside the server."), 0, 0);
        var door = work.Door;
        var json = ResponseBuffer.OfThisThread;
        json.Clear();
        ReadOnlySpan<ResponseParameter> parameters = door.Traits!.Simulated ? s_simulated : [];
        if (!InferResponseWriter.WriteJson(door.Route.Model, door.Signature!, work.Request, delta.Payload, parameters, json)
            .TryGet(out var layout, out var fault))
            return (fault, 0, 0);
        var response = http.Response;
        response.ContentType = layout.ContentType;
        response.ContentLength = layout.Length;
        if (layout.HeaderLength is { } length)
            response.Headers[InferRequestReader.HeaderLengthName] = SmallNumbers.Text(length);
        work.Timeline.Mark(Stage.Output, _serving.Clock.EndOf(Stage.Output));
        tags.WriteTo(response.Headers, work.Timeline);
        System.Buffers.BuffersExtensions.Write(response.BodyWriter, json.Written.Span);
        var left = await SendAsync(http, work, delta.Payload).ConfigureAwait(false);
        return (left, StatusCodes.Status200OK, left is null ? layout.Length : 0);
    }

    /// <summary>Behind the JSON the binary outputs, then all of it to the connection; a fault when the caller is gone.</summary>
    private static ValueTask<Fault?> SendAsync(HttpContext http, Work work, TensorSet outputs)
    {
        InferResponseWriter.WriteBinary(work.Door.Signature!, work.Request, outputs, http.Response.BodyWriter);
        return AnswerFlush.FlushAsync(http);
    }

    private async ValueTask<(int Status, long Sent)> RefuseAsync(HttpContext http, Work work, RequestTags tags, Fault fault)
    {
        var response = http.Response;
        if (response.HasStarted || fault.Kind is FaultKind.Cancelled)
        {
            http.Abort();
            return (FaultMapping.Status(fault.Kind), 0);
        }

        work.Timeline.Mark(Stage.Output, _serving.Clock.EndOf(Stage.Output));
        tags.WriteTo(response.Headers, work.Timeline);
        var sent = await ErrorAnswer.WriteAsync(http, fault).ConfigureAwait(false);
        return (response.StatusCode, sent);
    }
}
