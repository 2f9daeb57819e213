using System.Buffers;
using Microsoft.AspNetCore.Http;
using Spillway.Engine;
using Spillway.Protocols.OpenInference;

namespace Spillway.Protocols.OpenAi;

/// <summary>The caller's connection, as the gateway writes to it.</summary>
/// <param name="http">The request.</param>
/// <param name="work">For headers.</param>
/// <param name="tags">Its names.</param>
internal sealed class OpenAiSink(HttpContext http, Work work, RequestTags tags) : IOpenAiSink
{
    /// <inheritdoc/>
    public bool HasBegun { get; private set; }

    /// <inheritdoc/>
    public long Sent { get; private set; }

    /// <summary>Takes a copy of a whole answer; null where nobody asks for one.</summary>
    public AnswerKeeper? Keeper { get; set; }

    /// <inheritdoc/>
    public void BeginStream()
    {
        HasBegun = true;
        var response = http.Response;
        (response.StatusCode, response.ContentType) = (StatusCodes.Status200OK, "text/event-stream; charset=utf-8");
        response.Headers.CacheControl = "no-cache";
        // Proxies that gather an answer before they pass it on would take the point out of a stream.
        response.Headers["X-Accel-Buffering"] = "no";
        OpenAiHeaders.WriteTo(http, work, tags);
    }

    /// <inheritdoc/>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        http.Response.BodyWriter.Write(bytes);
        Sent += bytes.Length;
    }

    /// <inheritdoc/>
    public ValueTask<bool> FlushAsync()
    {
        var flush = AnswerFlush.FlushAsync(http);
        return flush.IsCompletedSuccessfully ? new(flush.Result is null) : AwaitAsync(flush);
    }

    /// <inheritdoc/>
    public ValueTask<bool> SendAsync(ReadOnlyMemory<byte> body)
    {
        HasBegun = true;
        var response = http.Response;
        (response.StatusCode, response.ContentType) = (StatusCodes.Status200OK, "application/json");
        response.ContentLength = body.Length;
        OpenAiHeaders.WriteTo(http, work, tags);
        // Also when this caller is gone: it is the one that will ask again.
        Keeper?.Take(body, response.Headers);
        Write(body.Span);
        return FlushAsync();
    }

    /// <inheritdoc/>
    public void Fail(byte[] error) => Write(OpenAiErrors.Event(error));

    private static async ValueTask<bool> AwaitAsync(ValueTask<Fault?> flush) =>
        await flush.ConfigureAwait(false) is null;
}
