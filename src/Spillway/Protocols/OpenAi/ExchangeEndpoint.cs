using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Spillway.Engine;
using Spillway.Engine.Gateway;
using Spillway.Protocols.Access;
using Spillway.Protocols.OpenAi.Responses;
using Spillway.Protocols.Admin;
using Spillway.Protocols.OpenInference;
using Spillway.Telemetry;

namespace Spillway.Protocols.OpenAi;

/// <summary>
/// POST of a chat, a completion, an embedding, a moderation: steps 1, 2, 10 and 12 of a request around its exchange.
/// </summary>
internal sealed class ExchangeEndpoint(ServerContext server)
{
    private const int NamesShownMax = 20;

    private static readonly Fault s_bug =
        new(FaultKind.Internal, "An internal error; the server's log has the details.");

    private readonly Serving _serving = server.Serving;
    private readonly ExchangeRun _run = new(server.Serving, server.Serving.Gateway.Idempotent);

    /// <summary>Answers one request. Never throws for what a caller does.</summary>
    /// <param name="http">The request.</param>
    /// <param name="call">What is asked.</param>
    /// <param name="isResponse">In the form of the Responses API, which becomes a chat.</param>
    /// <param name="caller">Who asks.</param>
    public async Task HandleAsync(HttpContext http, WireCall call, bool isResponse, Caller caller)
    {
        var clock = _serving.Clock;
        var work = _serving.Rent(clock.Now);
        // Its routes and upstreams to the end of the answer, whatever is put in force meanwhile.
        var world = _serving.Gateway.Hold();
        (work.Caller, work.Config) = (caller, world.Config);
        var tags = RequestTags.Of(http.Request.Headers, server.Spans);
        work.Trace = tags.Trace;
        var body = default(RequestBody);
        var wire = new OpenAiSink(http, work, tags);
        IOpenAiSink sink = wire;
        var (ended, status, isKnown) = ((Fault?)s_bug, StatusCodes.Status500InternalServerError, false);
        try
        {
            (body, var fault) = await RequestBody.ReadAsync(http, server).ConfigureAwait(false);
            work.Timeline.Mark(Stage.Receive, clock.EndOf(Stage.Receive));
            var refusal = default((int, byte[])?);
            if (fault is null
                && Ask(http, call, isResponse, caller, body, out var echo).TryGet(out var asked, out fault)
                && Find(world, asked, caller).TryGet(out var route, out fault))
            {
                isKnown = true;
                body.GiveTo(work.Request.Inputs);
                fault = Begin(http, work, route, asked);
                sink = echo is null ? sink : AsResponse(sink, tags, asked, echo);
                work.Timeline.Mark(Stage.Parse, clock.EndOf(Stage.Parse));
                if (fault is null)
                {
                    (fault, refusal) = await _run.RunAsync(http, route, asked, work, wire, sink, Gone(http))
                        .ConfigureAwait(false);
                }
            }

            ended = fault;
            status = fault is null ? http.Response.StatusCode
                : await EndAsync(http, work, tags, sink, fault, refusal).ConfigureAwait(false);
        }
        finally
        {
            world.Leave();
            work.Timeline.Mark(Stage.Write, clock.EndOf(Stage.Write));
            if (isKnown)
                Close(work, body, tags, ended, status, sink.Sent);
            else
                Drop(body, work, ended);
        }
    }

    /// <summary>What is known of it before it goes its way; why it must not.</summary>
    private static Fault? Begin(HttpContext http, Work work, ChatRoute route, AskedBody asked)
    {
        work.Door = route.Door;
        work.Chat = new()
        {
            Operation = WireCalls.Operation(asked.Call), Stream = asked.Stream, Steps = route.Memory.Names,
            Counts = route.Counts, IsSimulated = route.Door.Traits!.Simulated,
            WantsCost = asked.Stream && OpenAiHeaders.WantsCost(http.Request.Headers),
        };
        return OpenAiHeaders.Read(http.Request.Headers, work.Request) ?? ChatHardening.Ask(work.Caller, asked);
    }

    private ResponsesSink AsResponse(IOpenAiSink sink, RequestTags tags, AskedBody asked, ResponseEcho echo) => new(
        sink, new(tags.RequestId, asked.Model, _serving.Clock.Time.GetUtcNow().ToUnixTimeSeconds(), echo));

    private void Close(Work work, in RequestBody body, RequestTags tags, Fault? ended, int status, long sent) =>
        server.Close(work, body.Held, new(
            tags.RequestId, tags.Trace.Trace, ended, status, body.Length, sent, server.BytesHeld,
            server.Snapshot.Server.BodyBytesInFlightMax, tags.Link));

