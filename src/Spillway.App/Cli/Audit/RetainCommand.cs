using System.CommandLine;

namespace Spillway.App.Cli.Audit;

/// <summary>`spillway audit retain`: have inputs deleted that are older than they may be.</summary>
internal static class RetainCommand
{
    public static Command Create()
    {
        var server = Commands.ServerOption();
        var command = new Command("retain", """
            Have a running server delete the encrypted inputs that are older than audit.payloadDays now; it does so
            each hour by itself. The log stays verifiable: it holds their hashes, and says what was deleted.

            Example:
              spillway audit retain
            """)
        {
            server,
        };
        command.SetAction((parsed, cancellation) => CommandException.GuardAsync(async () =>
        {
            using var client = new ServerClient(parsed.GetValue(server)!);
            await client.PostAsync("/admin/v1/audit/retain", cancellation).ConfigureAwait(false);
            Console.WriteLine("Asked for; the log has a record payloads.deleted when something was old enough.");
            return Commands.Ok;
        }));
        return command;
    }
}
