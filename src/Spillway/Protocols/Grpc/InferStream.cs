using System.Buffers;
using System.Globalization;
using Microsoft.AspNetCore.Http;
using Spillway.Engine;
using Spillway.Protocols.OpenInference;

namespace Spillway.Protocols.Grpc;

/// <summary>
/// One ModelStreamInfer call: many requests on one stream, answered in the order in which they end. At most
/// server.grpcStreamInFlightMax are read and not answered; beyond that the stream is not read, and HTTP/2's flow
/// control stops the caller. What goes wrong with one request is an answer with error_message; the stream goes on,
/// unless the caller asked by the header triton_grpc_error that the first error end it.
/// </summary>
internal sealed class InferStream : IArrivals, IDisposable
{
    private static readonly Fault s_bug = new(FaultKind.Internal,
        "An internal error; the server's log has the details.");

    private readonly ServerContext _server;
    private readonly HttpContext _http;
    private readonly RequestTags _tags;
    private readonly Action<Exception> _log;
    private readonly int _inFlightMax;
    private readonly bool _endsOnError;
    private readonly Instant? _deadline;
    private readonly StreamWatch _watch;

    // One for each request in flight; one for who writes.
    private readonly SemaphoreSlim _slots;
    private readonly SemaphoreSlim _writing = new(1, 1);
    private Fault? _end;

    public InferStream(ServerContext server, HttpContext http, TimeSpan? patience, Action<Exception> log)
    {
        (_server, _http, _log) = (server, http, log);
        _tags = RequestTags.Of(http.Request.Headers, server.Spans);
        _inFlightMax = server.Snapshot.Server.GrpcStreamInFlightMax;
        _endsOnError = http.Request.Headers.TryGetValue("triton_grpc_error", out var asked) && asked == "true";
        _slots = new(_inFlightMax, _inFlightMax);
        _deadline = patience is { } left ? server.Serving.Clock.Now + left : null;
        // Whoever reads holds a slot too.
        _watch = new(server, patience, () => _slots.CurrentCount < _inFlightMax - 1, End);
    }

    /// <summary>Serves it to its end; null when it ended well.</summary>
    public async Task<Fault?> RunAsync()
    {
        _http.Response.ContentType = GrpcAnswer.ContentType;
        _http.Response.Headers[RequestTags.RequestIdName] = _tags.RequestId;
        _http.Response.Headers.TraceParent = _tags.Trace.ToString();
        if (await AnswerFlush.FlushAsync(_http).ConfigureAwait(false) is { } gone)
            return gone;
        while (true)
        {
            await _slots.WaitAsync().ConfigureAwait(false);
            _watch.Arrived(within: false);
            var read = await MessageReader.ReadNextAsync(_http, _server, this).ConfigureAwait(false);
            if (read.Fault is null && !read.Ended)
            {
                // It gives its slot back when it is answered, and all slots are awaited below.
                _ = AnswerAsync(read);
                continue;
            }

            read.Body.Discard(_server);
            _slots.Release();
            if (read.Fault is { } fault)
                Interlocked.CompareExchange(ref _end, fault, null);
            break;
        }

        for (var i = 0; i < _inFlightMax; i++)
            await _slots.WaitAsync().ConfigureAwait(false);
        return Volatile.Read(ref _end);
    }

    /// <inheritdoc/>
    public void Arrived(bool within) => _watch.Arrived(within);

    public void Dispose()
    {
        _watch.Dispose();
        _slots.Dispose();
        _writing.Dispose();
    }

    /// <summary>Reads no more; the first reason counts.</summary>
    private void End(Fault why)
    {
        Interlocked.CompareExchange(ref _end, why, null);
        _http.Request.BodyReader.CancelPendingRead();
    }

    private async Task AnswerAsync(MessageRead read)
    {
        var (serving, clock) = (_server.Serving, _server.Serving.Clock);
        var work = serving.Rent(read.Began);
        var trace = _tags.Trace.Child(_server.Spans);
        var tags = new RequestTags(trace.Span.ToString("x16", CultureInfo.InvariantCulture), trace);
        var translation = default(InferTranslation);
        var (ended, sent) = ((Fault?)s_bug, 0L);
        try
        {
            work.Timeline.Mark(Stage.Receive, clock.EndOf(Stage.Receive));
            read.Body.GiveTo(work.Request.Inputs);
            translation = InferTranslation.Read(_server, work, read.Message, _deadline - clock.Now);
            work.Timeline.Mark(Stage.Parse, clock.EndOf(Stage.Parse));
            ended = translation.Fault
                ?? await serving.Pipeline.RunAsync(work, serving.Stopping, _http.RequestAborted).ConfigureAwait(false);
            (ended, sent) = await SendAsync(work, tags.RequestId, ended).ConfigureAwait(false);
        }
#pragma warning disable CA1031 // Nobody awaits this task: the log hears of a bug here, and the stream ends with it.
        catch (Exception bug)
#pragma warning restore CA1031
        {
            _log(bug);
            End(s_bug);
        }
        finally
        {
            work.Timeline.Mark(Stage.Write, clock.EndOf(Stage.Write));
            Close(work, tags, read.Body, translation, ended, sent);
        }
    }

    /// <summary>Never throws: the slot comes back in any case.</summary>
    private void Close(
        Work work, in RequestTags tags, in RequestBody body, in InferTranslation translation, Fault? ended, long sent)
    {
        try
        {
            InferDelivery.Close(_server, work, tags, body, translation, ended, sent);
        }
#pragma warning disable CA1031 // As above.
        catch (Exception bug)
#pragma warning restore CA1031
        {
            _log(bug);
        }
        finally
        {
            _slots.Release();
        }
    }

    /// <summary>One answer, whole, between those of others. Gives back what the request ended with.</summary>
    private async ValueTask<(Fault? Ended, long Sent)> SendAsync(Work work, string id, Fault? fault)
    {
        if (fault is { Kind: FaultKind.Cancelled })
            return (fault, 0);
        if (fault is not null && _endsOnError)
        {
            End(fault);
            return (fault, 0);
        }

        await _writing.WaitAsync().ConfigureAwait(false);
        try
        {
            var (refused, behind, length) = Begin(work, id, fault);
            var gone = refused is null
                ? await ModelInferWriter.SendRawAsync(_http, work, work.Outputs, behind).ConfigureAwait(false)
                : null;
            gone ??= await AnswerFlush.FlushAsync(_http).ConfigureAwait(false);
            return (refused ?? gone, gone is null ? length : 0);
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <summary>The head of an answer, or an error in its place.</summary>
    private (Fault? Fault, long Behind, long Length) Begin(Work work, string id, Fault? fault)
    {
        var into = WireBuffer.OfThisThread;
        var behind = 0L;
        if (fault is null && !work.Answer.TryRead(out _))
            fault = new(FaultKind.Internal, "The answer was lost inside the server.");
        if (fault is null)
            ModelInferWriter.WriteHead(into, work, work.Outputs, id).TryGet(out behind, out fault);
        if (fault is not null)
            ModelInferWriter.WriteError(into, work.Request.Id, fault, id);
        work.Timeline.Mark(Stage.Output, _server.Serving.Clock.EndOf(Stage.Output));
        var frame = into.Frame(behind);
        _http.Response.BodyWriter.Write(frame);
        return (fault, behind, frame.Length + behind);
    }
}
