using System.CommandLine;
using System.Text.Encodings.Web;
using System.Text.Json;
using Spillway.App.Hosting;
using Spillway.Config;
using Spillway.Config.Repository;

namespace Spillway.App.Cli;

/// <summary>`spillway config`: the effective configuration of one model, offline, in the form that is wanted.</summary>
internal static class ConfigCommand
{
    public static Command Create()
    {
        var model = new Argument<string>("model")
        {
            Description = "A model of the configuration or of its repository.",
        };
        var config = new Option<string>("--config")
        {
            Description = "A spillway.yaml, or the folder that holds one.",
            DefaultValueFactory = _ => ".",
            HelpName = "path",
        };
        var form = new Option<string>("--as")
        {
            Description = "model.yaml, Triton's config.pbtxt, or Triton's JSON as a load request takes it.",
            DefaultValueFactory = _ => "yaml",
        };
        form.AcceptOnlyFromAmong("yaml", "pbtxt", "json");
        var version = new Option<int?>("--version-number")
        {
            Description = "A version that the policy chooses; by default the newest of them.",
            HelpName = "number",
        };
        var command = new Command("config", """
            Print the effective configuration of a model, every default filled in. No server is needed.

            Examples:
              spillway config line-ocr --config samples/demo
              spillway config resnet --as pbtxt > config.pbtxt
              spillway config resnet --as json --version-number 3

            Exit codes: 0 printed, 2 no such model, or mistakes found.
            """)
        {
            model, config, form, version,
        };
        command.SetAction(parsed => CommandException.GuardAsync(() => Task.FromResult(Print(
            parsed.GetValue(model)!, parsed.GetValue(config)!, parsed.GetValue(form)!, parsed.GetValue(version)))));
        return command;
    }

    private static int Print(string name, string config, string form, int? version)
    {
        var result = Composition.LoadConfig(config);
        if (!result.Valid)
        {
            Console.Error.WriteLine(ConfigErrorText.Format(result.Errors));
            return Commands.Usage;
        }

        if (result.Models.FirstOrDefault(m => m.Name == name) is { } listed)
        {
            Write(new(listed, repository: null), form);
            return Commands.Ok;
        }

        var reader = Composition.Repository(result);
        var folder = reader?.Read(name) ?? throw new CommandException(Unknown(name, result, reader), Commands.Usage);
        if (folder.Notes.Count > 0)
            Console.Error.WriteLine(ConfigErrorText.FormatNotes(folder.Notes));
        var chosen = version is null && folder.Versions.Count > 0 ? folder.Versions[^1]
            : folder.Versions.FirstOrDefault(v => v.Number == version);
        if (folder.Errors.Count > 0)
            Console.Error.WriteLine(ConfigErrorText.Format(folder.Errors));
        else if (chosen is null)
            throw new CommandException(
                $"Version {version} of {name} is not served. Served are "
                + $"{string.Join(", ", folder.Versions.Select(v => v.Number))}; "
                + "name one of them, or change the version policy.", Commands.Usage);
        if (chosen is not null)
            Write(new(chosen.Options, folder), form);
        return folder.Errors.Count == 0 ? Commands.Ok : Commands.Usage;
    }

    private static string Unknown(string name, ConfigResult result, RepositoryReader? reader)
    {
        string[] names = [.. result.Models.Select(m => m.Name), .. reader?.Read().Models.Select(m => m.Name) ?? []];
        return $"There is no model {name}. The configuration has: {string.Join(", ", names.Take(50))}"
            + $"{(names.Length > 50 ? " …" : "")}.";
    }

    private static void Write(ModelText text, string form)
    {
        if (form != "json")
        {
            Console.Write(form == "yaml" ? text.Yaml() : text.Pbtxt());
            return;
        }

        using var output = Console.OpenStandardOutput();
        var layout = new JsonWriterOptions { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
        using (var json = new Utf8JsonWriter(output, layout))
            text.WriteTritonJson(json);
        output.WriteByte((byte)'\n');
    }
}
