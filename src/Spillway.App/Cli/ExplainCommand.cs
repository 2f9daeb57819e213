using System.CommandLine;
using Spectre.Console;

namespace Spillway.App.Cli;

/// <summary>`spillway explain`: the waterfall of one recent request, and every decision with its reason.</summary>
internal static class ExplainCommand
{
    public static Command Create()
    {
        var id = new Argument<string>("request-id")
        {
            Description = "From the answer's header X-Request-Id; \"last\" takes the newest request.",
            DefaultValueFactory = _ => "last",
        };
        var server = Commands.ServerOption();
        var key = Commands.KeyOption();
        var json = Commands.JsonOption();
        var command = new Command("explain", """
            Show where the time of one recent request went, and each decision over it with its reason.

            Examples:
              spillway explain                       the newest request
              spillway explain 7f3a12cc90e4b1d8
              spillway explain last --json
            """)
        {
            id, server, key, json,
        };
        command.SetAction((parsed, cancellation) => CommandException.GuardAsync(() => ExplainAsync(
            Commands.Place(parsed, server, key), parsed.GetValue(id)!, parsed.GetValue(json), cancellation)));
        return command;
    }

    private static async Task<int> ExplainAsync(ServerPlace server, string id, bool asJson,
        CancellationToken cancellation)
    {
        using var client = new ServerClient(server);
        var record = id == "last"
            ? (await client.GetAsync("/admin/v1/requests?limit=1", cancellation).ConfigureAwait(false))
                .GetProperty("requests").EnumerateArray().FirstOrDefault()
            : await client.GetAsync($"/admin/v1/requests/{Uri.EscapeDataString(id)}", cancellation)
                    .ConfigureAwait(false);
        if (record.ValueKind is System.Text.Json.JsonValueKind.Undefined)
            throw new CommandException("The server has answered no request yet. Send one first, as in: spillway infer "
                + "line-ocr samples/ocr/invoice.png");
        if (asJson)
            Console.WriteLine(record.GetRawText());
        else
            ExplainView.Write(record, AnsiConsole.Console);
        return Commands.Ok;
    }
}
