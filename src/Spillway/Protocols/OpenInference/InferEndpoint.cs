using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Spillway.Engine;
using Spillway.Engine.Doors;
using Spillway.Flow;

namespace Spillway.Protocols.OpenInference;

/// <summary>
/// POST …/infer: steps 1, 10 and 12 of a request around the pipeline. The hot path: everything it needs is pooled but
/// the strings of the response's headers.
/// </summary>
internal sealed class InferEndpoint(ServerContext server)
{
    private static readonly Fault s_bug = new(FaultKind.Internal, "An internal error; the server's log has the details.");

    private readonly Serving _serving = server.Serving;

    /// <summary>Answers one request. Never throws for what a caller does.</summary>
    public async Task HandleAsync(HttpContext http, Door door, Caller caller)
    {
        var clock = _serving.Clock;
        var work = _serving.Rent(clock.Now);
        (work.Door, work.Caller) = (door, caller);
        var tags = RequestTags.Of(http.Request.Headers, server.Spans);
        work.Trace = tags.Trace;
        var body = default(RequestBody);
        // What is recorded when something here throws.
        var decoded = 0L;
        var (ended, status, sent) = ((Fault?)s_bug, StatusCodes.Status500InternalServerError, 0L);
        try
        {
            (body, var fault) = await RequestBody.ReadAsync(http, server).ConfigureAwait(false);
            work.Timeline.Mark(Stage.Receive, clock.EndOf(Stage.Receive));
            fault ??= GuardHeaders.Read(http.Request.Headers, work.Request);
            if (fault is null && work.Door is { Signature: null, Route.State: RouteState.Absent } && !_serving.Stopping)
            {
                work.Request.Timeout = Translation.PeekTimeout(http.Request.Headers, body);
                fault = await _serving.Pipeline.LoadAsync(work, Gone(http)).ConfigureAwait(false);
                work.Request.Timeout = null;
            }

            fault ??= Read(http, work, body, ref decoded);
            body.GiveTo(work.Request.Inputs);
            work.Timeline.Mark(Stage.Parse, clock.EndOf(Stage.Parse));
            fault ??= await _serving.Pipeline.RunAsync(work, _serving.Stopping, Gone(http)).ConfigureAwait(false);
            if (fault is null)
                (fault, status, sent) = await InferAnswer.WriteAsync(http, work, tags, clock).ConfigureAwait(false);
            if (fault is not null)
                (status, sent) = await RefuseAsync(http, work, tags, fault).ConfigureAwait(false);
            ended = fault;
        }
        finally
        {
            work.Timeline.Mark(Stage.Write, clock.EndOf(Stage.Write));
            server.Close(work, body.Held + decoded, new(
                tags.RequestId, tags.Trace.Trace, ended, status, body.Length, sent, server.BytesHeld,
                server.Snapshot.Server.BodyBytesInFlightMax, tags.Link));
        }
    }

    private Fault? Read(HttpContext http, Work work, in RequestBody body, ref long decoded)
    {
        RouteHeaders.Read(http.Request.Headers, work);
        return Translation.Read(http.Request.Headers, work, body, _serving.Stopping) ?? Hardening.Ask(work)
            ?? Hold(work, ref decoded);
    }

    /// <summary>JSON tensors became up to four times the body: they count as request bytes too.</summary>
    private Fault? Hold(Work work, ref long decoded)
    {
        var rented = work.Request.Inputs.BytesRented;
        if (rented == 0)
            return null;
        if (!server.TryHold(rented))
            return server.Full();
        decoded = rented;
        return null;
    }

    /// <summary>
    /// The caller left. HTTP/1.1 has one request at a time on a connection, so the connection's own token will do; the
    /// request's would be made anew each time.
    /// </summary>
    private static CancellationToken Gone(HttpContext http) =>
        HttpProtocol.IsHttp11(http.Request.Protocol) && http.Features.Get<IConnectionLifetimeFeature>() is { } connection
            ? connection.ConnectionClosed
            : http.RequestAborted;

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
        GuardHeaders.WriteTo(response.Headers, work);
        RouteHeaders.WriteTo(response.Headers, work);
        var sent = await ErrorAnswer.WriteAsync(http, fault).ConfigureAwait(false);
        return (response.StatusCode, sent);
    }
}
