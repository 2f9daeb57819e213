using System.Buffers;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http;
using Spillway.Engine;

namespace Spillway.Protocols.OpenInference;

/// <summary>Step 10 of a request that was answered: its outputs on the wire.</summary>
internal static class InferAnswer
{
    /// <summary>Binary outputs beyond this are sent in pieces of it.</summary>
    private const int PieceMax = 256 * 1024;

    private static readonly ResponseParameter[] s_simulated = [ResponseParameter.Of("simulated", value: true)];

    /// <summary>Writes it; or a fault, when JSON cannot hold it or the caller is gone.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public static async ValueTask<(Fault? Fault, int Status, long Sent)> WriteAsync(
        HttpContext http, Work work, RequestTags tags, Clock clock)
    {
        if (!work.Answer.TryRead(out var delta))
            return (new(FaultKind.Internal, "The answer was lost inside the server."), 0, 0);
        if (work.Door.Classify(work) is { } unfit)
            return (unfit, 0, 0);
        if (!Begin(http, work, clock, delta.Payload, out var coding).TryGet(out var layout, out var fault))
            return (fault, 0, 0);
        tags.WriteTo(http.Response.Headers, work.Timeline);
        GuardHeaders.WriteTo(http.Response.Headers, work);
        RouteHeaders.WriteTo(http.Response.Headers, work);
        CostHeader.Write(http.Response.Headers, work);
        if (coding is not ContentCoding.Identity)
            return await CompressedAnswer.SendAsync(http, work, delta.Payload, layout, coding).ConfigureAwait(false);
        http.Response.ContentLength = layout.Length;
        http.Response.BodyWriter.Write(ResponseBuffer.OfThisThread.Written.Span);
        var left = await SendAsync(http, work, delta.Payload, layout.BinaryLength).ConfigureAwait(false);
        return (left, StatusCodes.Status200OK, left is null ? layout.Length : 0);
    }

    /// <summary>The headers, and the JSON in this thread's buffer.</summary>
    private static Outcome<ResponseLayout> Begin(
        HttpContext http, Work work, Clock clock, TensorSet outputs, out ContentCoding coding)
    {
        var (door, response) = (work.Door, http.Response);
        var json = ResponseBuffer.OfThisThread;
        json.Clear();
        coding = ContentCoding.Identity;
        ReadOnlySpan<ResponseParameter> parameters = door.Traits!.Simulated ? s_simulated : [];
        var written = InferResponseWriter.WriteJson(
            door.Route.Model, door.Signature!, work.Request, outputs, parameters, json);
        if (!written.TryGet(out var layout, out var fault))
            return fault;
        coding = AnswerCoding.Begin(http, layout.Length);
        response.ContentType = layout.ContentType;
        if (layout.HeaderLength is { } length)
            response.Headers[InferRequestReader.HeaderLengthName] = SmallNumbers.Text(length);
        work.Timeline.Mark(Stage.Output, clock.EndOf(Stage.Output));
        return layout;
    }

    /// <summary>
    /// Behind the JSON the binary outputs, then all of it to the connection; a fault when the caller is gone. Large
    /// ones
    /// go in pieces, each taken before the next is written, so that a slow caller does not hold them twice.
    /// </summary>
    private static ValueTask<Fault?> SendAsync(HttpContext http, Work work, TensorSet outputs, long binaryLength)
    {
        if (binaryLength > PieceMax)
            return SendPiecesAsync(http, work, outputs);
        InferResponseWriter.WriteBinary(work.Door.Signature!, work.Request, outputs, http.Response.BodyWriter);
        return AnswerFlush.FlushAsync(http);
    }

    private static async ValueTask<Fault?> SendPiecesAsync(HttpContext http, Work work, TensorSet outputs)
    {
        for (var i = 0; InferResponseWriter.TryBinary(work.Door.Signature!, work.Request, outputs, i, out var data); i++)
        {
            for (; data.Length > 0; data = data[Math.Min(PieceMax, data.Length)..])
            {
                http.Response.BodyWriter.Write(data.Span[..Math.Min(PieceMax, data.Length)]);
                if (await AnswerFlush.FlushAsync(http).ConfigureAwait(false) is { } gone)
                    return gone;
            }
        }

        return await AnswerFlush.FlushAsync(http).ConfigureAwait(false);
    }
}
