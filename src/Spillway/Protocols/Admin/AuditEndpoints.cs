using Spillway.Protocols.Access;
using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Spillway.Store.Audit;

namespace Spillway.Protocols.Admin;

/// <summary>
/// /admin/v1/audit: the state of the audit log, its heads, records and proofs. One reader of its files at a time: a
/// search reads all of them, and must not take the machine from those who are served.
/// </summary>
internal sealed class AuditEndpoints(ServerContext server)
{
    /// <summary>Every path below /admin/v1/, for whoever asked for another one.</summary>
    public const string PathsInWords = "audit, audit/heads, audit/records, audit/proof, audit/consistency, "
        + "audit/retain";

    private const int LimitMax = 1000;

    private static readonly JsonWriterOptions s_options = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private readonly AuditReader? _reader = server.AuditLog is { } log ? new(log.Folder) : null;
    private int _reading;

    /// <summary>Whether a path is one of these.</summary>
    /// <param name="rest">Behind /admin/v1/.</param>
    public static bool IsMine(string rest) =>
        rest is "audit" || rest.StartsWith("audit/", StringComparison.Ordinal);

    /// <summary>Answers one request.</summary>
    public async Task HandleAsync(HttpContext http, string rest)
    {
        var into = new ArrayBufferWriter<byte>(4096);
        var fault = Wrong(http, rest) ?? await AnswerAsync(http, rest, into).ConfigureAwait(false);
        if (fault is null)
            await JsonAnswer.WriteAsync(http, into).ConfigureAwait(false);
        else
            await ErrorAnswer.WriteAsync(http, fault).ConfigureAwait(false);
    }

    private Fault? Wrong(HttpContext http, string rest)
    {
        if (rest is not ("audit" or "audit/heads" or "audit/records" or "audit/proof" or "audit/consistency"
            or "audit/retain"))
            return new(FaultKind.UnknownPath, $"Not Found: of the audit log there are {PathsInWords}.");
        var method = rest is "audit/retain" ? "POST" : "GET";
        if (http.Request.Method != method)
        {
            http.Response.Headers.Allow = method;
            return new(FaultKind.WrongMethod, $"Method Not Allowed: this path is asked with {method}.");
        }

        return server.AuditLog is null
            ? new(FaultKind.Unsupported, "This server keeps no audit log: its configuration has no section audit.")
            : null;
    }

