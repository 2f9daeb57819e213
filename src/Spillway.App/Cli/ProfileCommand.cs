using System.CommandLine;
using System.Text.Json;
using Spillway.App.Hosting;
using Spillway.App.Profile;
using Spillway.Config;
using Spillway.Runtimes.Onnx;

namespace Spillway.App.Cli;

/// <summary>`spillway profile`: what a model costs and how to serve it, measured in this process.</summary>
internal static class ProfileCommand
{
    public static Command Create()
    {
        var model = new Argument<string>("model")
        {
            Description = "A deployment of the configuration, or the path of an .onnx file.",
        };
        var config = new Option<string>("--config")
        {
            Description = "A spillway.yaml, or the folder that holds one, in which the model is declared.",
            DefaultValueFactory = _ => ".", HelpName = "path",
        };
        var shape = new Option<string[]>("--shape")
        {
            Description = "Typical shape of an input of an .onnx file, its first dimension 1: x=1,3,48,320. "
                + "Others are 1 where they vary.",
            HelpName = "input=dims",
        };
        var rows = new Option<int>("--rows-max")
        {
            Description = "Largest batch to try for an .onnx file, in rows.",
            DefaultValueFactory = _ => 32, HelpName = "rows",
        };
        var json = Commands.JsonOption();
        var command = new Command("profile", """
            Measure a model: load times with and without the cache, memory, time by batch size and threads,
            runs side by side, hot operators; and say how to serve it. It takes a few seconds of every core,
            so not beside a busy server.

            Examples:
              spillway profile line-ocr --config samples/demo
              spillway profile model.onnx --shape x=1,784
              spillway profile line-ocr --config samples/demo --json

            Exit codes: 0 done, 1 the model does not load or run, 2 wrong usage or configuration.
            """)
        {
            model, config, shape, rows, json,
        };
        command.SetAction((parsed, cancellation) => Task.FromResult(Run(
            parsed.GetValue(model)!, parsed.GetValue(config)!, parsed.GetValue(shape) ?? [], parsed.GetValue(rows),
            parsed.GetValue(json), cancellation)));
        return command;
    }

    private static int Run(string name, string config, string[] shapes, int rows, bool asJson,
        CancellationToken cancellation)
    {
        if (Find(name, config, shapes, rows, out var problem) is not { } model)
        {
            Console.Error.WriteLine($"spillway profile: {problem}");
            return Commands.Usage;
        }

        var terminal = !Console.IsErrorRedirected;
        Outcome<ProfileReport> outcome;
        try
        {
            outcome = new Profiler(model, what => Progress(terminal, $"{model.Name}: {what} …")).Run(cancellation);
        }
        catch (OperationCanceledException)
        {
            return Commands.Interrupted;
        }
        finally
        {
            Progress(terminal, "");
        }

        if (!outcome.TryGet(out var report, out var fault))
        {
            Console.Error.WriteLine($"spillway profile: {TerminalText.Clean(fault.Message)}");
            return fault.Kind is FaultKind.Cancelled ? Commands.Interrupted : Commands.Failed;
        }

        if (asJson)
            Console.WriteLine(JsonSerializer.Serialize(report, ProfileJson.Default.ProfileReport));
        else
            ProfileText.Write(Console.Out, report);
        return Commands.Ok;
    }

    private static void Progress(bool terminal, string text)
    {
        if (terminal)
            Console.Error.Write($"\r\x1b[K{TerminalText.Clean(text)}");
    }

    private static ModelOptions? Find(string name, string config, string[] shapes, int rows, out string problem)
    {
        if (name.EndsWith(".onnx", StringComparison.OrdinalIgnoreCase) || File.Exists(name))
            return FromFile(name, shapes, rows, out problem);
        var loaded = Composition.LoadConfig(config);
        problem = loaded.Valid ? "" : ConfigErrorText.Format(loaded.Errors);
        if (!loaded.Valid)
            return null;
        var model = loaded.Models.FirstOrDefault(m => m.Name == name || m.Serve.ContainsKey(name));
        if (model is null)
        {
            problem = $"there is no model '{name}' in {loaded.Source}; it has: "
                + $"{string.Join(", ", loaded.Models.Select(m => m.Name))}. "
                + "Name one of these, another --config, or the path of an .onnx file.";
        }
        else if (model.RuntimeOptions is not OnnxOptions)
        {
            problem = $"'{name}' runs on {model.Runtime}; only onnx models are profiled.";
            model = null;
        }

        return model;
    }

    private static ModelOptions? FromFile(string file, string[] shapes, int rows, out string problem)
    {
        problem = "";
        var typical = new Dictionary<string, IReadOnlyList<long>>();
        foreach (var shape in shapes)
        {
            var at = shape.LastIndexOf('=');
            List<long> dims = [];
            foreach (var dim in at > 0 ? shape[(at + 1)..].Split(',') : [])
            {
                if (long.TryParse(dim, out var size) && size > 0)
                    dims.Add(size);
            }

            if (dims.Count == 0 || dims.Count != shape[(at + 1)..].Split(',').Length)
            {
                problem = $"--shape '{shape}' is no shape. Write the input's name and positive numbers: x=1,3,48,320.";
                return null;
            }

            typical[shape[..at]] = dims;
        }

        if (rows < 1)
        {
            problem = $"--rows-max is {rows}; it must be at least 1.";
            return null;
        }

        return new()
        {
            Name = Path.GetFileNameWithoutExtension(file), File = Path.GetFullPath(file), Typical = typical,
            Batching = new() { BatchRowsMax = rows }, RuntimeOptions = new OnnxOptions(),
        };
    }
}
