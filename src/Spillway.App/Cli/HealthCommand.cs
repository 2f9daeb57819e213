using System.CommandLine;

namespace Spillway.App.Cli;

/// <summary>`spillway health`: one question to a running server, for containers and scripts. Needs no curl.</summary>
internal static class HealthCommand
{
    /// <summary>Shorter than the patience of whoever asks for a container's health.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(4);

    public static Command Create()
    {
        var server = Commands.ServerOption();
        server.DefaultValueFactory = _ => OwnAddress();
        server.Description = "The running server. By default SPILLWAY_SERVER, or the port that SPILLWAY__SERVER__PORT "
            + "gives the server beside this command, or http://127.0.0.1:8000.";
        var live = new Option<bool>("--live")
        {
            Description = "Ask only whether it runs, not whether every model is ready.",
        };
        var command = new Command("health", """
            Ask a running server whether it is ready: exit code 0 when it is, 1 when it is not.

            Examples:
              spillway health
              spillway health --live --server http://127.0.0.1:8080
            """)
        {
            server, live,
        };
        command.SetAction((parsed, cancellation) => CommandException.GuardAsync(
            () => AskAsync(parsed.GetValue(server)!, parsed.GetValue(live), cancellation)));
        return command;
    }

    private static string OwnAddress() => Environment.GetEnvironmentVariable("SPILLWAY_SERVER")
        ?? $"http://127.0.0.1:{Environment.GetEnvironmentVariable("SPILLWAY__SERVER__PORT") ?? "8000"}";

    private static async Task<int> AskAsync(string server, bool isLive, CancellationToken cancellation)
    {
        var question = isLive ? "live" : "ready";
        using var late = new CancellationTokenSource(s_patience, TimeProvider.System);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellation);
        using var client = new ServerClient(server);
        try
        {
            var (status, warning) = await client.StatusAsync($"/v2/health/{question}", either.Token)
                .ConfigureAwait(false);
            if (status is 200)
            {
                Console.WriteLine(question);
                if (warning.Length > 0)
                    Console.WriteLine(TerminalText.Clean(warning));
                return Commands.Ok;
            }

            throw new CommandException($"{server} is not {question}: it answered {status}.");
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new CommandException($"{server} did not answer within {s_patience.TotalSeconds:0} s.");
        }
    }
}
