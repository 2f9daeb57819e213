using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Spillway.Engine;
using Spillway.Engine.Routes;
using Spillway.Engine.Upstreams;
using Spillway.Flow;
using Spillway.Protocols.Access;
using Spillway.Protocols.OpenInference;
using Spillway.Protocols.Repository;
using Spillway.Telemetry;

namespace Spillway.Protocols.Admin;

/// <summary>
/// The Admin protocol, /admin/v1: the only way in which the command line reads and changes a running server. Documented
/// in docs/reference/admin.md. Without keys only loopback callers come here; with keys, operators.
/// This file is long because every answer that only reads stands in it.
/// </summary>
internal sealed class AdminEndpoints(ServerContext server)
{
    /// <summary>What every path of the protocol begins with.</summary>
    public const string Root = "/admin/v1/";

    /// <summary>Every path, for whoever asked for another one.</summary>
    public const string PathsInWords = $"{Root}server, models, config, requests, requests/<request-id>, costs, "
        + "repository, repository/models/<name>/load, repository/models/<name>/unload, keys, keys/<id>/rotate, "
        + "keys/<id>/revoke, reload, switches, switches/off, switches/on, limits, budgets, "
        + RolloutEndpoints.PathsInWords + ", " + DrillEndpoints.PathsInWords + ", "
        + AuditEndpoints.PathsInWords;

    private const int LimitMax = 1000;

    private readonly RepositoryControl _control = new(server);
    private readonly KeysEndpoints _keys = new(server);
    private readonly GuardEndpoints _guards = new(server);
    private readonly RolloutEndpoints _rollouts = new(server);
    private readonly DrillEndpoints _drills = new(server);
    private readonly CostsEndpoint _costs = new(server);
    private readonly AuditEndpoints _audit = new(server);

    /// <summary>How every answer of the protocol is written.</summary>
    internal static readonly JsonWriterOptions JsonOptions =
        new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Answers one request.</summary>
    public Task HandleAsync(HttpContext http, Caller caller)
    {
        var path = http.Request.Path.Value!;
        var rest = path.StartsWith(Root, StringComparison.Ordinal) ? path[Root.Length..] : "";
        var needs = AccessRights.OfAdmin(rest, HttpMethods.IsGet(http.Request.Method));
        if (AccessRights.Need(server, caller, needs) is { } refused)
        {
            server.Denied(caller, refused, path);
            return ErrorAnswer.WriteAsync(http, refused).AsTask();
        }

        return Part(http, rest, caller) ?? ReadAsync(http, rest);
    }

    /// <summary>What has endpoints of its own; null for the rest.</summary>
    private Task? Part(HttpContext http, string rest, Caller caller)
    {
        if (KeysProtocol.Owns(rest))
            return _keys.HandleAsync(http, rest, caller);
        if (GuardEndpoints.Owns(rest))
            return AnswerAsync(http, _guards.Answer(http, rest));
        if (RolloutEndpoints.Owns(rest))
            return AnswerAsync(http, _rollouts.Answer(http, rest));
        if (DrillEndpoints.Owns(rest))
            return _drills.HandleAsync(http, rest);
        if (AuditEndpoints.IsMine(rest))
            return _audit.HandleAsync(http, rest);
        if (rest is ReloadEndpoint.Path)
            return ReloadEndpoint.HandleAsync(http, server);
        if (IsChange(rest, out var model, out var loads))
            return ChangeAsync(http, model, loads);
        return rest is "costs" && HttpMethods.IsGet(http.Request.Method) ? _costs.AnswerAsync(http) : null;
    }

    private Task ReadAsync(HttpContext http, string rest)
    {
        Action<Utf8JsonWriter>? answer = rest switch
        {
            "server" => WriteServer,
            "models" => WriteModels,
            "config" => server.Snapshot.WriteJson,
            "repository" => json => WriteIndex(json, name: null),
            "costs" => static _ => { },
            "requests" => json => WriteRequests(json, http.Request.Query),
            _ => null,
        };
        Fault? fault = null;
        if (rest.StartsWith("requests/", StringComparison.Ordinal))
            fault = FindRequest(Uri.UnescapeDataString(rest["requests/".Length..]), out answer);
        if (answer is not null && !HttpMethods.IsGet(http.Request.Method))
        {
            http.Response.Headers.Allow = "GET";
            fault = new(FaultKind.WrongMethod, "Method Not Allowed: this path is read with GET.");
        }
        else if (answer is null && fault is null)
        {
            fault = new(FaultKind.UnknownPath, $"Not Found: the admin protocol has {PathsInWords}.");
        }

        return fault is null ? AnswerAsync(http, answer!) : ErrorAnswer.WriteAsync(http, fault).AsTask();
    }

