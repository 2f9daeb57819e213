using System.CommandLine;

namespace Spillway.App.Cli.Audit;

/// <summary>`spillway audit`: the audit log, from its files or from a running server.</summary>
internal static class AuditCommand
{
    /// <summary>Damage was found, or a proof does not hold.</summary>
    public const int Damaged = 3;

    public static Command Create()
    {
        var server = Commands.ServerOption();
        var json = Commands.JsonOption();
        var command = new Command("audit", """
            The audit log: its state, whether it is whole, its records and proofs.

            With --folder a command reads files, also beside a running server and without one; else it asks the server.

            Examples:
              spillway audit                                           state and last head of a running server's log
              spillway audit verify state/audit --key signing.pub.pem  is every record what was written?
              spillway audit export --request 7f3a12cc90e4b1d8
              spillway audit prove 4711 > proof.json                   for somebody who has only the public key
              spillway audit verify --proof proof.json --key signing.pub.pem
            """)
        {
            server, json, VerifyCommand.Create(), ExportCommand.Create(), ProveCommand.Create(), HeadsCommand.Create(),
            RetainCommand.Create(), RingCommand.Create(),
        };
        command.SetAction((parsed, cancellation) => CommandException.GuardAsync(() => StateAsync(
            parsed.GetValue(server)!, parsed.GetValue(json), cancellation)));
        return command;
    }

    /// <summary>--folder, for commands that read files.</summary>
    public static Option<string?> FolderOption() => new("--folder")
    {
        Description = "Read this log's files in place of asking a server: a log's folder, or a state folder.",
        HelpName = "folder",
    };

    private static async Task<int> StateAsync(string server, bool asJson, CancellationToken cancellation)
    {
        using var client = new ServerClient(server);
        var state = await client.GetAsync("/admin/v1/audit", cancellation).ConfigureAwait(false);
        if (asJson)
        {
            Console.WriteLine(state.GetRawText());
            return Commands.Ok;
        }

        var head = state.GetProperty("head");
        var signed = head.ValueKind is System.Text.Json.JsonValueKind.Object
            ? $"{head.GetProperty("size")} at {head.GetProperty("time").GetString()}, root "
                + $"{head.GetProperty("root").GetString()}"
            : "none yet";
        Line("log", state.GetProperty("log").GetString()!);
        Line("folder", state.GetProperty("folder").GetString()!);
        Line("records", $"{state.GetProperty("records")} written, {state.GetProperty("waiting")} waiting (most so far "
            + $"{state.GetProperty("waiting_max")}), {state.GetProperty("lost")} lost");
        Line("signed", signed);
        if (state.GetProperty("failure").GetString() is { Length: > 0 } failure)
            Line("FAILING", failure);
        return Commands.Ok;
    }

    private static void Line(string name, string value) => Console.WriteLine(TerminalText.Clean($"{name,-8} {value}"));
}
