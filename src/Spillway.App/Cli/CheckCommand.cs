using System.CommandLine;
using System.Text.Json;
using Spillway.App.Hosting;
using Spillway.Config;

namespace Spillway.App.Cli;

/// <summary>`spillway check`: everything that is wrong with a configuration, at once.</summary>
internal static class CheckCommand
{
    public static Command Create()
    {
        var config = new Argument<string>("config")
        {
            Description = "A spillway.yaml, or the folder that holds one.",
            DefaultValueFactory = _ => ".",
        };
        var json = Commands.JsonOption();
        var effective = new Option<bool>("--effective") { Description = "Print the effective configuration, every default filled in, as JSON." };
        var command = new Command("check", """
            List every mistake of a configuration: file, line, key, value, and what to do.

            Examples:
              spillway check samples/demo
              spillway check --json spillway.yaml

            Exit codes: 0 nothing wrong, 2 mistakes found.
            """)
        {
            config, json, effective,
        };
        command.SetAction(parsed => Check(parsed.GetValue(config)!, parsed.GetValue(json), parsed.GetValue(effective)));
        return command;
    }

    private static int Check(string config, bool asJson, bool effective)
    {
        var result = Composition.LoadConfig(config);
        if (asJson)
            WriteJson(json => ConfigErrorText.WriteJson(json, result.Errors));
        else if (!result.Valid)
            Console.Error.WriteLine(ConfigErrorText.Format(result.Errors));
        else if (effective)
            WriteJson(Snapshot.From(result, number: 1, TimeProvider.System.GetUtcNow()).WriteJson);
        else
            Console.WriteLine($"{result.Source}: nothing wrong. {result.Models.Count} model(s): {string.Join(", ", result.Models.Select(m => m.Name))}.");
        return result.Valid ? Commands.Ok : Commands.Usage;
    }

    private static void WriteJson(Action<Utf8JsonWriter> write)
    {
        using var output = Console.OpenStandardOutput();
        using (var json = new Utf8JsonWriter(output, new() { Indented = true }))
            write(json);
        output.WriteByte((byte)'\n');
    }
}
