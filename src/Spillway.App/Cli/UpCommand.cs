using System.CommandLine;
using Spillway.App.Hosting;

namespace Spillway.App.Cli;

/// <summary>`spillway up`: serves a configuration in the foreground.</summary>
internal static class UpCommand
{
    public static Command Create()
    {
        var config = new Argument<string>("config")
        {
            Description = "A spillway.yaml, or the folder that holds one.",
            DefaultValueFactory = _ => ".",
        };
        var hints = new Option<bool>("--hints") { Description = "Say what to try next, once every model is ready." };
        var command = new Command("up", """
            Serve the models of a configuration in the foreground. Ctrl-C or SIGTERM drains and exits with 0.

            Examples:
              spillway up samples/demo
              SPILLWAY__SERVER__PORT=8080 spillway up samples/demo
            """)
        {
            config, hints,
        };
        command.SetAction((parsed, cancellation) =>
            Server.RunAsync(parsed.GetValue(config)!, parsed.GetValue(hints), cancellation));
        return command;
    }
}
