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
    private readonly Caller _caller;
    private readonly RequestTags _tags;
    private readonly Action<Exception> _log;
    private readonly int _inFlightMax;
    private readonly bool _endsOnError;
    private readonly Instant? _deadline;
    private readonly StreamWatch _watch;
    private readonly StreamAnswers _answers;

    // One for each request in flight, and for who reads the next.
    private readonly SemaphoreSlim _slots;
    private Fault? _end;

    public InferStream(
        ServerContext server, HttpContext http, Caller caller, TimeSpan? patience, Action<Exception> log)
    {
        (_server, _http, _caller, _log) = (server, http, caller, log);
        _tags = RequestTags.Of(http.Request.Headers, server.Spans);
        _inFlightMax = server.Snapshot.Server.GrpcStreamInFlightMax;
        _endsOnError = http.Request.Headers.TryGetValue("triton_grpc_error", out var asked) && asked == "true";
        _answers = new(server, http);
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
        _answers.Dispose();
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
        var tags = _tags.Child(_server.Spans);
        var translation = default(InferTranslation);
        var (ended, sent) = ((Fault?)s_bug, 0L);
        try
        {
            work.Timeline.Mark(Stage.Receive, clock.EndOf(Stage.Receive));
            read.Body.GiveTo(work.Request.Inputs);
            var unread = GuardHeaders.Read(_http.Request.Headers, work.Request);
            // A key may be revoked while its stream lives: each request is one of its holder's again.
            if (Refused(work) is { } gone)
                translation = new(gone, Routed: false, Held: 0);
            else
                translation = await InferTranslation
                    .ReadAsync(_server, work, read.Message, _deadline - clock.Now, _http).ConfigureAwait(false);
            RouteHeaders.Read(_http.Request.Headers, work);
            work.Timeline.Mark(Stage.Parse, clock.EndOf(Stage.Parse));
            ended = translation.Fault ?? unread
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

    private Fault? Refused(Work work)
    {
        work.Caller = _caller;
        if (_server.Access is not { } access)
            return null;
        if (access.Identify(_http, out _).TryGet(out var caller, out var fault))
            work.Caller = caller;
        else
            End(fault);
        return fault;
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

    /// <summary>Answers, or ends the stream instead. Gives back what the request ended with.</summary>
    private async ValueTask<(Fault? Ended, long Sent)> SendAsync(Work work, string id, Fault? fault)
    {
        if (fault is { Kind: FaultKind.Cancelled })
            return (fault, 0);
        if (fault is not null && _endsOnError)
        {
            End(fault);
            return (fault, 0);
        }

        return await _answers.SendAsync(work, id, fault).ConfigureAwait(false);
    }
}
