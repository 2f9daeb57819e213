using System.Buffers;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Spillway.Protocols.Access;
using Spillway.Protocols.Admin;
using Spillway.Protocols.Grpc;
using Spillway.Protocols.OpenAi;
using Spillway.Protocols.OpenInference;
using Spillway.Telemetry;

namespace Spillway.Protocols;

/// <summary>
/// The door of the server: who may come in, and which protocol it is. Terminal: it answers every request that reaches
/// it, in one call without a middleware chain.
/// </summary>
public sealed partial class Front
{
    private readonly ServerContext _server;
    private readonly OpenInferenceEndpoints _openInference;
    private readonly OpenAiEndpoints _openAi;
    private readonly AdminEndpoints _admin;
    private readonly GrpcEndpoints _grpc;
    private readonly ILogger<Front> _logger;

    /// <summary>Makes the front of one server.</summary>
    public Front(ServerContext server, ILogger<Front> logger)
    {
        (_server, _logger) = (server, logger);
        (_openInference, _openAi, _admin) = (new(server), new(server), new(server));
        _grpc = new(server, (call, bug) => Log.Bug(logger, call, bug));
    }

    /// <summary>Answers one request; a bug here is a 500 and a line in the log, never a broken server.</summary>
    public Task HandleAsync(HttpContext http) =>
        // Only the gRPC port speaks HTTP/2, and it speaks nothing else.
        EnterAsync(http, HttpProtocol.IsHttp2(http.Request.Protocol), isTrusted: false);

    /// <summary>Answers one request that an application routed here, whatever its HTTP version: REST only.</summary>
    /// <param name="http">Its path is one of ours.</param>
    /// <param name="isTrusted">Whether the application decides who may call; else only this machine may.</param>
    public Task HandleRestAsync(HttpContext http, bool isTrusted) => EnterAsync(http, isGrpc: false, isTrusted);

    /// <summary>Answers one request of OpenAI's protocol that the application itself makes.</summary>
    /// <param name="http">Its path is one of /v1.</param>
    /// <param name="caller">As whom it asks.</param>
    internal Task HandleInsideAsync(HttpContext http, Caller caller)
    {
        if ((http.Request.Path.Value ?? "").StartsWith(OpenAiEndpoints.Root, StringComparison.Ordinal))
            return Guard(http, isGrpc: false, _openAi.HandleAsync(http, caller));
        return RefuseAsync(http, new(FaultKind.UnknownPath, "Not Found"), caller);
    }

    private Task EnterAsync(HttpContext http, bool isGrpc, bool isTrusted)
    {
        try
        {
            var task = Dispatch(http, isGrpc, isTrusted);
            return task.IsCompletedSuccessfully ? task : Guard(http, isGrpc, task);
        }
#pragma warning disable CA1031 // The last border: a bug must not take the connection down without an answer.
        catch (Exception bug)
#pragma warning restore CA1031
        {
            return Guard(http, isGrpc, Task.FromException(bug));
        }
    }

    private Task Dispatch(HttpContext http, bool isGrpc, bool isTrusted)
    {
        var (refused, caller) = ((Fault?)null, Caller.Local);
        if (_server.Access is { } access)
        {
            if (!isGrpc && access.AnswersPreflight(http))
                return Task.CompletedTask;
            refused = access.Enter(http, isGrpc, out caller);
        }
        else if (!isTrusted)
        {
            refused = LoopbackGate.Check(http.Request);
        }

        Administrator.Enter(http.Request.Path.Value ?? "", caller);
        if (isGrpc)
            return _grpc.HandleAsync(http, refused, caller);
        if (refused is not null)
            return RefuseAsync(http, refused, caller);
        var path = http.Request.Path.Value ?? "";
        if (path.StartsWith("/v2", StringComparison.Ordinal))
            return _openInference.HandleAsync(http, caller);
        if (path.StartsWith(OpenAiEndpoints.Root, StringComparison.Ordinal))
            return _openAi.HandleAsync(http, caller);
        return OtherAsync(http, path, caller);
    }

    private Task OtherAsync(HttpContext http, string path, Caller caller)
    {
        if (path.StartsWith("/admin/", StringComparison.Ordinal))
            return _admin.HandleAsync(http, caller);
        return path is "/metrics"
            ? MetricsAsync(http, caller)
            : RefuseAsync(http, new(FaultKind.UnknownPath, "Not Found"), caller);
    }

    private Task<long> RefuseAsync(HttpContext http, Fault fault, Caller caller)
    {
        _server.Recorder.Unrouted(fault.Kind);
        _server.Denied(caller, fault, http.Request.Path.Value);
        return WriteAsync(http, fault);
    }

    /// <summary>In the form of the protocol that was meant.</summary>
    private Task<long> WriteAsync(HttpContext http, Fault fault)
    {
        if (!(http.Request.Path.Value ?? "").StartsWith(OpenAiEndpoints.Root, StringComparison.Ordinal))
            return ErrorAnswer.WriteAsync(http, fault).AsTask();
        OpenAiHeaders.Name(http, _server.Spans);
        return OpenAiErrors.WriteAsync(http, fault).AsTask();
    }

    private Task MetricsAsync(HttpContext http, Caller caller)
    {
        var needs = _server.Access is { MetricsOpen: true } ? Roles.None : Roles.Operator | Roles.Auditor;
        if (AccessRights.Need(_server, caller, needs) is { } refused)
            return RefuseAsync(http, refused, caller);
        if (!HttpMethods.IsGet(http.Request.Method))
        {
            http.Response.Headers.Allow = "GET";
            return ErrorAnswer.WriteAsync(http, new(FaultKind.WrongMethod, "Method Not Allowed")).AsTask();
        }

        var into = new ArrayBufferWriter<byte>(64 * 1024);
        _server.Recorder.Registry.WriteTo(into);
        return JsonAnswer.WriteAsync(http, into, PrometheusText.ContentType);
    }

    private async Task Guard(HttpContext http, bool isGrpc, Task task)
    {
        try
        {
            await task.ConfigureAwait(false);
        }
#pragma warning disable CA1031 // As above.
        catch (Exception bug)
#pragma warning restore CA1031
        {
            Log.Bug(_logger, http.Request.Method, bug);
            if (http.Response.HasStarted)
                http.Abort();
            else if (isGrpc)
                GrpcEndpoints.Broken(http);
            else
                await WriteAsync(http,
                    new(FaultKind.Internal, "An internal error; the server's log has the details.")).ConfigureAwait(
                        false);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(5001, LogLevel.Error, "A {Method} request met a bug and was answered with 500 or INTERNAL")]
        public static partial void Bug(ILogger logger, string method, Exception bug);
    }
}
