using System.Buffers;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Spillway.Protocols.Admin;

/// <summary>/admin/v1/keys: lists, makes, rotates and revokes keys. Only operators come here.</summary>
internal sealed class KeysEndpoints(ServerContext server)
{
    /// <summary>Answers one request.</summary>
    /// <param name="http">The request.</param>
    /// <param name="rest">Its path behind the admin protocol's root.</param>
    /// <param name="caller">Who asks, for the log.</param>
    public async Task HandleAsync(HttpContext http, string rest, Caller caller)
    {
        var (asked, methods) = (await AskAsync(http, rest).ConfigureAwait(false), KeysProtocol.Methods(rest));
        if (!asked.TryGet(out var answer, out var fault))
        {
            if (fault.Kind is FaultKind.WrongMethod)
                http.Response.Headers.Allow = methods;
            // It is refused from now on, though the disk does not know it.
            if (fault.Kind is FaultKind.StoreFailed && rest.Split('/') is [_, var id, "revoke"])
                server.Audit.Administration(caller, "key.revoked", id, fault.Kind);
            await ErrorAnswer.WriteAsync(http, fault).ConfigureAwait(false);
            return;
        }

        if (answer.Key is { } key)
        {
            server.Access!.Keys.Log(key, answer.What, caller.Key);
            server.Audit.Administration(caller, $"key.{answer.What}", key.Id);
        }

        // What it holds can be shown once.
        http.Response.Headers.CacheControl = "no-store";
        if (answer.What == "created")
            http.Response.StatusCode = StatusCodes.Status201Created;
        var into = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(into))
            answer.Write(json);
        await JsonAnswer.WriteAsync(http, into).ConfigureAwait(false);
    }

    private async ValueTask<Outcome<KeysAnswer>> AskAsync(HttpContext http, string rest)
    {
        if (KeysProtocol.Methods(rest) is not { } methods)
        {
            return new Fault(FaultKind.UnknownPath, $"Not Found: keys are at {AdminEndpoints.Root}keys, "
                + "keys/<id>/rotate and keys/<id>/revoke.");
        }

        var isRead = HttpMethods.IsGet(http.Request.Method);
        if (!HttpMethods.IsPost(http.Request.Method) && !(isRead && methods != "POST"))
            return new Fault(FaultKind.WrongMethod, $"Method Not Allowed: this path takes {methods}.");
        if (server.Access is not { } access)
        {
            return new Fault(FaultKind.Unsupported,
                "This server has no keys: access.keys is off, and every program on this machine may call.");
        }

        // Revoking is never held up: it takes rights away.
        if (!isRead && !rest.EndsWith("/revoke", StringComparison.Ordinal) && server.Audit.Refusal is { } unrecorded)
            return unrecorded;
        var body = Array.Empty<byte>();
        if (!isRead && !(await SmallBody.ReadAsync(http).ConfigureAwait(false)).TryGet(out body, out var fault))
            return fault;
        return KeysProtocol.Ask(access.Keys, rest, isRead, body);
    }
}
