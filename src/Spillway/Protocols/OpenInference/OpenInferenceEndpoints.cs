using System.Buffers;
using Microsoft.AspNetCore.Http;
using Spillway.Engine;
using Spillway.Protocols.Access;
using Spillway.Protocols.Admin;

namespace Spillway.Protocols.OpenInference;

/// <summary>The /v2 paths: finds the endpoint and the model, and answers.</summary>
internal sealed class OpenInferenceEndpoints(ServerContext server)
{
    private readonly InferEndpoint _infer = new(server);
    private readonly MetadataEndpoints _metadata = new(server);
    private readonly SettingsEndpoints _settings = new(server);
    private readonly RepositoryEndpoints _repository = new(server);

    /// <summary>Answers one request.</summary>
    /// <param name="http">The request.</param>
    /// <param name="caller">Who asks.</param>
    public Task HandleAsync(HttpContext http, Caller caller)
    {
        if (OpenInferenceRoute.Parse(http.Request.Path.Value, http.Request.Method, out var route) is { } lost)
        {
            if (lost.Kind is FaultKind.WrongMethod)
                http.Response.Headers.Allow = route.Method;
            return RefuseAsync(http, lost, caller);
        }

        if (Refuse(route, http.Request.Method, caller) is { } forbidden)
            return RefuseAsync(http, forbidden, caller);
        if (route.Endpoint is OpenInferenceEndpoint.TraceSetting)
            return _settings.TraceAsync(http, server.Recorder.Tracing);
        if (route.Endpoint is OpenInferenceEndpoint.LogSetting)
            return _settings.LogAsync(http);
        if (route.Endpoint >= OpenInferenceEndpoint.RepositoryIndex)
            return _repository.HandleAsync(http, route.Endpoint, route.Model.ToString());
        if (route.Model.IsEmpty)
            return AnswerAsync(http, route.Endpoint, caller);
        if (!ModelLookup.Find(server.Serving, route.Model, route.Version).TryGet(out var door, out var unknown))
            return RefuseAsync(http, AccessRights.Discreet(caller, unknown), caller);
        return route.Endpoint switch
        {
            OpenInferenceEndpoint.Infer => _infer.HandleAsync(http, door, caller),
            OpenInferenceEndpoint.ModelTraceSetting => _settings.TraceAsync(http, server.Recorder.Instruments(door).Tracing),
            _ => AnswerAsync(http, route.Endpoint, door),
        };
    }

    private Fault? Refuse(OpenInferenceRoute route, string method, Caller caller)
    {
        if (AccessRights.Need(server, caller, AccessRights.Of(route.Endpoint, method)) is { } role)
            return role;
        if (!route.Model.IsEmpty)
            return AccessRights.Model(server, caller, route.Model);
        return route.Endpoint is OpenInferenceEndpoint.RepositoryIndex ? AccessRights.Everything(server, caller) : null;
    }

    private Task<long> RefuseAsync(HttpContext http, Fault fault, Caller caller)
    {
        server.Recorder.Unrouted(fault.Kind);
        server.Denied(caller, fault, http.Request.Path.Value);
        return ErrorAnswer.WriteAsync(http, fault).AsTask();
    }

    private Task AnswerAsync(HttpContext http, OpenInferenceEndpoint endpoint, Caller caller)
    {
        var into = new ArrayBufferWriter<byte>(1024);
        switch (endpoint)
        {
            case OpenInferenceEndpoint.Live:
                http.Response.StatusCode = MetadataEndpoints.Live(into);
                break;
            case OpenInferenceEndpoint.Ready:
                http.Response.StatusCode = _metadata.Ready(into);
                break;
            case OpenInferenceEndpoint.Models:
                _metadata.Models(into, caller);
                break;
            case OpenInferenceEndpoint.AllStatistics:
                StatisticsJson.Write(server.Serving.Doors.Where(d => d.Signature is not null && IsFor(caller, d)),
                    server.Recorder, into);
                break;
            default:
                _metadata.Server(into);
                break;
        }

        return JsonAnswer.WriteAsync(http, into);
    }

    private static bool IsFor(Caller caller, Door door) => caller.Models?.Contains(door.Route.Model.Name) ?? true;

    private Task AnswerAsync(HttpContext http, OpenInferenceEndpoint endpoint, Door door)
    {
        var into = new ArrayBufferWriter<byte>(1024);
        if (endpoint is OpenInferenceEndpoint.ModelReady)
        {
            http.Response.StatusCode = _metadata.ModelReady(door, into);
            return JsonAnswer.WriteAsync(http, into);
        }

        if (door.Signature is null)
            return ErrorAnswer.WriteAsync(http, MetadataEndpoints.NotThere(door)).AsTask();
        if (endpoint is OpenInferenceEndpoint.ModelStatistics)
            StatisticsJson.Write([door], server.Recorder, into);
        else if (endpoint is OpenInferenceEndpoint.ModelConfig)
            ModelConfigJson.Write(door, into);
        else
            _metadata.Model(door, into);
        return JsonAnswer.WriteAsync(http, into);
    }
}
