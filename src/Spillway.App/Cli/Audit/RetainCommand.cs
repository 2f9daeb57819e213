using System.CommandLine;
using Spillway.App.Hosting;

namespace Spillway.App.Cli.Audit;

/// <summary>`spillway audit retain`: have inputs deleted that are older than they may be.</summary>
internal static class RetainCommand
{
    public static Command Create()
    {
        var server = Commands.ServerOption();
        var config = new Option<string?>("--config")
        {
            Description = "The configuration of a stopped server: works on its state folder.", HelpName = "path",
        };
        var command = new Command("retain", """
            Delete the encrypted inputs that are older than audit.payloadDays now. A running server does so each hour
            by itself, and when it is asked; beside a stopped one --config does it. The log stays verifiable: it holds
            their hashes, and says what was deleted.

            Examples:
              spillway audit retain
              spillway audit retain --config spillway.yaml     while the server is down
            """)
        {
            server, config,
        };
        command.SetAction((parsed, cancellation) => CommandException.GuardAsync(async () =>
        {
            if (parsed.GetValue(config) is { } file)
            {
                Tell(await RetentionFolder.RetainAsync(file).ConfigureAwait(false));
                return Commands.Ok;
            }

            using var client = new ServerClient(parsed.GetValue(server)!);
            await client.PostAsync("/admin/v1/audit/retain", cancellation).ConfigureAwait(false);
            Console.WriteLine("Asked for; the log has a record payloads.deleted when something was old enough.");
            return Commands.Ok;
        }));
        return command;
    }

    private static void Tell(IReadOnlyList<string> deleted)
    {
        foreach (var name in deleted)
            Console.WriteLine($"deleted {name}");
        Console.WriteLine(
            deleted.Count == 0 ? "Nothing was old enough." : $"{deleted.Count} file(s); the log says so.");
    }
}
