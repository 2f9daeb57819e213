using System.CommandLine;
using Spillway.App.Simulate;
using Spillway.Runtimes.Simulated.Chat;

namespace Spillway.App.Cli;

/// <summary>`spillway simulate openai`: a language model's server that is none.</summary>
internal static class SimulateCommand
{
    private const int PortDefault = 18080;

    public static Command Create() => new("simulate", "Simulated servers, to test what stands before real ones.")
    {
        OpenAi(),
    };

    private static Command OpenAi()
    {
        var defaults = new SimulatedChatOptions();
        var port = Number("--port", PortDefault, "The port on 127.0.0.1; 0 takes a free one.");
        var speed = Real("--tokens-per-second", defaults.TokensPerSecond, "Tokens that it writes a second.");
        var first = Real("--first-token-ms", defaults.FirstTokenMs, "Time to the first token of an empty prompt.");
        var length = Number("--answer-tokens", defaults.AnswerTokens, "Tokens of an answer.");
        var rate = Real("--fault-rate", 0, "Share of the requests that misbehave, 0 to 1.");
        var how = new Option<string>("--misbehave")
        {
            Description = $"How they do: {string.Join(", ", SimulatedChat.Models.Skip(1))}.",
            DefaultValueFactory = _ => SimulatedChat.NameOf(Misbehaviour.Error), HelpName = "word",
        };
        how.AcceptOnlyFromAmong([.. SimulatedChat.Models.Skip(1)]);
        var before = Number("--tokens-before-fault", defaults.TokensBeforeFault,
            "Tokens before a fault in mid-answer.");
        var seed = Number("--seed", defaults.Seed, "Seed of the draws.");
        var command = new Command("openai", """
            A server of OpenAI's protocol in which no model runs: it answers at a declared speed and misbehaves on
            request. A request whose model is the name of a misbehaviour always misbehaves so, and the header X-Simulate
            does the same for any model. Every answer says that it is simulated.

            Examples:
              spillway simulate openai
              spillway simulate openai --fault-rate 0.1 --misbehave truncated-chunk
              curl -N 127.0.0.1:18080/v1/chat/completions -H 'Content-Type: application/json' \
                -d '{"model":"half-character","stream":true,"messages":[{"role":"user","content":"hi"}]}'
            """)
        {
            port, speed, first, length, rate, how, before, seed,
        };
        command.SetAction((parsed, stop) => RunAsync(
            parsed.GetValue(port), new()
            {
                TokensPerSecond = parsed.GetValue(speed), FirstTokenMs = parsed.GetValue(first),
                AnswerTokens = parsed.GetValue(length), FaultRate = parsed.GetValue(rate),
                Misbehaviour =
                    Enum.GetValues<Misbehaviour>().First(m => SimulatedChat.NameOf(m) == parsed.GetValue(how)),
                TokensBeforeFault = parsed.GetValue(before), Seed = parsed.GetValue(seed),
            }, stop));
        return command;
    }

    private static async Task<int> RunAsync(int port, SimulatedChatOptions options, CancellationToken stop)
    {
        if (Wrong(port, options) is { } wrong)
        {
            await Console.Error.WriteLineAsync(wrong).ConfigureAwait(false);
            return Commands.Usage;
        }

        try
        {
            var server = await SimulatedModelServer.StartAsync(options, port).ConfigureAwait(false);
            await using (server.ConfigureAwait(false))
            {
                Console.WriteLine($"Simulated models on {server.Address}v1 (no real model runs): "
                    + $"{string.Join(", ", SimulatedChat.Models)}");
                await server.UntilStoppedAsync(stop).ConfigureAwait(false);
            }

            return Commands.Ok;
        }
        catch (IOException taken)
        {
            await Console.Error.WriteLineAsync(
                $"Cannot listen on 127.0.0.1:{port}: {taken.Message} Take another: --port 0.")
                .ConfigureAwait(false);
            return Commands.Failed;
        }
    }

    private static string? Wrong(int port, SimulatedChatOptions options) =>
        port is < 0 or > 65_535 ? $"--port is {port}; it is 0 to 65535."
        : options.TokensPerSecond is not (>= 0.01 and <= 1e9) ? "--tokens-per-second is 0.01 to 1000000000."
        : options.FirstTokenMs is not (>= 0 and <= 600_000) ? "--first-token-ms is 0 to 600000."
        : options.AnswerTokens is < 1 or > 1_000_000 ? "--answer-tokens is 1 to 1000000."
        : options.FaultRate is not (>= 0 and <= 1) ? "--fault-rate is 0 to 1."
        : options.TokensBeforeFault < 0 ? "--tokens-before-fault is 0 or more."
        : null;

    private static Option<int> Number(string name, int value, string text) =>
        new(name) { Description = text, DefaultValueFactory = _ => value, HelpName = "n" };

    private static Option<double> Real(string name, double value, string text) =>
        new(name) { Description = text, DefaultValueFactory = _ => value, HelpName = "x" };
}
