using System.CommandLine;

namespace Spillway.App.Cli.Converting;

/// <summary>`spillway convert litellm`: a configuration of another gateway as one of this server.</summary>
internal static class ConvertCommand
{
    public static Command Create() => new("convert", "Configurations of other gateways as a spillway.yaml.")
    {
        LiteLlm(),
    };

    private static Command LiteLlm()
    {
        var from = new Argument<string>("config") { Description = "LiteLLM's config.yaml." };
        var into = new Option<string>("--output", "-o")
        {
            Description = "The file to write; - for the terminal. A file that is there is left alone.",
            DefaultValueFactory = _ => "spillway.yaml", HelpName = "file",
        };
        var command = new Command("litellm", """
            Write a spillway.yaml that does what a LiteLLM proxy's config.yaml says: models, addresses, keys by
            reference, weights, fallbacks, retries, times, limits, prices. Every line that has no counterpart is named,
            with its number and why; keys that stand in the file itself are not copied.

            Examples:
              spillway convert litellm config.yaml
              spillway convert litellm config.yaml --output - | less

            Exit codes: 0 written, 1 the file cannot be read or written, 2 wrong usage.
            """)
        {
            from, into,
        };
        command.SetAction(parsed => Run(parsed.GetValue(from)!, parsed.GetValue(into)!));
        return command;
    }

    private static int Run(string from, string into)
    {
        if (into != "-" && File.Exists(into))
            return Fail($"{into} is there already. Name another file with --output, or move it away.");
        LiteLlmFile file;
        try
        {
            file = LiteLlmFile.Read(File.ReadAllText(from));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
        {
            return Fail($"{from} cannot be read: {e.Message}");
        }

        var converted = LiteLlmConversion.Convert(file);
        try
        {
            var text = ConvertedCheck.Write(converted, Path.GetFileName(from));
            if (into == "-")
                Console.Write(text);
            else
                File.WriteAllText(into, text);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Fail($"{into} cannot be written: {e.Message}");
        }

        foreach (var note in converted.Notes)
            Console.Error.WriteLine($"{from}:{note}");
        Console.Error.WriteLine(FormattableString.Invariant(
            $"{converted.Routes.Count} route(s) over {converted.Upstreams.Count} upstream(s); {converted.Notes.Count} ")
            + $"line(s) to look at.{(into == "-" ? "" : $" Look at {into}, then: spillway check {into}")}");
        return Commands.Ok;
    }

    private static int Fail(string message)
    {
        Console.Error.WriteLine(message);
        return Commands.Failed;
    }
}
