using System.CommandLine;
using System.Text.Json;
using Spillway.Store.Audit;

namespace Spillway.App.Cli.Audit;

/// <summary>`spillway audit heads`: signed heads, one a line, to keep elsewhere.</summary>
internal static class HeadsCommand
{
    public static Command Create()
    {
        var folder = AuditCommand.FolderOption();
        var server = Commands.ServerOption();
        var last = new Option<int>("--last")
        {
            Description = "How many, the newest; 1 to 1000.", DefaultValueFactory = _ => 1,
        };
        var command = new Command("heads", """
            Print signed heads, one line of JSON each. Keep some where the server's owner cannot write: they prove
            later that nothing before them was changed.

            Examples:
              spillway audit heads >> /mnt/elsewhere/heads.jsonl
              spillway audit heads --folder state/audit --last 100
            """)
        {
            folder, server, last,
        };
        command.SetAction((parsed, cancellation) => CommandException.GuardAsync(() => RunAsync(
            parsed.GetValue(folder), parsed.GetValue(server)!, Math.Clamp(parsed.GetValue(last), 1, 1000),
                cancellation)));
        return command;
    }

    private static async Task<int> RunAsync(string? folder, string server, int last, CancellationToken cancellation)
    {
        if (folder is not null)
        {
            foreach (var head in AuditFolder.ReadHeads(AuditSource.Folder(folder).Heads).Heads.TakeLast(last))
                Console.WriteLine(head.Line());
            return Commands.Ok;
        }

        using var client = new ServerClient(server);
        var answer = await client.GetAsync($"/admin/v1/audit/heads?limit={last}", cancellation).ConfigureAwait(false);
        foreach (var head in answer.GetProperty("heads").EnumerateArray())
            Console.WriteLine(JsonSerializer.Serialize(head));
        return Commands.Ok;
    }
}
