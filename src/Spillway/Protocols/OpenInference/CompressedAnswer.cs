using System.Buffers;
using Microsoft.AspNetCore.Http;
using Spillway.Engine;

namespace Spillway.Protocols.OpenInference;

/// <summary>
/// The body of an answer to a caller that takes it compressed. A small one is compressed first, so that its length can
/// be told; a large one goes out in pieces as they are compressed, each taken by the connection before the next is
/// made. Inference-Header-Content-Length keeps counting the JSON as it is once inflated, as Triton's clients read it.
/// </summary>
internal static class CompressedAnswer
{
    /// <summary>Answers beyond this are compressed and sent in pieces of it.</summary>
    private const int PieceMax = 256 * 1024;

    /// <summary>Compresses and sends; the JSON is in this thread's buffer.</summary>
    public static ValueTask<(Fault? Fault, int Status, long Sent)> SendAsync(
        HttpContext http, Work work, TensorSet outputs, in ResponseLayout layout, ContentCoding coding)
    {
        var json = ResponseBuffer.OfThisThread.Written;
        if (layout.Length > PieceMax)
        {
            // The JSON is compressed before the first await, after which the thread's buffer is somebody else's.
            var writer = new CompressedWriter(coding, http.Response.BodyWriter);
            writer.Write(json.Span);
            return SendPiecesAsync(http, work, outputs, writer);
        }

        using var whole = new ResponseBuffer();
        using (var writer = new CompressedWriter(coding, whole))
        {
            writer.Write(json.Span);
            for (var i = 0; TryBinary(work, outputs, i, out var data); i++)
                writer.Write(data.Span);
        }

        var sent = whole.WrittenCount;
        http.Response.ContentLength = sent;
        http.Response.BodyWriter.Write(whole.Written.Span);
        return FlushAsync(http, sent);
    }

    private static async ValueTask<(Fault? Fault, int Status, long Sent)> SendPiecesAsync(
        HttpContext http, Work work, TensorSet outputs, CompressedWriter writer)
    {
        using (writer)
        {
            for (var i = 0; TryBinary(work, outputs, i, out var data); i++)
            {
                for (; data.Length > 0; data = data[Math.Min(PieceMax, data.Length)..])
                {
                    writer.Write(data.Span[..Math.Min(PieceMax, data.Length)]);
                    if (await AnswerFlush.FlushAsync(http).ConfigureAwait(false) is { } gone)
                        return (gone, StatusCodes.Status200OK, 0);
                }
            }
        }

        return await FlushAsync(http, writer.Written).ConfigureAwait(false);
    }

    private static bool TryBinary(Work work, TensorSet outputs, int index, out ReadOnlyMemory<byte> data) =>
        InferResponseWriter.TryBinary(work.Door.Signature!, work.Request, outputs, index, out data);

    private static async ValueTask<(Fault? Fault, int Status, long Sent)> FlushAsync(HttpContext http, long sent)
    {
        var left = await AnswerFlush.FlushAsync(http).ConfigureAwait(false);
        return (left, StatusCodes.Status200OK, left is null ? sent : 0);
    }
}
