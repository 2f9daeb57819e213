using System.CommandLine;
using Spillway.App.Cli.Keys;
using Spillway.App.Cli.Planning;
using Spillway.App.Cli.Audit;
using Spillway.App.Cli.Converting;
using Spillway.App.Cli.Diagnosing;
using Spillway.App.Cli.Drills;
using Spillway.App.Cli.Top;
using Spillway.App.Load;
using Spectre.Console;

namespace Spillway.App.Cli;

/// <summary>The command line: every command, in the order of a newcomer's questions.</summary>
internal static class Commands
{
    /// <summary>Everything went well.</summary>
    public const int Ok = 0;

    /// <summary>It was tried and failed: the server said no, a file is wrong, a model did not load.</summary>
    public const int Failed = 1;

    /// <summary>The command itself was wrong.</summary>
    public const int Usage = 2;

    /// <summary>Where the command line finds its key.</summary>
    public const string KeyVariable = "SPILLWAY_KEY";

    /// <summary>Ended by Ctrl-C.</summary>
    public const int Interrupted = 130;

    /// <summary>Runs one command line.</summary>
    public static async Task<int> RunAsync(string[] args)
    {
        // Colours are for terminals; a file or a pipe gets the text alone.
        if (Console.IsOutputRedirected)
            AnsiConsole.Console = AnsiConsole.Create(
                new() { Ansi = AnsiSupport.No, ColorSystem = ColorSystemSupport.NoColors });
        var parsed = Root().Parse(args);
        // By default a command is cut off two seconds after a signal; a server may drain for longer.
        var code = await parsed.InvokeAsync(new() { ProcessTerminationTimeout = Timeout.InfiniteTimeSpan }).ConfigureAwait(false);
        return parsed.Errors.Count > 0 ? Usage : code;
    }

    /// <summary>Every command.</summary>
    internal static RootCommand Root()
    {
        var root = new RootCommand("""
            Spillway serves models behind one door, keeps answers inside their deadlines, and explains every millisecond.

            Try:
              spillway up samples/demo                                serve the demo on http://127.0.0.1:8000
              spillway infer line-ocr samples/ocr/invoice.png         ask it something
              spillway load --model line-ocr --raw samples/ocr/invoice.png --rate 200 --duration 10s
                                                                      flood it, and watch it shed
              spillway explain <request-id>                           where the time of one request went
              spillway top                                            watch it, each second

            Exit codes: 0 done, 1 tried and failed, 2 wrong usage or configuration, 130 interrupted.
            """);
        root.Subcommands.Add(UpCommand.Create());
        root.Subcommands.Add(CheckCommand.Create());
        root.Subcommands.Add(ReloadCommand.Create());
        root.Subcommands.Add(ConfigCommand.Create());
        root.Subcommands.Add(ConvertCommand.Create());
        root.Subcommands.Add(ModelsCommand.Create());
        root.Subcommands.Add(KeysCommand.Create());
        root.Subcommands.Add(HealthCommand.Create());
        root.Subcommands.Add(InferCommand.Create());
        root.Subcommands.Add(LoadCommand.Create());
        root.Subcommands.Add(ExplainCommand.Create());
        root.Subcommands.Add(DiagnoseCommand.Create());
        root.Subcommands.Add(SwitchCommand.Create());
        root.Subcommands.Add(RolloutCommand.Create());
        root.Subcommands.Add(DrillCommand.Create());
        root.Subcommands.Add(BudgetsCommand.Budgets());
        root.Subcommands.Add(BudgetsCommand.Limits());
        root.Subcommands.Add(TopCommand.Create());
        root.Subcommands.Add(CostsCommand.Create());
        root.Subcommands.Add(ProfileCommand.Create());
        root.Subcommands.Add(PlanCommand.Create());
        root.Subcommands.Add(SimulateCommand.Create());
        root.Subcommands.Add(CanaryCommand.Create());
        root.Subcommands.Add(AuditCommand.Create());
        root.Subcommands.Add(SignCommand.Create());
        return root;
    }

    /// <summary>--server, for commands that talk to a running one.</summary>
    public static Option<string> ServerOption() => new("--server")
    {
        Description = "The running server. By default SPILLWAY_SERVER, or http://127.0.0.1:8000.",
        DefaultValueFactory = _ => Environment.GetEnvironmentVariable("SPILLWAY_SERVER") ?? "http://127.0.0.1:8000",
        HelpName = "url",
    };

    /// <summary>--key, for commands that talk to a running server. No default, which help would print.</summary>
    public static Option<string> KeyOption() => new("--key")
    {
        Description = $"A key of the server. By default the variable {KeyVariable}, which other users of the machine "
            + "cannot see in the list of processes.",
        HelpName = "key",
    };

    /// <summary>What --server and --key say.</summary>
    public static ServerPlace Place(ParseResult parsed, Option<string> server, Option<string> key) =>
        new(parsed.GetValue(server)!, KeyOf(parsed.GetValue(key)));

    /// <summary>The key that a command sends; empty for none.</summary>
    public static string KeyOf(string? given) => given ?? Environment.GetEnvironmentVariable(KeyVariable) ?? "";

    /// <summary>--json, for programs.</summary>
    public static Option<bool> JsonOption() => new("--json") { Description = "Print JSON for programs in place of text." };
}
