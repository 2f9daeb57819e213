using System.Buffers;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Spillway.Config;
using Spillway.Protocols.Access;
using Spillway.Telemetry;

namespace Spillway.Protocols.Admin;

/// <summary>POST /admin/v1/reload: the configuration is read again, and put in force or refused as a whole.</summary>
internal static class ReloadEndpoint
{
    /// <summary>The path behind /admin/v1/.</summary>
    public const string Path = "reload";

    private const int DetailMax = 500;

    /// <summary>Answers one request.</summary>
    public static async Task HandleAsync(HttpContext http, ServerContext server)
    {
        if (!HttpMethods.IsPost(http.Request.Method))
        {
            http.Response.Headers.Allow = "POST";
            await ErrorAnswer.WriteAsync(http, new(
                FaultKind.WrongMethod, "Method Not Allowed: the configuration is reloaded with POST."))
                .ConfigureAwait(false);
            return;
        }

        // What has begun is ended: a caller who leaves does not learn of it, and nothing else.
        var answer = await server.ReloadAsync(Administrator.Present, CancellationToken.None).ConfigureAwait(false);
        if (answer.Fault is { } fault)
            await ErrorAnswer.WriteAsync(http, fault).ConfigureAwait(false);
        else
            await WriteAsync(http, answer).ConfigureAwait(false);
    }

    /// <summary>Reloads, and writes down who asked for it and what became of it.</summary>
    public static async Task<ReloadAnswer> ReloadAsync(
        this ServerContext server, Caller who, CancellationToken cancellation)
    {
        if (server.Audit.Refusal is { } unrecorded)
            return new() { Fault = unrecorded };
        var answer = await server.Reread(server, cancellation).ConfigureAwait(false);
        var detail = answer.Applied
            ? $"configuration {answer.Digest}; changed: {string.Join(", ", answer.Changed)}; "
                + $"needs a restart: {string.Join(", ", answer.NeedsRestart)}"
            : answer.Fault?.Message ?? $"{answer.Errors.Count} mistake(s)";
        server.Audit.Administration(
            who, "config.reload", answer.Source,
            answer.Fault?.Kind ?? (answer.Applied ? null : FaultKind.InvalidInput),
            detail.Length > DetailMax ? detail[..DetailMax] : detail);
        return answer;
    }

    private static Task WriteAsync(HttpContext http, ReloadAnswer answer)
    {
        var into = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(into, AdminEndpoints.JsonOptions))
        {
            json.WriteStartObject();
            if (!answer.Applied)
            {
                var first = answer.Errors[0];
                json.WriteString("error", $"Nothing was changed: the configuration has {answer.Errors.Count} "
                    + $"mistake(s), the first {first.Place} {first.Key}: {first.Problem} {first.Remedy}");
                json.WritePropertyName("errors");
                ConfigErrorText.WriteJson(json, answer.Errors);
            }

            json.WriteString("source", answer.Source);
            json.WriteNumber("number", answer.Number);
            json.WriteString("config_digest", answer.Digest);
            Write(json, "changed", answer.Changed);
            Write(json, "needs_restart", answer.NeedsRestart);
            json.WriteEndObject();
        }

        if (!answer.Applied)
        {
            http.Response.StatusCode = StatusCodes.Status400BadRequest;
            http.Response.Headers[ErrorAnswer.FaultName] = FaultLabels.Of(FaultKind.InvalidInput);
        }

        return JsonAnswer.WriteAsync(http, into);
    }

    private static void Write(Utf8JsonWriter json, string name, IReadOnlyList<string> keys)
    {
        json.WriteStartArray(name);
        foreach (var key in keys)
            json.WriteStringValue(key);
        json.WriteEndArray();
    }
}
