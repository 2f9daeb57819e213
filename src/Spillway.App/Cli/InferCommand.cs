using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Spectre.Console;

namespace Spillway.App.Cli;

/// <summary>`spillway infer`: sends files to a model, one request each.</summary>
internal static class InferCommand
{
    public static Command Create()
    {
        var model = new Argument<string>("model") { Description = "A served name with one input, such as line-ocr." };
        var files = new Argument<string[]>("file")
        {
            Description = "Files, each sent as the raw bytes of one request.", Arity = ArgumentArity.OneOrMore,
        };
        var server = Commands.ServerOption();
        var key = Commands.KeyOption();
        var json = Commands.JsonOption();
        var command = new Command("infer", """
            Send files to a model, one request each, and print its outputs and where the time went.

            Examples:
              spillway infer line-ocr samples/ocr/*.png
              spillway infer line-ocr samples/ocr/invoice.png --json
            """)
        {
            model, files, server, key, json,
        };
        command.SetAction((parsed, cancellation) => CommandException.GuardAsync(() => InferAsync(
            Commands.Place(parsed, server, key), parsed.GetValue(model)!, parsed.GetValue(files)!,
                parsed.GetValue(json), cancellation)));
        return command;
    }

    private static async Task<int> InferAsync(
        ServerPlace server, string model, string[] files, bool asJson, CancellationToken cancellation)
    {
        using var client = new ServerClient(server);
        var failed = 0;
        foreach (var file in files)
        {
            try
            {
                var body = await ReadAsync(file, cancellation).ConfigureAwait(false);
                var (answer, headers) = await client.InferRawAsync(model, body, cancellation).ConfigureAwait(false);
                if (asJson)
                    Console.WriteLine(answer.GetRawText());
                else
                    Write(file, answer, Header(headers, "Server-Timing"), Header(headers, "X-Request-Id"));
            }
            catch (CommandException error)
            {
                failed++;
                await Console.Error.WriteLineAsync(TerminalText.Clean($"{file}: {error.Message}"))
                    .ConfigureAwait(false);
            }
        }

        return failed == 0 ? Commands.Ok : Commands.Failed;
    }

    private static async Task<byte[]> ReadAsync(string file, CancellationToken cancellation)
    {
        try
        {
            return await File.ReadAllBytesAsync(file, cancellation).ConfigureAwait(false);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new CommandException($"cannot be read: {error.Message}");
        }
    }

    private static void Write(string file, JsonElement answer, string timing, string id)
    {
        var writer = AnsiConsole.Console.Profile.Out.Writer;
        writer.WriteLine(TerminalText.Clean(file));
        foreach (var output in answer.GetProperty("outputs").EnumerateArray())
            writer.WriteLine(TerminalText.Clean($"  {output.GetProperty("name").GetString(),-12} "
                + $"{Values(output.GetProperty("data"))}"));
        WaterfallView.FromServerTiming(timing)?.Write(AnsiConsole.Console);
        if (id.Length > 0)
            writer.WriteLine(TerminalText.Clean($"  spillway explain {id}"));
    }

    private static string Values(JsonElement data)
    {
        const int most = 16;
        var values = data.EnumerateArray().Take(most).Select(v => v.ValueKind is JsonValueKind.Number
            ? v.GetDouble().ToString("0.####", CultureInfo.InvariantCulture)
            : v.ToString());
        return string.Join(", ", values) + (data.GetArrayLength() > most ? $", … {data.GetArrayLength()} in all" : "");
    }

    private static string Header(System.Net.Http.Headers.HttpResponseHeaders headers, string name) =>
        headers.TryGetValues(name, out var values) ? string.Join(", ", values) : "";
}
