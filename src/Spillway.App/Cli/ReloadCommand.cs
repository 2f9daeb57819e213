using System.CommandLine;
using System.Text.Json;
using Spillway.Config;

namespace Spillway.App.Cli;

/// <summary>`spillway reload`: a running server reads its configuration again.</summary>
internal static class ReloadCommand
{
    public static Command Create()
    {
        var (server, json) = (Commands.ServerOption(), Commands.JsonOption());
        var command = new Command("reload", """
            Let a running server read its configuration again, and put in force what may change while it runs: routes
            over language models, their upstreams, keys and prices, rate limits and budgets. All of it is checked first;
            with a mistake nothing changes. What needs a restart is named. Requests and streams under way end with what
            they began with.

            Examples:
              spillway check spillway.yaml && spillway reload
              spillway reload --json

            Exit codes: 0 in force, 1 no server or no right, 2 mistakes found: nothing was changed.
            """)
        {
            server, json,
        };
        command.SetAction((parsed, cancellation) => CommandException.GuardAsync(async () =>
        {
            using var client = new ServerClient(parsed.GetValue(server)!);
            var (isDone, answer) = await client.TryPostAsync("/admin/v1/reload", cancellation).ConfigureAwait(false);
            if (parsed.GetValue(json))
                Console.WriteLine(answer.GetRawText());
            else if (isDone)
                Show(answer);
            else
                await Console.Error.WriteLineAsync(Mistakes(answer)).ConfigureAwait(false);
            return isDone ? Commands.Ok : Commands.Usage;
        }));
        return command;
    }

    private static void Show(JsonElement answer)
    {
        var (changed, waiting) = (Keys(answer, "changed"), Keys(answer, "needs_restart"));
        Console.WriteLine(TerminalText.Clean(changed.Count == 0
            ? $"{answer.GetProperty("source").GetString()}: nothing to change."
            : $"In force: {answer.GetProperty("source").GetString()}. Changed:"));
        foreach (var key in changed)
            Console.WriteLine(TerminalText.Clean($"  {key}"));
        foreach (var key in waiting)
            Console.WriteLine(TerminalText.Clean($"Needs a restart: {key}"));
    }

    /// <summary>As `spillway check` writes them.</summary>
    private static string Mistakes(JsonElement answer)
    {
        List<ConfigError> errors = [.. answer.GetProperty("errors").EnumerateArray().Select(e => new ConfigError(
            Text(e, "file"), Text(e, "key"), e.GetProperty("line").GetInt32(), e.GetProperty("column").GetInt32(),
            Text(e, "value"), Text(e, "problem"), Text(e, "remedy"), Text(e, "suggestion")))];
        return ConfigErrorText.Format(errors) + "Nothing was changed.";
    }

    private static string Text(JsonElement from, string name) =>
        TerminalText.Clean(from.GetProperty(name).GetString() ?? "");

    private static List<string> Keys(JsonElement answer, string name) =>
        [.. answer.GetProperty(name).EnumerateArray().Select(k => k.GetString() ?? "")];
}
