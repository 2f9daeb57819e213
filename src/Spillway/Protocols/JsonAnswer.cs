using System.Buffers;
using Microsoft.AspNetCore.Http;

namespace Spillway.Protocols;

/// <summary>
/// A finished body on the wire, for everything that is not hot; compressed where the caller takes that.
/// </summary>
internal static class JsonAnswer
{
    /// <summary>Writes it with its length; a caller that is gone is no error here.</summary>
    public static async Task WriteAsync(
        HttpContext http, ArrayBufferWriter<byte> body, string contentType = "application/json")
    {
        http.Response.ContentType = contentType;
        if (AnswerCoding.Begin(http, body.WrittenCount) is var coding and not ContentCoding.Identity)
            body = Compress(body, coding);
        http.Response.ContentLength = body.WrittenCount;
        try
        {
            await http.Response.Body.WriteAsync(body.WrittenMemory, http.RequestAborted).ConfigureAwait(false);
        }
        catch (Exception gone) when (gone is OperationCanceledException or IOException)
        {
            http.Abort();
        }
    }

    private static ArrayBufferWriter<byte> Compress(ArrayBufferWriter<byte> body, ContentCoding coding)
    {
        var compressed = new ArrayBufferWriter<byte>(4096);
        using (var writer = new CompressedWriter(coding, compressed))
            writer.Write(body.WrittenSpan);
        return compressed;
    }
}
