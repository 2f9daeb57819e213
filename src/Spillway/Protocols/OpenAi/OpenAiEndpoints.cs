using System.Buffers;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Spillway.Engine.Gateway;
using Spillway.Protocols.Access;

namespace Spillway.Protocols.OpenAi;

/// <summary>Paths of OpenAI's protocol. Errors have its form, whatever is wrong.</summary>
internal sealed class OpenAiEndpoints(ServerContext server)
{
    /// <summary>What its paths begin with.</summary>
    public const string Root = "/v1/";

    private const string Models = "models";

    private readonly ExchangeEndpoint _exchange = new(server);

    /// <summary>Answers one request.</summary>
    public Task HandleAsync(HttpContext http, Caller caller)
    {
        var rest = (http.Request.Path.Value ?? "").AsSpan(Root.Length).TrimEnd('/');
        var isResponse = rest is "responses";
        if ((isResponse ? WireCall.Chat : CallOf(rest)) is { } call)
        {
            if (HttpMethods.IsPost(http.Request.Method))
                return _exchange.HandleAsync(http, call, isResponse, caller);
            OpenAiHeaders.Name(http, server.Spans);
            return WrongMethodAsync(http, "POST");
        }

        OpenAiHeaders.Name(http, server.Spans);
        if (rest is not Models && !rest.StartsWith(Models + "/", StringComparison.Ordinal))
        {
            return RefuseAsync(http, new(FaultKind.UnknownPath, "There is no such path. Served: chat/completions, "
                + "completions, responses, embeddings, moderations, models, all below /v1/."));
        }

        if (!HttpMethods.IsGet(http.Request.Method))
            return WrongMethodAsync(http, "GET");
        if (AccessRights.Need(server, caller, Roles.Caller | Roles.Operator) is { } role)
            return RefuseAsync(http, role);
        return rest is Models ? ListAsync(http, caller)
            : OneAsync(http, caller, Uri.UnescapeDataString(rest[(Models.Length + 1)..].ToString()));
    }

    private static WireCall? CallOf(ReadOnlySpan<char> rest)
    {
        foreach (var call in (ReadOnlySpan<WireCall>)
            [WireCall.Chat, WireCall.Completion, WireCall.Embedding, WireCall.Moderation])
        {
            if (rest.SequenceEqual(WireCalls.Path(call)))
                return call;
        }

        return null;
    }

    private Task ListAsync(HttpContext http, Caller caller) => WriteAsync(http, json =>
    {
        json.WriteStartObject();
        json.WriteString("object", "list");
        json.WriteStartArray("data");
        foreach (var route in server.Serving.Gateway.Routes.Where(r => caller.Models?.Contains(r.Name) ?? true))
            Write(json, route);
        json.WriteEndArray();
        json.WriteEndObject();
    });

    private Task OneAsync(HttpContext http, Caller caller, string name)
    {
        if (AccessRights.Model(server, caller, name) is { } foreign)
            return RefuseAsync(http, foreign);
        return server.Serving.Gateway.Find(name) is { } route
            ? WriteAsync(http, json => Write(json, route))
            : RefuseAsync(http, new(FaultKind.UnknownModel, "There is no such model. GET /v1/models lists them."));
    }

    private void Write(Utf8JsonWriter json, ChatRoute route)
    {
        json.WriteStartObject();
        json.WriteString("id", route.Name);
        json.WriteString("object", "model");
        json.WriteNumber("created", server.Snapshot.LoadedAt.ToUnixTimeSeconds());
        json.WriteString("owned_by", route.Door.Owner.Length > 0 ? route.Door.Owner : "spillway");
        if (route.Door.Traits!.Simulated)
            json.WriteBoolean("simulated", value: true);
        json.WriteEndObject();
    }

    private static Task WriteAsync(HttpContext http, Action<Utf8JsonWriter> of)
    {
        var into = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(into))
            of(json);
        return JsonAnswer.WriteAsync(http, into);
    }

    private Task<long> WrongMethodAsync(HttpContext http, string allowed)
    {
        http.Response.Headers.Allow = allowed;
        return RefuseAsync(http, new(FaultKind.WrongMethod, $"This path takes {allowed} only."));
    }

    private Task<long> RefuseAsync(HttpContext http, Fault fault)
    {
        server.Recorder.Unrouted(fault.Kind);
        return OpenAiErrors.WriteAsync(http, fault).AsTask();
    }
}
