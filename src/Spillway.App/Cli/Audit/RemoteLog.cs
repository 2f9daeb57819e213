using System.Security.Cryptography;
using System.Text.Json;
using Spillway.Store.Audit;

namespace Spillway.App.Cli.Audit;

/// <summary>A running server's log, read page by page and verified here.</summary>
internal static class RemoteLog
{
    private const int Page = 1000;

    /// <summary>
    /// Reads every record that the server had when it was asked, makes the tree anew, and holds it against the heads:
    /// the one that the server says it signed last, those of its list (the newest 1,000), and those kept elsewhere.
    /// </summary>
    public static async Task<AuditReport> VerifyAsync(
        ServerClient client, IReadOnlyList<ECDsa> keys, List<AuditHead> elsewhere, CancellationToken cancellation)
    {
        try
        {
            // In this order: a head signed meanwhile is in the list, and no record is read that it may not cover yet.
            var state = await client.GetAsync("/admin/v1/audit", cancellation).ConfigureAwait(false);
            var written = state.GetProperty("records").GetInt64();
            var told = state.GetProperty("head") is { ValueKind: JsonValueKind.Object } head ? Head(head) : null;
            var answer = await client.GetAsync($"/admin/v1/audit/heads?limit={Page}", cancellation)
                .ConfigureAwait(false);
            List<AuditHead> listed = [.. answer.GetProperty("heads").EnumerateArray().Select(Head)];
            List<AuditHead> heads = [.. elsewhere, .. listed];
            if (told is not null)
                heads.Add(told);
            var replay = new AuditReplay(state.GetProperty("log").GetString()!, heads, keys);
            var all = heads.Select(h => h.Size).Append(written).Max();
            while (replay.Next < all && await TakeAsync(client, replay, all, cancellation).ConfigureAwait(false))
            {
            }

            return replay.Report(told, listed.Select(h => h.Size).DefaultIfEmpty(0).Max());
        }
        catch (Exception e) when (e is KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new CommandException($"What the server answered is no audit log: {e.Message}");
        }
    }

    private static AuditHead Head(JsonElement json) => AuditHead.Parse(json.GetRawText())
        ?? throw new FormatException("one of its heads cannot be read");

    private static async Task<bool> TakeAsync(
        ServerClient client, AuditReplay replay, long all, CancellationToken cancellation)
    {
        var before = replay.Next;
        var page = await client.GetAsync(
            $"/admin/v1/audit/records?raw&from={before}&limit={Math.Min(Page, all - before)}", cancellation)
            .ConfigureAwait(false);
        foreach (var record in page.GetProperty("records").EnumerateArray())
        {
            if (replay.Next < all && !replay.Add(record.GetBytesFromBase64()))
                return false;
        }

        return replay.Next > before;
    }
}