    private static Task AnswerAsync(HttpContext http, Outcome<Action<Utf8JsonWriter>> outcome) =>
        outcome.TryGet(out var answer, out var wrong)
            ? AnswerAsync(http, answer) : ErrorAnswer.WriteAsync(http, wrong).AsTask();

    /// <summary>Writes JSON.</summary>
    internal static Task AnswerAsync(HttpContext http, Action<Utf8JsonWriter> answer)
    {
        var into = new ArrayBufferWriter<byte>(4096);
        using (var json = new Utf8JsonWriter(into, JsonOptions))
            answer(json);
        return JsonAnswer.WriteAsync(http, into);
    }

    /// <summary>repository/models/{name}/load or unload.</summary>
    private static bool IsChange(string rest, out string model, out bool loads)
    {
        var parts = rest.Split('/');
        (model, loads) = (parts.Length == 4 ? parts[2] : "", rest.EndsWith("/load", StringComparison.Ordinal));
        return model.Length > 0 && parts is ["repository", "models", _, "load" or "unload"];
    }

    private async Task ChangeAsync(HttpContext http, string model, bool loads)
    {
        Fault? fault;
        if (HttpMethods.IsPost(http.Request.Method))
        {
            fault = await _control.ChangeAsync(http, loads, model).ConfigureAwait(false);
        }
        else
        {
            http.Response.Headers.Allow = "POST";
            fault = new(FaultKind.WrongMethod, "Method Not Allowed: models are loaded and unloaded with POST.");
        }

        var answer = fault is null
            ? AnswerAsync(http, json => WriteIndex(json, model))
            : ErrorAnswer.WriteAsync(http, fault).AsTask();
        await answer.ConfigureAwait(false);
    }

    /// <summary>The repository's index, or the lines of one name.</summary>
    private void WriteIndex(Utf8JsonWriter json, string? name)
    {
        json.WriteStartObject();
        json.WritePropertyName("models");
        RepositoryIndex.Write(
            json, RepositoryIndex.List(server.Serving, readyOnly: false).Where(r => name is null || r.Name == name));
        json.WriteEndObject();
    }

    private Fault? FindRequest(string id, out Action<Utf8JsonWriter>? answer)
    {
        answer = null;
        if (!server.Recorder.Recent.TryFind(id, out var record))
        {
            return new(
                FaultKind.UnknownRequest,
                $"No recent request has the id '{(id.Length > 100 ? id[..100] + "…" : id)}'. The last "
                + $"{server.Recorder.Recent.Capacity} are kept "
                + "(server.recentRequestsMax); the id is in the answer's header X-Request-Id.");
        }

        answer = json => RequestRecordJson.Write(json, record);
        return null;
    }

    private void WriteServer(Utf8JsonWriter json)
    {
        var serving = server.Serving;
        json.WriteStartObject();
        json.WriteString("name", server.Snapshot.Server.Name);
        json.WriteString("version", server.Version);
        json.WriteNumber("pid", Environment.ProcessId);
        json.WriteBoolean("ready", serving.IsReady);
        json.WriteBoolean("stopping", serving.Stopping);
        json.WriteBoolean("canary_loading", serving.Models.Canary?.IsOn ?? false);
        json.WriteNumber("in_flight", serving.InFlight);
        json.WriteNumber("body_bytes_held", server.BytesHeld);
        json.WriteString("config", server.Snapshot.Source);
        json.WriteString("config_digest", server.Snapshot.Digest);
        json.WriteEndObject();
    }

