using System.CommandLine;
using Spectre.Console;

namespace Spillway.App.Cli;

/// <summary>`spillway costs`: what things cost, and what an answer would cost on busier or idler hardware.</summary>
internal static class CostsCommand
{
    private static readonly string[] s_filters = ["tenant", "model", "owner"];

    public static Command Create()
    {
        var by = new Option<string>("--by")
        {
            Description = "tenant, model, owner, route, key or day.", DefaultValueFactory = _ => "tenant",
        };
        var from = new Option<string?>("--from") { Description = "First hour, as 2026-01-31 or 2026-01-31T08:00Z. "
            + "By default 24 hours ago." };
        var to = new Option<string?>("--to") { Description = "Until this hour. By default now." };
        var filters = Array.ConvertAll(s_filters, f =>
            new Option<string?>($"--{f}") { Description = $"Only this {f}." });
        var server = Commands.ServerOption();
        var json = Commands.JsonOption();
        var command = new Command("costs", """
            Show what answers cost, what ran in vain and what idle hardware cost, and how the cost of an answer follows
            from how busy the hardware is. Needs the sections prices and ledger in spillway.yaml. Times are UTC.

            Examples:
              spillway costs
              spillway costs --by owner --from 2026-01-01 --to 2026-02-01
              spillway costs --by day --model line-ocr --json
            """)
        {
            by, from, to, filters[0], filters[1], filters[2], server, json,
        };
        command.SetAction((parsed, cancellation) => CommandException.GuardAsync(() => ShowAsync(
            parsed.GetValue(server)!,
            Path([("by", parsed.GetValue(by)), ("from", parsed.GetValue(from)), ("to", parsed.GetValue(to)),
                .. s_filters.Select((f, i) => (f, parsed.GetValue(filters[i])))]),
            parsed.GetValue(json), cancellation)));
        return command;
    }

    private static string Path(IEnumerable<(string Name, string? Value)> asked) => "/admin/v1/costs?" + string.Join(
        '&', asked.Where(a => a.Value is not null).Select(a => $"{a.Name}={Uri.EscapeDataString(a.Value!)}"));

    private static async Task<int> ShowAsync(string server, string path, bool asJson, CancellationToken cancellation)
    {
        using var client = new ServerClient(server);
        var report = await client.GetAsync(path, cancellation).ConfigureAwait(false);
        if (asJson)
            Console.WriteLine(report.GetRawText());
        else
            AnsiConsole.Console.Profile.Out.Writer.Write(CostsView.Text(report));
        return Commands.Ok;
    }
}
