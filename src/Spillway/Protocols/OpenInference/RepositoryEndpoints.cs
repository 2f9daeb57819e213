using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Spillway.Protocols.Repository;

namespace Spillway.Protocols.OpenInference;

/// <summary>The model repository extension over REST.</summary>
internal sealed class RepositoryEndpoints(ServerContext server)
{
    private static readonly JsonWriterOptions s_options = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private readonly RepositoryControl _control = new(server);

    /// <summary>Answers one request of a path below /v2/repository.</summary>
    public async Task HandleAsync(HttpContext http, OpenInferenceEndpoint endpoint, string model)
    {
        var fault = endpoint switch
        {
            OpenInferenceEndpoint.RepositoryIndex => await IndexAsync(http).ConfigureAwait(false),
            OpenInferenceEndpoint.NamedRepository => new(
                FaultKind.Unsupported, "'repository_name' specification is not supported: leave it out of the path."),
            _ => await ChangeAsync(http, endpoint is OpenInferenceEndpoint.RepositoryLoad, model).ConfigureAwait(false),
        };
        if (fault is null)
            return;
        server.Recorder.Unrouted(fault.Kind);
        await ErrorAnswer.WriteAsync(http, fault).ConfigureAwait(false);
    }

    private async ValueTask<Fault?> ChangeAsync(HttpContext http, bool loads, string model)
    {
        var fault = await _control.ChangeAsync(http, loads, model).ConfigureAwait(false);
        // As Triton: 200 and nothing to read.
        if (fault is null)
            http.Response.ContentLength = 0;
        return fault;
    }

    private async ValueTask<Fault?> IndexAsync(HttpContext http)
    {
        if (!(await SmallBody.ReadAsync(http).ConfigureAwait(false)).TryGet(out var body, out var fault))
            return fault;
        var readyOnly = false;
        fault = RepositoryControl.Read(body, root => ReadReady(root, out readyOnly));
        if (fault is not null)
            return fault;
        var into = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(into, s_options))
            RepositoryIndex.Write(json, RepositoryIndex.List(server.Serving, readyOnly));
        await JsonAnswer.WriteAsync(http, into).ConfigureAwait(false);
        return null;
    }

    private static Fault? ReadReady(JsonElement root, out bool readyOnly)
    {
        readyOnly = false;
        if (!root.TryGetProperty("ready"u8, out var ready))
            return null;
        readyOnly = ready.ValueKind is JsonValueKind.True;
        return readyOnly || ready.ValueKind is JsonValueKind.False
            ? null
            : Fault.Invalid("'ready' must be true or false: true lists only the models that answer");
    }
}
