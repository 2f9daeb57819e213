using System.Buffers;
using Microsoft.AspNetCore.Http;

namespace Spillway.Protocols;

/// <summary>A finished body on the wire, for everything that is not hot.</summary>
internal static class JsonAnswer
{
    /// <summary>Writes it with its length; a caller that is gone is no error here.</summary>
    public static async Task WriteAsync(HttpContext http, ArrayBufferWriter<byte> body, string contentType = "application/json")
    {
        http.Response.ContentType = contentType;
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
}
