using System.Buffers;
using Microsoft.AspNetCore.Http;

namespace Spillway.Protocols;

/// <summary>Reads the body of a request that changes a setting: short, never compressed.</summary>
internal static class SmallBody
{
    /// <summary>The most bytes; the longest honest body has a few hundred.</summary>
    public const int BytesMax = 16 * 1024;

    /// <summary>The whole body; a fault when it is too large, compressed, or does not arrive.</summary>
    /// <param name="http">The request.</param>
    /// <param name="bytesMax">The most bytes.</param>
    public static async ValueTask<Outcome<byte[]>> ReadAsync(HttpContext http, int bytesMax = BytesMax)
    {
        if (http.Request.Headers.ContentEncoding.Count > 0)
        {
            return new Fault(
                FaultKind.Unsupported, "The body of a setting is not compressed: send it without Content-Encoding.");
        }

        if (http.Request.ContentLength > bytesMax)
            return TooLarge(bytesMax);
        var reader = http.Request.BodyReader;
        try
        {
            while (true)
            {
                var read = await reader.ReadAsync(http.RequestAborted).ConfigureAwait(false);
                if (read.Buffer.Length > bytesMax)
                {
                    reader.AdvanceTo(read.Buffer.End);
                    return TooLarge(bytesMax);
                }

                if (read.IsCompleted)
                {
                    var body = read.Buffer.ToArray();
                    reader.AdvanceTo(read.Buffer.End);
                    return body;
                }

                reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            }
        }
        catch (BadHttpRequestException bad)
        {
            return new Fault(FaultKind.InputIncomplete, $"The request body is incomplete or broken: {bad.Message}");
        }
        catch (Exception gone) when (gone is OperationCanceledException or IOException)
        {
            return new Fault(FaultKind.Cancelled, "The caller went away while it sent the body.");
        }
    }

    private static Fault TooLarge(int bytesMax) => new(
        FaultKind.InputTooLarge,
        $"The body of a setting has more than {bytesMax:N0} bytes. Send only the settings that change.");
}
