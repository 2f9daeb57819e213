using Spillway.Protocols.Access;
using System.Buffers;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Spillway.Protocols.Admin;
using Spillway.Telemetry;

namespace Spillway.Protocols.OpenInference;

/// <summary>The trace and logging extensions: GET shows the settings, POST changes some and shows all.</summary>
internal sealed class SettingsEndpoints(ServerContext server)
{
    /// <summary>GET and POST …/trace/setting, of the server or of a served name.</summary>
    public Task TraceAsync(HttpContext http, TraceControl control) => HandleAsync(
        http,
        body => server.AuditedChange(Administrator.Present, "settings.trace", http.Request.Path.Value ?? "",
            () => TraceSettings.Change(body, control, server.Recorder.Tracing)),
        into => TraceSettings.Write(control.Setting, into));

    /// <summary>GET and POST /v2/logging.</summary>
    public Task LogAsync(HttpContext http) => HandleAsync(
        http,
        body => server.AuditedChange(
            Administrator.Present, "settings.log", "server", () => LogSettings.Change(body, server.Log)),
        into => LogSettings.Write(server.Log.Setting, into));

    private async Task HandleAsync(
        HttpContext http, Func<JsonElement, Fault?> change, Action<IBufferWriter<byte>> write)
    {
        if (HttpMethods.IsPost(http.Request.Method)
            && await ChangeAsync(http, change).ConfigureAwait(false) is { } fault)
        {
            server.Recorder.Unrouted(fault.Kind);
            await ErrorAnswer.WriteAsync(http, fault).ConfigureAwait(false);
            return;
        }

        var into = new ArrayBufferWriter<byte>(256);
        write(into);
        await JsonAnswer.WriteAsync(http, into).ConfigureAwait(false);
    }

    private static async ValueTask<Fault?> ChangeAsync(HttpContext http, Func<JsonElement, Fault?> change)
    {
        if (!(await SmallBody.ReadAsync(http).ConfigureAwait(false)).TryGet(out var body, out var fault))
            return fault;
        try
        {
            using var json = JsonDocument.Parse(body);
            return json.RootElement.ValueKind is JsonValueKind.Object
                ? change(json.RootElement)
                : RequestFaults.NotA("object", "settings");
        }
        catch (InvalidOperationException)
        {
            // What JsonElement throws for a name or a text with half of a surrogate pair, which is no text.
            return Fault.Invalid(
                "failed to parse the request JSON buffer: a text in it is not Unicode (\\u escapes of half a pair)");
        }
        catch (JsonException bad)
        {
            return Fault.Invalid(
                $"failed to parse the request JSON buffer: line {bad.LineNumber + 1}, byte {bad.BytePositionInLine} "
                + "is not JSON");
        }
    }
}
