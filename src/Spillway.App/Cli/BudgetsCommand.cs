using System.CommandLine;
using System.Text.Json;

namespace Spillway.App.Cli;

/// <summary>`spillway budgets` and `spillway limits`: what is left of them on a running server.</summary>
internal static class BudgetsCommand
{
    /// <summary>spillway budgets.</summary>
    public static Command Budgets() => Create("budgets", """
        List the budgets of a running server that somebody used: spent, reserved for requests in flight, left.

        What a crash left uncertain counts as spent until its window ends; it stands under "lost".

        Examples:
          spillway budgets
          spillway budgets --json
        """, BudgetLines, "No budget has been used yet.");

    /// <summary>spillway limits.</summary>
    public static Command Limits() => Create("limits", """
        List the rate limits of a running server that somebody met: requests inside, waiting, refused.

        Example:
          spillway limits
        """, LimitLines, "No rate limit has been met yet.");

    private static IEnumerable<string> BudgetLines(JsonElement answer)
    {
        foreach (var one in answer.GetProperty("budgets").EnumerateArray())
        {
            var lost = Text(one, "lost") is not "0" and var gone ? $"  lost {gone}" : "";
            var trouble = Text(one, "trouble") is { Length: > 0 } why ? $"  NOT WRITTEN: {why}" : "";
            yield return $"{Name(one)}  {Text(one, "window")}  limit {Text(one, "limit")}  "
                + $"spent {Text(one, "spent")}  reserved {Text(one, "reserved")}  left {Text(one, "left")}  "
                + $"until {Text(one, "ends")}{lost}{trouble}";
        }
    }

    private static IEnumerable<string> LimitLines(JsonElement answer) => answer.GetProperty("limits").EnumerateArray()
        .Select(one => $"{Name(one)}  inside {Number(one, "inside")}  waiting {Number(one, "waiting")}  "
            + $"refused {Number(one, "refused")}");

    private static Command Create(
        string name, string text, Func<JsonElement, IEnumerable<string>> lines, string nothing)
    {
        var (server, json) = (Commands.ServerOption(), Commands.JsonOption());
        var command = new Command(name, text) { server, json };
        command.SetAction((parsed, cancellation) => CommandException.GuardAsync(async () =>
        {
            using var client = new ServerClient(parsed.GetValue(server)!);
            var answer = await client.GetAsync($"/admin/v1/{name}", cancellation).ConfigureAwait(false);
            var shown = parsed.GetValue(json)
                ? [answer.GetRawText()] : lines(answer).Select(TerminalText.Clean).ToList();
            foreach (var line in shown.Count > 0 ? shown : [nothing])
                Console.WriteLine(line);
            return Commands.Ok;
        }));
        return command;
    }

    private static string Name(JsonElement one) =>
        Text(one, "scope") is { Length: > 0 } scope ? $"{Text(one, "name")} [{scope}]" : Text(one, "name");

    private static string Text(JsonElement from, string name) => from.GetProperty(name).GetString() ?? "";

    private static long Number(JsonElement from, string name) => from.GetProperty(name).GetInt64();
}
