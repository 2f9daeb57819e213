using System.CommandLine;
using System.Text.Json;
using Spillway.App.Hosting;
using Spillway.Config;
using Spillway.Config.Repository;

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
            List every mistake of a configuration and of its model repository: file, line, key, value, and what to do.
            Notes say what a config.pbtxt asks for that has no effect here, and which model has no owner.

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
        var view = Composition.Repository(result)?.Read();
        IReadOnlyList<ConfigError> errors = [.. result.Errors, .. view?.AllErrors ?? []];
        IReadOnlyList<ConfigError> notes = [.. result.Notes, .. view?.AllNotes ?? []];
        if (asJson)
            WriteJson(json => ConfigErrorText.WriteJson(json, errors, notes));
        else
            WriteText(result, view, errors, notes, effective);
        return errors.Count == 0 ? Commands.Ok : Commands.Usage;
    }

    private static void WriteText(ConfigResult result, RepositoryView? view, IReadOnlyList<ConfigError> errors,
        IReadOnlyList<ConfigError> notes, bool effective)
    {
        Console.Error.Write(ConfigErrorText.FormatNotes(notes));
        if (errors.Count > 0)
            Console.Error.WriteLine(ConfigErrorText.Format(errors));
        else if (effective)
            WriteJson(Snapshot.From(result, number: 1, TimeProvider.System.GetUtcNow()).WriteJson);
        else
            Console.WriteLine($"{result.Source}: nothing wrong. {Found(result, view)}");
    }

    private static string Found(ConfigResult result, RepositoryView? view)
    {
        var listed = $"{result.Models.Count} model(s): {string.Join(", ", result.Models.Select(m => m.Name))}.";
        if (view is null)
            return listed;
        var models = view.Models.Select(m => $"{m.Name} {string.Join(" and ", m.Versions.Select(v => v.Number))}");
        return $"{(result.Models.Count > 0 ? listed + " " : "")}Repository {view.Root} with "
            + $"{view.Models.Count} model(s): {string.Join(", ", models)}.";
    }

    private static void WriteJson(Action<Utf8JsonWriter> write)
    {
        using var output = Console.OpenStandardOutput();
        using (var json = new Utf8JsonWriter(output, new() { Indented = true }))
            write(json);
        output.WriteByte((byte)'\n');
    }
}
