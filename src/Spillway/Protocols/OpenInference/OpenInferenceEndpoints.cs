using System.Buffers;
using Microsoft.AspNetCore.Http;

namespace Spillway.Protocols.OpenInference;

/// <summary>The /v2 paths: finds the endpoint and the model, and answers.</summary>
internal sealed class OpenInferenceEndpoints(ServerContext server)
{
    private readonly InferEndpoint _infer = new(server);
    private readonly MetadataEndpoints _metadata = new(server);

    /// <summary>Answers one request.</summary>
    public Task HandleAsync(HttpContext http)
    {
        if (OpenInferenceRoute.Parse(http.Request.Path.Value, http.Request.Method, out var route) is { } lost)
        {
            if (lost.Kind is FaultKind.WrongMethod)
                http.Response.Headers.Allow = route.Method;
            return RefuseAsync(http, lost);
        }

        if (route.Model.IsEmpty)
            return AnswerAsync(http, route.Endpoint);
        if (!ModelLookup.Find(server.Serving, route.Model, route.Version).TryGet(out var door, out var unknown))
            return RefuseAsync(http, unknown);
        return route.Endpoint is OpenInferenceEndpoint.Infer
            ? _infer.HandleAsync(http, door)
            : AnswerAsync(http, route.Endpoint, door);
    }

    private Task<long> RefuseAsync(HttpContext http, Fault fault)
    {
        server.Recorder.Unrouted(fault.Kind);
        return ErrorAnswer.WriteAsync(http, fault).AsTask();
    }

    private Task AnswerAsync(HttpContext http, OpenInferenceEndpoint endpoint, Engine.Door? door = null)
    {
        var into = new ArrayBufferWriter<byte>(1024);
        switch (endpoint)
        {
            case OpenInferenceEndpoint.Server:
                _metadata.Server(into);
                break;
            case OpenInferenceEndpoint.Live:
                http.Response.StatusCode = MetadataEndpoints.Live(into);
                break;
            case OpenInferenceEndpoint.Ready:
                http.Response.StatusCode = _metadata.Ready(into);
                break;
            case OpenInferenceEndpoint.Models:
                _metadata.Models(into);
                break;
            case OpenInferenceEndpoint.ModelReady:
                http.Response.StatusCode = _metadata.ModelReady(door!, into);
                break;
            case OpenInferenceEndpoint.Model or OpenInferenceEndpoint.Infer:
                if (_metadata.Model(door!, into) is { } fault)
                    return ErrorAnswer.WriteAsync(http, fault).AsTask();
                break;
        }

        return JsonAnswer.WriteAsync(http, into);
    }
}