    private void WriteModels(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteStartArray("models");
        foreach (var door in server.Serving.Doors)
            WriteModel(json, door);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private void WriteModel(Utf8JsonWriter json, Door door)
    {
        var route = door.Route;
        json.WriteStartObject();
        json.WriteString("name", route.Model.Name);
        json.WriteString("version", route.Model.Version);
        json.WriteString("deployment", route.Deployment);
        json.WriteString("state", MetadataEndpoints.State(route));
        if (route.State is RouteState.Failed)
            json.WriteString("reason", route.Why);
        if (door.Plan is { } plan)
            WriteRoute(json, plan);
        if (door.Deployment is { } deployment && door.Traits is { } traits)
        {
            var state = deployment.Look();
            json.WriteString("platform", traits.Platform);
            WriteProvenance(json, deployment);
            json.WriteBoolean("simulated", traits.Simulated);
            json.WriteString("devices", string.Join(", ", traits.Devices.Select(d => d.Name)));
            json.WriteNumber("runners", state.Runners);
            json.WriteNumber("active_runs", state.Active);
            json.WriteNumber("queue_length", state.QueueLength);
            json.WriteNumber("queue_length_max", route.QueueLengthMax);
            json.WriteNumber("batch_rows_useful", state.UsefulRows);
            json.WriteNumber("predicted_wait_ms", state.PredictedWait.TotalMilliseconds);
            json.WriteNumber("typical_run_ms", deployment.TypicalRun.TotalMilliseconds);
            if (server.Serving.Models.MemoryOf(new(deployment.Name, deployment.Version)) is { } bytes)
                json.WriteNumber("memory_bytes", bytes);
            CurveJson.Write(json, deployment);
        }

        if (door.Signature is { } signature)
        {
            WritePorts(json, "inputs", signature.Inputs);
            WritePorts(json, "outputs", signature.Outputs);
        }

        json.WriteEndObject();
    }

    private static void WriteRoute(Utf8JsonWriter json, RoutePlan plan)
    {
        json.WriteStartArray("steps");
        for (var step = 0; step < plan.Count; step++)
        {
            json.WriteStartObject();
            json.WriteString("name", plan.Names[step]);
            json.WriteNumber("answered", plan.Memory.Counts.AnsweredBy(step).Value);
            json.WriteNumber("left", plan.Memory.Counts.LeftBy(step).Value);
            if (plan.DoorOf(step)?.Upstream is { } upstream)
                WriteTargets(json, upstream);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteTargets(Utf8JsonWriter json, UpstreamGroup upstream)
    {
        json.WriteNumber("waiting", upstream.Waiting);
        json.WriteStartArray("targets");
        foreach (var target in upstream.Look())
        {
            json.WriteStartObject();
            json.WriteString("name", target.Name);
            json.WriteString("breaker", target.Why);
            json.WriteNumber("in_flight", target.InFlight);
            json.WriteNumber("limit", target.Limit);
            if (target.Latency is { } latency)
                json.WriteNumber("latency_ms", latency.TotalMilliseconds);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteProvenance(Utf8JsonWriter json, Deployment deployment)
    {
        if (deployment.Provenance.Digest.Length > 0)
            json.WriteString("digest", deployment.Provenance.Digest);
        if (deployment.Provenance.SignedBy.Length > 0)
            json.WriteString("signed_by", deployment.Provenance.SignedBy);
    }

    private static void WritePorts(Utf8JsonWriter json, string name, IReadOnlyList<TensorSpec> ports)
    {
        json.WriteStartArray(name);
        foreach (var port in ports)
            json.WriteStringValue($"{port.Name} {port.Type.WireName()} {port.Shape}");
        json.WriteEndArray();
    }

    private void WriteRequests(Utf8JsonWriter json, IQueryCollection query)
    {
        var limit = int.TryParse(query["limit"], NumberStyles.None, CultureInfo.InvariantCulture, out var asked)
            ? asked : 50;
        var filter = new RecentFilter
        {
            Model = query.TryGetValue("model", out var model) ? model.ToString() : null,
            Outcome = query.TryGetValue("outcome", out var outcome) ? outcome.ToString() : null,
            Limit = Math.Clamp(limit, 1, LimitMax),
        };
        json.WriteStartObject();
        json.WriteStartArray("requests");
        foreach (var record in server.Recorder.Recent.List(filter))
            RequestRecordJson.Write(json, record);
        json.WriteEndArray();
        json.WriteEndObject();
    }
}
