using System.Buffers;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Spillway.Protocols.Access;
using Spillway.Protocols.Admin;

namespace Spillway.Protocols.Grpc;

/// <summary>
/// The services inference.GRPCInferenceService and grpc.health.v1.Health over HTTP/2: finds the call and answers. What
/// they look like stands in inference.proto and health.proto beside this file.
/// https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
/// </summary>
internal sealed class GrpcEndpoints
{
    /// <summary>The service of the Open Inference Protocol.</summary>
    public const string Service = "inference.GRPCInferenceService";

    /// <summary>gRPC's own service of health.</summary>
    public const string HealthService = "grpc.health.v1.Health";

    private const string Prefix = $"/{Service}/";
    private const string InferPath = $"{Prefix}ModelInfer";
    private const string StreamPath = $"/{Service}/ModelStreamInfer";
    private const string WatchPath = $"/{HealthService}/Watch";

    private readonly ServerContext _server;
    private readonly ModelInferCall _infer;
    private readonly PlainCalls _plain;
    private readonly HealthCalls _health;
    private readonly Action<string, Exception> _log;

    /// <param name="server">The server.</param>
    /// <param name="log">Hears of a bug that no caller can be told of: the call's path, and what was thrown.</param>
    public GrpcEndpoints(ServerContext server, Action<string, Exception> log)
    {
        (_server, _log) = (server, log);
        (_infer, _plain, _health) = (new(server), new(server), new(server));
    }

    /// <summary>Answers one call.</summary>
    /// <param name="http">The call.</param>
    /// <param name="forbidden">Why the caller may not come in; null when it may.</param>
    /// <param name="caller">Who asks.</param>
    public Task HandleAsync(HttpContext http, Fault? forbidden, Caller caller)
    {
        if (!IsGrpc(http.Request.ContentType))
        {
            http.Response.StatusCode = StatusCodes.Status415UnsupportedMediaType;
            return Task.CompletedTask;
        }

        var fault = Admit(http, forbidden ?? Refuse(http.Request.Path.Value, caller), out var patience);
        return fault is null ? Dispatch(http, patience, caller) : RefuseAsync(http, fault, caller);
    }

    /// <summary>What can be judged by the headers alone, and the call's own deadline.</summary>
    private static Fault? Admit(HttpContext http, Fault? forbidden, out TimeSpan? patience)
    {
        patience = null;
        var fault = forbidden ?? (HttpMethods.IsPost(http.Request.Method)
            ? null
            : new(FaultKind.WrongMethod, "Method Not Allowed: gRPC calls are sent with POST."));
        var hasTimeout = http.Request.Headers.TryGetValue(GrpcTimeout.HeaderName, out var given);
        fault ??= GrpcTimeout.Parse(hasTimeout ? given.ToString() : null, out patience);
        if (patience == TimeSpan.Zero)
            fault ??= new(FaultKind.DeadlineExceeded, "The call's deadline (grpc-timeout) has passed already.");
        return fault;
    }

    private Fault? Refuse(string? path, Caller caller) =>
        path is not null && path.StartsWith(Prefix, StringComparison.Ordinal)
            ? AccessRights.Need(_server, caller, AccessRights.OfCall(path.AsSpan(Prefix.Length)))
            : null;

    private Task Dispatch(HttpContext http, TimeSpan? patience, Caller caller)
    {
        var path = http.Request.Path.Value;
        if (path == InferPath)
            return _infer.HandleAsync(http, patience, caller);
        if (path is not null && _plain.ByPath.TryGetValue(path, out var call))
            return AnswerAsync(http, call, caller);
        if (path == StreamPath)
            return StreamAsync(http, patience, caller);
        return path == WatchPath ? WatchAsync(http, patience, caller) : RefuseAsync(http, new(
            FaultKind.UnknownPath,
            $"unknown service or method {(path?.Length > 200 ? path[..200] + "…" : path)}: this server has {Service} "
            + "and grpc.health.v1.Health."), caller);
    }

    /// <summary>A bug: as much of an answer as is still possible.</summary>
    public static void Broken(HttpContext http) => GrpcAnswer.End(
        http, new(FaultKind.Internal, "An internal error; the server's log has the details."));

    /// <summary>Protobuf is the one format; application/grpc-web is another protocol.</summary>
    private static bool IsGrpc(ReadOnlySpan<char> contentType)
    {
        if (!contentType.StartsWith(GrpcAnswer.ContentType, StringComparison.OrdinalIgnoreCase))
            return false;
        var rest = contentType[GrpcAnswer.ContentType.Length..];
        if (rest.StartsWith("+proto", StringComparison.OrdinalIgnoreCase))
            rest = rest["+proto".Length..];
        return rest.IsEmpty || rest[0] is ';' or ' ';
    }

    private Task RefuseAsync(HttpContext http, Fault fault, Caller caller)
    {
        _server.Recorder.Unrouted(fault.Kind);
        _server.Denied(caller, fault, http.Request.Path.Value);
        if (fault.Kind is FaultKind.Cancelled)
            http.Abort();
        else
            GrpcAnswer.End(http, fault);
        return Task.CompletedTask;
    }

    private async Task AnswerAsync(HttpContext http, PlainCall call, Caller caller)
    {
        var read = await MessageReader.ReadOnlyAsync(http, _server).ConfigureAwait(false);
        // Not the thread's own: a call may await something.
        using var into = new WireBuffer();
        try
        {
            var fault = read.Fault ?? PlainCalls.Refuse(_server, caller, http.Request.Path.Value!, read.Message.Span)
                ?? await call(read.Message, into, http.RequestAborted).ConfigureAwait(false);
            if (fault is not null)
            {
                await RefuseAsync(http, AccessRights.Discreet(caller, fault), caller).ConfigureAwait(false);
                return;
            }
        }
        finally
        {
            read.Body.Discard(_server);
        }

        http.Response.ContentType = GrpcAnswer.ContentType;
        http.Response.BodyWriter.Write(into.Frame());
        GrpcAnswer.End(http);
    }

    private async Task StreamAsync(HttpContext http, TimeSpan? patience, Caller caller)
    {
        // A stream may be silent between two messages; StreamWatch judges silence in its place.
        http.Features.Get<IHttpMinRequestBodyDataRateFeature>()?.MinDataRate = null;
        using var stream = new InferStream(_server, http, caller, patience, bug => _log(StreamPath, bug));
        await EndAsync(http, await stream.RunAsync().ConfigureAwait(false), caller).ConfigureAwait(false);
    }

    private async Task WatchAsync(HttpContext http, TimeSpan? patience, Caller caller) =>
        await EndAsync(http, await _health.WatchAsync(http, patience).ConfigureAwait(false), caller)
            .ConfigureAwait(false);

    private Task EndAsync(HttpContext http, Fault? fault, Caller caller)
    {
        if (fault is not null)
            return RefuseAsync(http, fault, caller);
        GrpcAnswer.End(http);
        return Task.CompletedTask;
    }
}
