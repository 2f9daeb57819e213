using System.CommandLine;
using System.Text.Json;
using Spillway.Store.Audit;

namespace Spillway.App.Cli.Audit;

/// <summary>`spillway audit export`: records as lines of JSON.</summary>
internal static class ExportCommand
{
    private const int PageMax = 1000;

    public static Command Create()
    {
        var folder = AuditCommand.FolderOption();
        var server = Commands.ServerOption();
        var from = new Option<long>("--from") { Description = "The first index.", DefaultValueFactory = _ => 0 };
        var limit = new Option<long>("--limit")
        {
            Description = "The most records.", DefaultValueFactory = _ => long.MaxValue,
        };
        var request = new Option<string?>("--request") { Description = "Only records of this request.",
            HelpName = "id" };
        var kind = new Option<AuditKind?>("--kind") { Description = "Only records of this kind." };
        var caller = new Option<string?>("--caller")
        {
            Description = "Only records of this tenant, or tenant/key. Needs --folder and the log's caller.key, "
                + "which turns "
                + "names into the hashes that the log holds.",
            HelpName = "tenant[/key]",
        };
        var payloads = new Option<bool>("--payloads")
        {
            Description = "Decrypt kept inputs and print them in base64. Needs --folder and the key ring of the "
                + "state folder.",
        };
        var command = new Command("export", """
            Print records, one line of JSON each. Callers are keyed hashes.

            Examples:
              spillway audit export --limit 100
              spillway audit export --folder state --kind administration
              spillway audit export --folder state --caller acme
              spillway audit export --folder state --request 7f3a12cc90e4b1d8 --payloads
            """)
        {
            folder, server, from, limit, request, kind, caller, payloads,
        };
        command.SetAction((parsed, cancellation) => CommandException.GuardAsync(() =>
        {
            var wish = new Wish(
                parsed.GetValue(from), parsed.GetValue(limit), parsed.GetValue(request), parsed.GetValue(kind),
                parsed.GetValue(caller), parsed.GetValue(payloads));
            return parsed.GetValue(folder) is { } path
                ? Task.FromResult(Offline(AuditSource.Folder(path), wish, cancellation))
                : OnlineAsync(parsed.GetValue(server)!, wish, cancellation);
        }));
        return command;
    }

    private static int Offline(AuditFolder folder, Wish wish, CancellationToken cancellation)
    {
        using var vault = wish.Payloads || wish.Caller is not null ? AuditVault.Open(folder) : null;
        var hash = wish.Caller is { } caller ? Value(vault!.HashOf(caller)) : "";
        var left = wish.Limit;
        foreach (var record in new AuditReader(folder).From(wish.From))
        {
            cancellation.ThrowIfCancellationRequested();
            if (!wish.Takes(record, hash))
                continue;
            if (left-- <= 0)
                break;
            AuditSource.Write(record.WriteJson);
            if (wish.Payloads && record.Kind is AuditKind.Payload)
                Payload(vault!, record);
        }

        return Commands.Ok;
    }

    private static void Payload(AuditVault vault, AuditRecord record) => AuditSource.WriteLine(json =>
    {
        json.WriteNumber("inputs_of", record.Index);
        if (vault.Inputs(record).TryGet(out var inputs, out var fault))
            json.WriteBase64String("inputs", inputs);
        else
            json.WriteString("missing", fault.Message);
    });

    private static async Task<int> OnlineAsync(string server, Wish wish, CancellationToken cancellation)
    {
        if (wish.Payloads || wish.Caller is not null)
            throw new CommandException("--payloads and --caller need keys that no server gives away: use --folder.",
                Commands.Usage);
        using var client = new ServerClient(server);
        var (next, left) = (wish.From, wish.Limit);
        while (left > 0)
        {
            var only = wish.Request is { } id ? $"&request={Uri.EscapeDataString(id)}" : "";
            var page = await client.GetAsync(
                $"/admin/v1/audit/records?from={next}&limit={Math.Min(left, PageMax)}{only}", cancellation)
                .ConfigureAwait(false);
            foreach (var record in page.GetProperty("records").EnumerateArray().Where(wish.Takes))
            {
                Console.WriteLine(record.GetRawText());
                left--;
            }

            var after = page.GetProperty("next").GetInt64();
            if (after == next)
                break;
            next = after;
        }

        return Commands.Ok;
    }

    private static T Value<T>(Outcome<T> outcome) =>
        outcome.TryGet(out var value, out var fault) ? value : throw new CommandException(fault.Message);

    private sealed record Wish(long From, long Limit, string? Request, AuditKind? Kind, string? Caller, bool Payloads)
    {
        public bool Takes(AuditRecord record, string hash) => (Request is null || record.RequestId == Request)
            && (Kind is null || record.Kind == Kind)
            && (Caller is null || record.Tenant == hash || record.Caller == hash);

        public bool Takes(JsonElement record) => Kind is not { } kind
            || string.Equals(record.GetProperty("kind").GetString(), kind.ToString(),
                StringComparison.OrdinalIgnoreCase);
    }
}
