using System.CommandLine;
using System.Globalization;
using Spillway.Store.Audit;

namespace Spillway.App.Cli.Audit;

/// <summary>`spillway audit prove`: that a record is in the log, or that the log only grew.</summary>
internal static class ProveCommand
{
    public static Command Create()
    {
        var what = new Argument<string?>("record")
        {
            Description = "An index, or a request's id.", DefaultValueFactory = _ => null,
        };
        var since = new Option<long?>("--since")
        {
            Description = "Prove in place of a record that the log continues the head of so many records.",
                HelpName = "size",
        };
        var folder = AuditCommand.FolderOption();
        var server = Commands.ServerOption();
        var command = new Command("prove", """
            Print a proof, for somebody who has nothing but the log's public key: that a record is in the log, or
            (--since) that nothing was changed since an earlier head. `spillway audit verify --proof` checks it.

            Examples:
              spillway audit prove 4711 > proof.json
              spillway audit prove 7f3a12cc90e4b1d8 --folder state/audit
              spillway audit prove --since 1000
            """)
        {
            what, since, folder, server,
        };
        command.SetAction((parsed, cancellation) => CommandException.GuardAsync(() => RunAsync(
            parsed.GetValue(what), parsed.GetValue(since), parsed.GetValue(folder), parsed.GetValue(server)!,
            cancellation)));
        return command;
    }

    private static async Task<int> RunAsync(
        string? what, long? since, string? folder, string server, CancellationToken cancellation)
    {
        if ((what is null) == (since is null))
            throw new CommandException("Name a record, or give --since with the size of an earlier head.",
                Commands.Usage);
        if (folder is not null)
        {
            Offline(AuditSource.Folder(folder), what, since);
            return Commands.Ok;
        }

        var isIndex = long.TryParse(what, NumberStyles.None, CultureInfo.InvariantCulture, out var index);
        var path = since is { } size ? $"consistency?first={size}"
            : isIndex ? $"proof?index={index}" : $"proof?request={Uri.EscapeDataString(what!)}";
        using var client = new ServerClient(server);
        var proof = await client.GetAsync($"/admin/v1/audit/{path}", cancellation).ConfigureAwait(false);
        Console.WriteLine(proof.GetRawText());
        return Commands.Ok;
    }

    private static void Offline(AuditFolder folder, string? what, long? since)
    {
        var reader = new AuditReader(folder);
        if (since is { } first)
        {
            var heads = AuditFolder.ReadHeads(folder.Heads).Heads;
            var before = heads.FirstOrDefault(h => h.Size == first)
                ?? throw new CommandException($"There is no head of {first} records; `spillway audit heads` lists "
                    + "them.");
            var path = Value(reader.ProveConsistent(first, heads[^1].Size));
            AuditSource.Write(json => AuditProofJson.Write(json, before, heads[^1], path));
            return;
        }

        if (!long.TryParse(what, NumberStyles.None, CultureInfo.InvariantCulture, out var index))
        {
            index = reader.FindRequest(what!)?.Index
                ?? throw new CommandException($"The log has no record of a request {what}.");
        }

        var proof = Value(reader.Prove(index));
        AuditSource.Write(json => AuditProofJson.Write(json, proof));
    }

    private static T Value<T>(Outcome<T> outcome) =>
        outcome.TryGet(out var value, out var fault) ? value : throw new CommandException(fault.Message);
}
