using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Spectre.Console;

namespace Spillway.App.Cli;

/// <summary>`spillway models`: what a running server serves, and how it is.</summary>
internal static class ModelsCommand
{
    public static Command Create()
    {
        var server = Commands.ServerOption();
        var key = Commands.KeyOption();
        var json = Commands.JsonOption();
        var command = new Command("models", """
            List what a running server serves: state, inputs, outputs, queue, batch size, typical time.

            Examples:
              spillway models
              spillway models --json --server http://127.0.0.1:8080
              spillway models load digits
              spillway models unload digits
            """)
        {
            server, key, json, Change("load"), Change("unload"),
        };
        command.SetAction((parsed, cancellation) => CommandException.GuardAsync(
            () => ListAsync(Commands.Place(parsed, server, key), parsed.GetValue(json), cancellation)));
        return command;
    }

    /// <summary>`spillway models load` and `unload`: of a repository under explicit control.</summary>
    private static Command Change(string verb)
    {
        var name = new Argument<string>("name") { Description = "The model's folder in the repository." };
        var server = Commands.ServerOption();
        var key = Commands.KeyOption();
        var json = Commands.JsonOption();
        var command = new Command(verb, verb == "load" ? """
            Load a model of the repository, or load it anew; returns when it answers. Needs repository.modelControl: explicit.

            Example:
              spillway models load digits
            """ : """
            Unload a model of the repository; what it holds is answered. Needs repository.modelControl: explicit.

            Example:
              spillway models unload digits
            """)
        {
            name, server, key, json,
        };
        command.SetAction((parsed, cancellation) => CommandException.GuardAsync(() => ChangeAsync(
            Commands.Place(parsed, server, key), parsed.GetValue(name)!, verb, parsed.GetValue(json), cancellation)));
        return command;
    }

    private static async Task<int> ChangeAsync(
        ServerPlace server, string name, string verb, bool asJson, CancellationToken cancellation)
    {
        using var client = new ServerClient(server);
        var path = $"/admin/v1/repository/models/{Uri.EscapeDataString(name)}/{verb}";
        var answer = await client.PostAsync(path, cancellation).ConfigureAwait(false);
        if (asJson)
        {
            Console.WriteLine(answer.GetRawText());
            return Commands.Ok;
        }

        foreach (var model in answer.GetProperty("models").EnumerateArray())
        {
            var version = model.TryGetProperty("version", out var number) ? $"  version {number}" : "";
            var reason = Text(model, "reason") is { Length: > 0 } why ? $"  ({why})" : "";
            Line($"{Text(model, "name")}{version}  {Text(model, "state")}{reason}");
        }

        return Commands.Ok;
    }

    private static async Task<int> ListAsync(ServerPlace server, bool asJson, CancellationToken cancellation)
    {
        using var client = new ServerClient(server);
        var answer = await client.GetAsync("/admin/v1/models", cancellation).ConfigureAwait(false);
        if (asJson)
        {
            Console.WriteLine(answer.GetRawText());
            return Commands.Ok;
        }

        foreach (var model in answer.GetProperty("models").EnumerateArray())
            Write(model);
        return Commands.Ok;
    }

    private static void Write(JsonElement model)
    {
        var simulated = model.TryGetProperty("simulated", out var s) && s.GetBoolean() ? "  (simulated)" : "";
        Line($"{Text(model, "name")}  version {Text(model, "version")}  {Text(model, "state")}{simulated}");
        if (model.TryGetProperty("reason", out var reason))
            Line($"  {reason.GetString()}");
        if (!model.TryGetProperty("inputs", out var inputs))
            return;
        Line($"  in       {Join(inputs)}");
        Line($"  out      {Join(model.GetProperty("outputs"))}");
        Line($"  runs on  {Text(model, "platform")}, {Text(model, "devices")}, {Text(model, "runners")} runner(s), "
            + $"batches up to {Text(model, "batch_rows_useful")} row(s)");
        Line($"  now      {Text(model, "queue_length")} of {Text(model, "queue_length_max")} queued, {Text(model, "active_runs")} running, "
            + $"a typical run takes {Ms(model, "typical_run_ms")} ms, predicted wait {Ms(model, "predicted_wait_ms")} ms");
    }

    private static void Line(string text) => AnsiConsole.Console.Profile.Out.Writer.WriteLine(TerminalText.Clean(text));

    private static string Join(JsonElement ports) => string.Join(" · ", ports.EnumerateArray().Select(p => p.GetString()));

    private static string Text(JsonElement model, string name) => model.GetProperty(name).ToString();

    private static string Ms(JsonElement model, string name) =>
        model.GetProperty(name).GetDouble().ToString("0.###", CultureInfo.InvariantCulture);
}
