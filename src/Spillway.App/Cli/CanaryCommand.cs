using System.CommandLine;
using Spillway.App.Hosting;

namespace Spillway.App.Cli;

/// <summary>
/// `spillway canary`: what a server starts to probe a model; hidden, because its input is the server's.
/// </summary>
internal static class CanaryCommand
{
    public static Command Create()
    {
        var command = new Command("canary",
            "Answer one question about a model on the standard input. For Spillway itself.")
        {
            Hidden = true,
        };
        command.SetAction((_, cancellation) => Task.FromResult(CanaryHost.Answer(cancellation)));
        return command;
    }
}
