using System.IO.Pipelines;
using System.Net;
using Spillway.Runtimes.Simulated.Chat;

namespace Spillway.Engine.Gateway;

/// <summary>
/// A simulated language model behind an HTTP client, without a socket: paces its pieces on the clock, breaks and hangs
/// as it is told.
/// </summary>
internal sealed class SimulatedHandler(SimulatedChat chat, TimeProvider time) : HttpMessageHandler
{
    /// <inheritdoc/>
    protected override async Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var body = await request.Content!.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false);
        var reply = chat.Answer(request.RequestUri!.AbsolutePath, body);
        if (reply.HangsBeforeHead)
            await Task.Delay(Timeout.InfiniteTimeSpan, time, cancellationToken).ConfigureAwait(false);
        // A whole answer's head comes with its body.
        var isStream = reply.ContentType == "text/event-stream";
        if (!isStream && reply.Pieces is [{ After: { Ticks: > 0 } after }, ..])
            await Task.Delay(after, time, cancellationToken).ConfigureAwait(false);
        var pipe = new Pipe();
        var content = new StreamContent(pipe.Reader.AsStream());
        content.Headers.TryAddWithoutValidation("Content-Type", reply.ContentType);
        var response = new HttpResponseMessage((HttpStatusCode)reply.Status) { Content = content };
        foreach (var (name, value) in reply.Headers)
            response.Headers.TryAddWithoutValidation(name, value);
        _ = WriteAsync(reply, pipe.Writer, waits: isStream, cancellationToken);
        return response;
    }

    /// <summary>Ends with the reply, or when nobody reads any more.</summary>
    private async Task WriteAsync(SimulatedReply reply, PipeWriter into, bool waits, CancellationToken stop)
    {
        try
        {
            foreach (var (after, bytes) in reply.Pieces)
            {
                if (waits && after > TimeSpan.Zero)
                    await Task.Delay(after, time, stop).ConfigureAwait(false);
                if ((await into.WriteAsync(bytes, stop).ConfigureAwait(false)).IsCompleted)
                    break;
            }

            if (reply.End is SimulatedEnd.Hangs)
                await Task.Delay(Timeout.InfiniteTimeSpan, time, stop).ConfigureAwait(false);
            await into.CompleteAsync(reply.End is SimulatedEnd.Breaks
                ? new IOException("The simulated connection broke.") : null).ConfigureAwait(false);
        }
        catch (OperationCanceledException gone)
        {
            await into.CompleteAsync(gone).ConfigureAwait(false);
        }
    }
}
