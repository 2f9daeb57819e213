using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Spillway.Engine;
using Spillway.Flow;
using Spillway.Protocols.OpenInference;
using Spillway.Telemetry;

namespace Spillway.Protocols.Admin;

/// <summary>
/// The Admin protocol, /admin/v1: the only way in which the command line reads a running server. Documented in
/// docs/reference/admin.md. Reading only, until there are keys.
/// </summary>
internal sealed class AdminEndpoints(ServerContext server)
{
    /// <summary>What every path of the protocol begins with.</summary>
    public const string Root = "/admin/v1/";

    /// <summary>Every path, for whoever asked for another one.</summary>
    public const string PathsInWords = $"{Root}server, models, config, requests and requests/<request-id>";

    private const int LimitMax = 1000;

    private static readonly JsonWriterOptions s_options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Answers one request.</summary>
    public Task HandleAsync(HttpContext http)
    {
        var path = http.Request.Path.Value!;
        var rest = path.StartsWith(Root, StringComparison.Ordinal) ? path[Root.Length..] : "";
        Action<Utf8JsonWriter>? answer = rest switch
        {
            "server" => WriteServer,
            "models" => WriteModels,
            "config" => server.Snapshot.WriteJson,
            "requests" => json => WriteRequests(json, http.Request.Query),
            _ => null,
        };
        Fault? fault = null;
        if (rest.StartsWith("requests/", StringComparison.Ordinal))
            fault = FindRequest(Uri.UnescapeDataString(rest["requests/".Length..]), out answer);
        if (answer is not null && !HttpMethods.IsGet(http.Request.Method))
        {
            http.Response.Headers.Allow = "GET";
            fault = new(FaultKind.WrongMethod, "Method Not Allowed: the admin protocol is read with GET.");
        }
        else if (answer is null && fault is null)
        {
            fault = new(FaultKind.UnknownPath, $"Not Found: the admin protocol has {PathsInWords}.");
        }

        if (fault is not null)
            return ErrorAnswer.WriteAsync(http, fault).AsTask();
        var into = new ArrayBufferWriter<byte>(4096);
        using (var json = new Utf8JsonWriter(into, s_options))
            answer!(json);
        return JsonAnswer.WriteAsync(http, into);
    }

    private Fault? FindRequest(string id, out Action<Utf8JsonWriter>? answer)
    {
        answer = null;
        if (!server.Recorder.Recent.TryFind(id, out var record))
        {
            return new(
                FaultKind.UnknownRequest,
                $"No recent request has the id '{(id.Length > 100 ? id[..100] + "…" : id)}'. The last {server.Recorder.Recent.Capacity} are kept "
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

    private static void WriteModel(Utf8JsonWriter json, Door door)
    {
        var route = door.Route;
        json.WriteStartObject();
        json.WriteString("name", route.Model.Name);
        json.WriteString("version", route.Model.Version);
        json.WriteString("deployment", route.Deployment);
        json.WriteString("state", MetadataEndpoints.State(route));
        if (route.State is RouteState.Failed)
            json.WriteString("reason", route.Why);
        if (door.Deployment is { } deployment && door.Traits is { } traits)
        {
            var state = deployment.Look();
            json.WriteString("platform", traits.Platform);
            json.WriteBoolean("simulated", traits.Simulated);
            json.WriteString("devices", string.Join(", ", traits.Devices.Select(d => d.Name)));
            json.WriteNumber("runners", state.Runners);
            json.WriteNumber("active_runs", state.Active);
            json.WriteNumber("queue_length", state.QueueLength);
            json.WriteNumber("queue_length_max", route.QueueLengthMax);
            json.WriteNumber("batch_rows_useful", state.UsefulRows);
            json.WriteNumber("predicted_wait_ms", state.PredictedWait.TotalMilliseconds);
            json.WriteNumber("typical_run_ms", deployment.TypicalRun.TotalMilliseconds);
            WritePorts(json, "inputs", door.Signature!.Inputs);
            WritePorts(json, "outputs", door.Signature.Outputs);
        }

        json.WriteEndObject();
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
        var limit = int.TryParse(query["limit"], NumberStyles.None, CultureInfo.InvariantCulture, out var asked) ? asked : 50;
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
