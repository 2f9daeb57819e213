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

    private static readonly Fault s_gone = new(FaultKind.Cancelled, "The caller went away while the answer was written.");

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
        var writer = response.BodyWriter;
        System.Buffers.BuffersExtensions.Write(writer, json.Written.Span);
        InferResponseWriter.WriteBinary(door.Signature!, work.Request, delta.Payload, writer);
        var left = await FlushAsync(http).ConfigureAwait(false);
        return (left, StatusCodes.Status200OK, left is null ? layout.Length : 0);
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

    private static async ValueTask<Fault?> FlushAsync(HttpContext http)
    {
        try
        {
            // Completed: nobody takes bytes from this connection any more. It is no exception.
            var flush = await http.Response.BodyWriter.FlushAsync(http.RequestAborted).ConfigureAwait(false);
            return flush.IsCompleted ? s_gone : null;
        }
        catch (Exception gone) when (gone is OperationCanceledException or IOException)
        {
            return s_gone;
        }
    }
}
