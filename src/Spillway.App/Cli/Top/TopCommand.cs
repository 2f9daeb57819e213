using System.CommandLine;
using Spillway.App.Load;

namespace Spillway.App.Cli.Top;

/// <summary>`spillway top`: watch a running server.</summary>
internal static class TopCommand
{
    private const double IntervalMinSeconds = 0.1;
    private const double IntervalMaxSeconds = 3600;

    public static Command Create()
    {
        var server = Commands.ServerOption();
        var key = Commands.KeyOption();
        var interval = new Option<string>("--interval")
        {
            Description = "Time between two looks, as in 500ms or 5s; 100ms to 1h.", DefaultValueFactory = _ => "1s",
            HelpName = "time",
        };
        var filter = new Option<string>("--filter")
        {
            Description = "Only names that hold this text.", DefaultValueFactory = _ => "", HelpName = "text",
        };
        var sort = new Option<SortBy>("--sort")
        {
            Description = "Order of the models.", DefaultValueFactory = _ => SortBy.Name,
        };
        var plain = new Option<bool>("--plain")
        {
            Description = "Print lines in place of a screen; so too when the output is no terminal.",
        };
        var once = new Option<bool>("--once") { Description = "Print one interval as lines, and end." };
        var json = new Option<bool>("--json") { Description = "Print one line of JSON for each interval." };
        var command = new Command("top", """
            Watch a running server: rates, percentiles, stages, queues, batches, refusals, memory, each second.

            Keys: up and down choose a model, enter shows it alone with its stages, s sorts, r reverses, / filters,
            space pauses, ? helps, q quits. NO_COLOR=1 leaves the colours out.

            Examples:
              spillway top
              spillway top --sort p99 --filter ocr
              spillway top --once                      figures of one second, for a script or a log
              spillway top --json --interval 10s >> figures.jsonl
            """)
        {
            server, key, interval, filter, sort, plain, once, json,
        };
        command.SetAction((parsed, cancellation) => CommandException.GuardAsync(() => WatchAsync(
            new(Commands.Place(parsed, server, key), TimeProvider.System), Interval(parsed.GetValue(interval)!),
            new TopState { Filter = parsed.GetValue(filter)!, Sort = parsed.GetValue(sort) },
            new(parsed.GetValue(server)!, parsed.GetValue(plain), parsed.GetValue(once), parsed.GetValue(json)),
            cancellation)));
        return command;
    }

    private static async Task<int> WatchAsync(
        TopPoller poller, TimeSpan interval, TopState state, Wishes wishes, CancellationToken cancellation)
    {
        using var asking = poller;
        var session = new TopSession(poller, interval, TimeProvider.System);
        try
        {
            if (wishes.Lines || !TopTerminal.IsThere)
            {
                await session.RunLinesAsync(Console.Out, state, wishes.Json, wishes.Once, cancellation)
                    .ConfigureAwait(false);
                return Commands.Ok;
            }

            using var terminal = new TopTerminal();
            var screen = new TopScreen(wishes.Server, TopTerminal.Unicode);
            await session.RunAsync(terminal, screen, state, cancellation).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // Ctrl-C is how one leaves.
        }
        catch (IOException)
        {
            // Whoever read the lines has gone, as in: spillway top | head.
        }

        return Commands.Ok;
    }

    private static TimeSpan Interval(string text)
    {
        double seconds;
        try
        {
            seconds = Quantity.Seconds("--interval", text);
        }
        catch (LoadException error)
        {
            throw new CommandException(error.Message, Commands.Usage);
        }

        return seconds is >= IntervalMinSeconds and <= IntervalMaxSeconds ? TimeSpan.FromSeconds(seconds)
            : throw new CommandException($"--interval '{text}' is outside 100ms to 1h.", Commands.Usage);
    }

    private sealed record Wishes(string Server, bool Plain, bool Once, bool Json)
    {
        public bool Lines => Plain || Once || Json;
    }
}
