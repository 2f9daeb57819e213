using System.Security.Cryptography;
using Spillway.Store.Audit;

namespace Spillway.App.Cli.Audit;

/// <summary>A running server's log, read page by page and verified here.</summary>
internal static class RemoteLog
{
    private const int Page = 1000;

    /// <summary>Reads every record up to the last head, and makes the tree anew.</summary>
    public static async Task<AuditReport> VerifyAsync(
        ServerClient client, IReadOnlyList<ECDsa> keys, List<AuditHead> elsewhere, CancellationToken cancellation)
    {
        var answer = await client.GetAsync($"/admin/v1/audit/heads?limit={Page}", cancellation).ConfigureAwait(false);
        List<AuditHead> heads =
        [
            .. elsewhere,
            .. answer.GetProperty("heads").EnumerateArray().Select(h =>
                AuditHead.Parse(h.GetRawText())).OfType<AuditHead>(),
        ];
        var replay = new AuditReplay(heads, keys);
        var all = heads.Count > 0 ? heads.Max(h => h.Size) : 0;
        while (replay.Next < all && await TakeAsync(client, replay, cancellation).ConfigureAwait(false))
        {
        }

        return replay.Report(heads.Count > 0 ? heads[^1].Log : "");
    }

    private static async Task<bool> TakeAsync(ServerClient client, AuditReplay replay, CancellationToken cancellation)
    {
        var before = replay.Next;
        var page = await client.GetAsync(
            $"/admin/v1/audit/records?raw&from={before}&limit={Page}", cancellation).ConfigureAwait(false);
        foreach (var record in page.GetProperty("records").EnumerateArray())
        {
            if (!replay.Add(record.GetBytesFromBase64()))
                return false;
        }

        return replay.Next > before;
    }
}
