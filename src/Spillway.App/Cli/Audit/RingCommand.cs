using System.CommandLine;
using Spillway.App.Hosting;

namespace Spillway.App.Cli.Audit;

/// <summary>`spillway audit ring`: the keys that seal kept inputs.</summary>
internal static class RingCommand
{
    public static Command Create()
    {
        var config = new Option<string>("--config")
        {
            Description = "The configuration of a stopped server: works on its state folder.", HelpName = "path",
            Required = true,
        };
        var rotate = new Option<bool>("--rotate")
        {
            Description = "Make one more key, which seals from the next start on.",
        };
        var retire = new Option<string?>("--retire")
        {
            Description = "Take a key away for good: what it sealed can never be opened again.", HelpName = "id",
        };
        var command = new Command("ring", """
            The keys that seal the inputs which the audit log keeps (AES-256-GCM): the first seals, all of them open.
            Beside a stopped server.

            Examples:
              spillway audit ring --config spillway.yaml                  lists their ids
              spillway audit ring --config spillway.yaml --rotate         a new key seals from now on
              spillway audit ring --config spillway.yaml --retire k1f…    inputs sealed with it are gone
            """)
        {
            config, rotate, retire,
        };
        command.SetAction((parsed, _) => CommandException.GuardAsync(() =>
        {
            var ids = RingFolder.Change(
                parsed.GetValue(config)!, parsed.GetValue(rotate), parsed.GetValue(retire));
            for (var i = 0; i < ids.Count; i++)
                Console.WriteLine(i == 0 ? $"{ids[i]}  seals" : $"{ids[i]}  opens");
            return Task.FromResult(Commands.Ok);
        }));
        return command;
    }
}