    /// <summary>What is asked; who may not use the model learns nothing of it.</summary>
    private Outcome<AskedBody> Ask(
        HttpContext http, WireCall call, bool isResponse, Caller caller, in RequestBody body, out ResponseEcho? echo)
    {
        echo = null;
        ReadOnlyMemory<byte> bytes = body.Memory[RequestBody.Headroom..];
        if (AccessRights.Need(server, caller, Roles.Caller) is { } role)
            return Denied(http, caller, role);
        if (isResponse)
        {
            if (!ResponsesRequest.ToChat(bytes, out echo).TryGet(out var chat, out var unlike))
                return unlike;
            bytes = chat;
        }

        if (!BodyScan.Read(call, bytes).TryGet(out var asked, out var fault))
            return fault;
        // The response's own usage comes of it.
        asked = isResponse ? asked with { WantsUsage = true } : asked;
        return AccessRights.Model(server, caller, asked.Model) is { } foreign ? Denied(http, caller, foreign) : asked;
    }

    /// <summary>The route that answers it.</summary>
    private Outcome<ChatRoute> Find(GatewayWorld world, AskedBody asked, Caller caller) =>
        world.Find(asked.Model) is { } route ? route : Unknown(world, asked.Model, caller);

    private Fault Denied(HttpContext http, Caller caller, Fault fault)
    {
        server.Denied(caller, fault, http.Request.Path.Value);
        return fault;
    }

    private Fault Unknown(GatewayWorld world, string model, Caller caller)
    {
        var shown = model.Length > 100 ? model[..100] + "…" : model;
        var known = world.Routes.Select(r => r.Name).Take(NamesShownMax).ToList();
        var isOther = _serving.Find(model) is not null
            ? " It is served for tensors, under /v2/models; here are routes over language models." : "";
        return AccessRights.Discreet(caller, new(
            FaultKind.UnknownModel, $"The model '{shown}' does not exist here.{isOther} Served: "
            + (known.Count > 0 ? string.Join(", ", known) + "."
                : "none; a route over an upstream of kind openai is one.")));
    }

    /// <summary>
    /// Tells the caller why there is no answer, or no more of it: within a stream an event, after which nothing comes.
    /// </summary>
    private async ValueTask<int> EndAsync(
        HttpContext http, Work work, RequestTags tags, IOpenAiSink sink, Fault fault,
            (int Status, byte[] Body)? refusal)
    {
        if (fault.Kind is FaultKind.Cancelled)
        {
            http.Abort();
            return OpenAiErrors.Status(fault.Kind);
        }

        if (sink.HasBegun)
        {
            if (http.Response.ContentLength is not null)
            {
                http.Abort();
                return http.Response.StatusCode;
            }

            sink.Fail(OpenAiErrors.Body(fault, Cause(work)));
            await sink.FlushAsync().ConfigureAwait(false);
            return http.Response.StatusCode;
        }

        work.Timeline.Mark(Stage.Output, _serving.Clock.EndOf(Stage.Output));
        OpenAiHeaders.WriteTo(http, work, tags);
        if (refusal is { } words && fault.Kind is FaultKind.InvalidInput or FaultKind.InputTooLarge)
        {
            http.Response.Headers[ErrorAnswer.FaultName] = FaultLabels.Of(fault.Kind);
            await OpenAiErrors.SendAsync(http, refusal.Value.Status, refusal.Value.Body).ConfigureAwait(false);
            return refusal.Value.Status;
        }

        if (work.Chat is { ToldNot: true })
            http.Response.Headers["x-should-retry"] = "false";
        await OpenAiErrors.WriteAsync(http, fault, Cause(work)).ConfigureAwait(false);
        return http.Response.StatusCode;
    }

    private static ErrorCause Cause(Work work) => work.Chat switch
    {
        { IsContentRefused: true } => ErrorCause.Content,
        { IsSpent: true } => ErrorCause.Spent,
        _ => ErrorCause.Kind,
    };

    private void Drop(RequestBody body, Work work, Fault? ended)
    {
        server.Recorder.Unrouted(ended?.Kind ?? FaultKind.Internal);
        body.Discard(server);
        _serving.Return(work);
    }

    /// <summary>The caller left: on HTTP/1.1 its connection, else its request.</summary>
    private static CancellationToken Gone(HttpContext http) =>
        HttpProtocol.IsHttp11(http.Request.Protocol)
            && http.Features.Get<IConnectionLifetimeFeature>() is { } connection
            ? connection.ConnectionClosed
            : http.RequestAborted;
}
