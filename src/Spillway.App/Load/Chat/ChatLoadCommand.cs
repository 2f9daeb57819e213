using System.CommandLine;
using System.Globalization;
using System.Text.Json;

namespace Spillway.App.Load.Chat;

/// <summary>
/// `spillway load chat`: streamed chats against any OpenAI-compatible server, with the times that matter for them.
/// </summary>
internal static class ChatLoadCommand
{
    private const int TokensMax = 1_000_000;

    public static Command Create()
    {
        var model = new Argument<string>("model") { Description = "The model, or the route, that is asked for." };
        var server = Text("--url", "The server's base address with /v1.", "http://127.0.0.1:8000/v1");
        var key = new Option<string?>("--key")
        {
            Description = "Sent as Authorization: Bearer. By default SPILLWAY_KEY.",
        };
        var rate = Real("--rate", "Requests a second, open loop (Poisson). 0: a closed loop of --concurrency.", 0);
        var at = new Option<int>("--concurrency")
        {
            Description = "How many ask at once.", DefaultValueFactory = _ => 1,
        };
        var duration = Text("--duration", "How long requests are sent.", "10s");
        var timeout = Text("--timeout", "How long one request may take.", "2m");
        var prompt = Text("--prompt-tokens", "Length of prompts, N or FROM..TO (about four bytes a token).", "100");
        var answer = Text("--answer-tokens", "max_tokens, N or FROM..TO.", "64");
        var trace = new Option<string?>("--trace")
        {
            Description = "Arrivals and lengths from a CSV of Azure's format: TIMESTAMP,ContextTokens,GeneratedTokens.",
        };
        var speed = Real("--trace-speed", "Times as fast as recorded.", 1);
        var first = Text("--slo-first-token", "The promised time to the first token, for goodput: 500ms.", "");
        var pace = Text("--slo-per-token", "The promised time of each further token, for goodput: 50ms.", "");
        var seed = new Option<int>("--seed") { Description = "Of arrivals and lengths.", DefaultValueFactory = _ => 1 };
        var json = new Option<bool>("--json") { Description = "Print JSON for programs in place of text." };
        var command = new Command("chat", """
            Streams chats from an OpenAI-compatible server: time to the first token, time per token, gaps, tokens a
            second, and goodput. In an open loop times count from the instant at which a request was due.

            Examples:
              spillway load chat chat --rate 5 --duration 30s --prompt-tokens 50..400 --answer-tokens 20..100
              spillway load chat gpt-4o-mini --url http://127.0.0.1:18080/v1 --concurrency 16
              spillway load chat chat --trace AzureLLMInferenceTrace_conv.csv --trace-speed 10 --slo-first-token 500ms
            """)
        {
            model, server, key, rate, at, duration, timeout, prompt, answer, trace, speed, first, pace, seed, json,
        };
        command.SetAction(async (parsed, stop) =>
        {
            var (output, error) = (parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error);
            try
            {
                var options = new ChatLoadOptions
                {
                    Address = Uri.TryCreate(parsed.GetValue(server), UriKind.Absolute, out var url) ? url
                        : throw LoadException.Usage("--url is not an address such as http://127.0.0.1:8000/v1."),
                    Model = parsed.GetValue(model)!, Key = Cli.Commands.KeyOf(parsed.GetValue(key)),
                    Rate = parsed.GetValue(rate), Concurrency = Math.Clamp(parsed.GetValue(at), 1, 10_000),
                    Seconds = Quantity.Seconds("--duration", parsed.GetValue(duration)!),
                    TimeoutSeconds = Quantity.Seconds("--timeout", parsed.GetValue(timeout)!),
                    Prompt = Range("--prompt-tokens", parsed.GetValue(prompt)!),
                    Answer = Range("--answer-tokens", parsed.GetValue(answer)!),
                    Trace = parsed.GetValue(trace), TraceSpeed = Math.Max(parsed.GetValue(speed), 1e-6),
                    FirstTokenNs = Promise("--slo-first-token", parsed.GetValue(first)!),
                    PerTokenNs = Promise("--slo-per-token", parsed.GetValue(pace)!), Seed = parsed.GetValue(seed),
                };
                return await RunAsync(options, parsed.GetValue(json), output, stop);
            }
            catch (LoadException wrong)
            {
                await error.WriteLineAsync($"spillway load chat: {wrong.Message}");
                return wrong.ExitCode;
            }
        });
        return command;
    }

    internal static async Task<int> RunAsync(
        ChatLoadOptions options, bool isJson, TextWriter output, CancellationToken stop)
    {
        var report = new ChatLoadReport();
        var seconds = await ChatLoadRunner.RunAsync(options, report, new(TimeProvider.System), stop);
        if (isJson)
        {
            using var buffer = new MemoryStream();
            await using (var json = new Utf8JsonWriter(buffer))
                report.WriteJson(json, options, seconds);
            await output.WriteLineAsync(System.Text.Encoding.UTF8.GetString(buffer.ToArray()));
        }
        else
            report.Write(output, options, seconds);
        return stop.IsCancellationRequested ? ExitCodes.Interrupted : report.Ok > 0 ? ExitCodes.Fine : ExitCodes.Failed;
    }

    private static (int, int) Range(string option, string text)
    {
        var ends = text.Split("..");
        if (ends.Length is 1 or 2
            && int.TryParse(ends[0], NumberStyles.None, CultureInfo.InvariantCulture, out var from)
            && int.TryParse(ends[^1], NumberStyles.None, CultureInfo.InvariantCulture, out var to)
            && from is >= 1 && to >= from && to <= TokensMax)
            return (from, to);
        throw LoadException.Usage($"{option} '{text}' is not a number of tokens. Write 100, or 50..400.");
    }

    private static long Promise(string option, string text) =>
        text.Length == 0 ? 0 : (long)(Quantity.Seconds(option, text) * LoadClock.PerSecond);

    private static Option<string> Text(string name, string text, string value) =>
        new(name) { Description = text, DefaultValueFactory = _ => value, HelpName = "text" };

    private static Option<double> Real(string name, string text, double value) =>
        new(name) { Description = text, DefaultValueFactory = _ => value, HelpName = "x" };
}