    private async ValueTask<Fault?> AnswerAsync(HttpContext http, string rest, ArrayBufferWriter<byte> into)
    {
        var cancellation = http.RequestAborted;
        if (Interlocked.Exchange(ref _reading, 1) != 0)
        {
            return new(FaultKind.ServerFull, "Somebody reads the audit log already, and one at a time may. Retry in "
                + "a second.",
                TimeSpan.FromSeconds(1));
        }

        try
        {
            // Off this thread: it reads files, and many where a request is looked for.
            return await Task.Run(
                () =>
                {
                    using var json = new Utf8JsonWriter(into, s_options);
                    return Write(rest, http.Request.Query, json, cancellation);
                },
                cancellation).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return new(FaultKind.Cancelled, "The caller went away.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new(FaultKind.StoreFailed, $"The audit log cannot be read: {e.Message}");
        }
        finally
        {
            Volatile.Write(ref _reading, 0);
        }
    }

    private Fault? Write(string rest, IQueryCollection query, Utf8JsonWriter json, CancellationToken cancellation)
    {
        var log = server.AuditLog!;
        var reader = _reader!;
        switch (rest)
        {
            case "audit":
                WriteState(log, json);
                return null;
            case "audit/heads":
                WriteHeads(log, (int)Number(query, "limit", 50), json);
                return null;
            case "audit/records":
                WriteRecords(reader, query, json, cancellation);
                return null;
            case "audit/proof":
                return WriteProof(reader, query, json);
            case "audit/consistency":
                return WriteConsistency(log, reader, query, json);
            default:
                return server.AuditedChange(Administrator.Present, "audit.retain", "payloads", () =>
                {
                    log.Retain();
                    WriteState(log, json);
                    return null;
                });
        }
    }

    private static void WriteState(AuditLog log, Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("log", log.Id);
        json.WriteString("folder", log.Folder.Path);
        json.WriteNumber("records", log.Written);
        json.WriteNumber("waiting", log.Waiting);
        json.WriteNumber("waiting_max", log.WaitingMax);
        json.WriteNumber("lost", log.Lost);
        json.WriteNumber("lost_before", log.LostBefore);
        json.WriteNumber("refused_requests", log.RefusedRequests);
        json.WriteNumber("publish_failures", log.PublishFailures);
        json.WriteString("failure", log.Failure?.Message ?? "");
        json.WritePropertyName("head");
        if (log.Last is { } head)
            head.WriteJson(json);
        else
            json.WriteNullValue();
        json.WriteString("public_key", File.ReadAllText(log.Folder.PublicKey));
        json.WriteEndObject();
    }

    private static void WriteHeads(AuditLog log, int limit, Utf8JsonWriter json)
    {
        var (heads, _) = AuditFolder.ReadHeads(log.Folder.Heads);
        json.WriteStartObject();
        json.WriteStartArray("heads");
        foreach (var head in heads.TakeLast(Math.Clamp(limit, 1, LimitMax)))
            head.WriteJson(json);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteRecords(
        AuditReader reader, IQueryCollection query, Utf8JsonWriter json, CancellationToken cancellation)
    {
        var (from, limit) = (Number(query, "from", 0), Math.Clamp(Number(query, "limit", 100), 1, LimitMax));
        var wanted = query.TryGetValue("request", out var request) ? request.ToString() : null;
        json.WriteStartObject();
        json.WriteStartArray("records");
        var (next, written) = (from, 0);
        foreach (var record in reader.From(from))
        {
            cancellation.ThrowIfCancellationRequested();
            next = record.Index + 1;
            if (wanted is not null && record.RequestId != wanted)
                continue;
            if (query.ContainsKey("raw"))
                json.WriteBase64StringValue(record.Bytes.Span);
            else
                record.WriteJson(json);
            if (++written == limit)
                break;
        }

        json.WriteEndArray();
        json.WriteNumber("next", next);
        json.WriteEndObject();
    }

    private static Fault? WriteProof(AuditReader reader, IQueryCollection query, Utf8JsonWriter json)
    {
        var index = query.TryGetValue("request", out var request)
            ? reader.FindRequest(request.ToString())?.Index ?? -1
            : Number(query, "index", -1);
        if (index < 0)
            return new(FaultKind.UnknownRequest, "No record of that request, or no index, is given: index=<n> or "
                + "request=<id>.");
        if (!reader.Prove(index).TryGet(out var proof, out var fault))
            return fault;
        AuditProofJson.Write(json, proof);
        return null;
    }

    private static Fault? WriteConsistency(
        AuditLog log, AuditReader reader, IQueryCollection query, Utf8JsonWriter json)
    {
        var (heads, _) = AuditFolder.ReadHeads(log.Folder.Heads);
        var (first, second) = (Number(query, "first", -1), Number(query, "second", log.Last?.Size ?? -1));
        if (heads.FirstOrDefault(h => h.Size == first) is not { } before
            || heads.LastOrDefault(h => h.Size == second) is not { } after)
        {
            return new(FaultKind.UnknownRequest, $"There are no heads of {first} and {second} records; audit/heads "
                + "lists them.");
        }

        if (!reader.ProveConsistent(first, second).TryGet(out var path, out var fault))
            return fault;
        AuditProofJson.Write(json, before, after, path);
        return null;
    }

    private static long Number(IQueryCollection query, string name, long otherwise) =>
        long.TryParse(query[name], NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number
            : otherwise;
}
