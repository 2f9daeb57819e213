using System.CommandLine;
using System.Text;
using System.Text.Json;

namespace Spillway.App.Cli;

/// <summary>`spillway switch`: the kill switch of a running server.</summary>
internal static class SwitchCommand
{
    public static Command Create()
    {
        var server = Commands.ServerOption();
        var json = Commands.JsonOption();
        var command = new Command("switch", """
            Show what is switched off; switch off everything, a model, a route or a tenant, and on again.

            A switch holds for the very next request and survives a restart. When nothing else works, a file named `off`
            in the server's state folder switches everything off, within 50 ms: touch state/off.

            Examples:
              spillway switch
              spillway switch off --abort --why "wrong answers"
              spillway switch off --model line-ocr
              spillway switch on --model line-ocr
            """)
        {
            server, json, Flip("off"), Flip("on"),
        };
        command.SetAction((parsed, cancellation) => CommandException.GuardAsync(async () =>
        {
            using var client = new ServerClient(parsed.GetValue(server)!);
            var answer = await client.GetAsync("/admin/v1/switches", cancellation).ConfigureAwait(false);
            return Show(answer, parsed.GetValue(json));
        }));
        return command;
    }

    private static Command Flip(string verb)
    {
        var model = Named("--model", "Only this model (deployment).");
        var route = Named("--route", "Only this route (served name).");
        var tenant = Named("--tenant", "Only this tenant.");
        var why = new Option<string?>("--why")
        {
            Description = "The reason; callers and the log are told.", HelpName = "text",
        };
        var abort = new Option<bool>("--abort")
        {
            Description = "End what is in flight too; by default it is answered.",
        };
        var (server, json) = (Commands.ServerOption(), Commands.JsonOption());
        var command = new Command(verb, verb == "off" ? """
            Switch off: new requests are refused at once (503, switched_off), what is in flight is answered, or ended
            with --abort. Without a name everything is switched off.

            Examples:
              spillway switch off
              spillway switch off --tenant acme --abort
            """ : """
            Switch on again what `spillway switch off` switched off, by the same name.

            Example:
              spillway switch on --tenant acme
            """)
        {
            model, route, tenant, server, json,
        };
        if (verb == "off")
        {
            command.Options.Add(why);
            command.Options.Add(abort);
        }

        command.SetAction((parsed, cancellation) => CommandException.GuardAsync(async () =>
        {
            var path = Path(verb, ("model", parsed.GetValue(model)), ("route", parsed.GetValue(route)),
                ("tenant", parsed.GetValue(tenant)), ("why", verb == "off" ? parsed.GetValue(why) : null),
                ("abort", verb == "off" && parsed.GetValue(abort) ? "true" : null));
            using var client = new ServerClient(parsed.GetValue(server)!);
            return Show(await client.PostAsync(path, cancellation).ConfigureAwait(false), parsed.GetValue(json));
        }));
        return command;
    }

    private static Option<string?> Named(string option, string description) =>
        new(option) { Description = description, HelpName = "name" };

    private static string Path(string verb, params (string Name, string? Value)[] query)
    {
        var path = new StringBuilder($"/admin/v1/switches/{verb}");
        var joint = '?';
        foreach (var (name, value) in query)
        {
            if (value is null)
                continue;
            path.Append(joint).Append(name).Append('=').Append(Uri.EscapeDataString(value));
            joint = '&';
        }

        return path.ToString();
    }

    private static int Show(JsonElement answer, bool asJson)
    {
        if (asJson)
        {
            Console.WriteLine(answer.GetRawText());
            return Commands.Ok;
        }

        var off = answer.GetProperty("off").EnumerateArray().ToList();
        Console.WriteLine(off.Count == 0 ? "Everything is on." : "Off:");
        foreach (var one in off)
        {
            var (what, name, why) = (Text(one, "what"), Text(one, "name"), Text(one, "why"));
            var file = one.GetProperty("by_file").GetBoolean() ? "  by the file `off` in the state folder" : "";
            Console.WriteLine(TerminalText.Clean(
                $"  {what}{(name.Length > 0 ? " " + name : "")}  since {Text(one, "since")}{file}"
                + (why.Length > 0 ? $"  ({why})" : "")));
        }

        if (answer.TryGetProperty("ended_in_flight", out var ended) && ended.GetInt32() > 0)
            Console.WriteLine($"Ended in flight: {ended.GetInt32()}.");
        if (Text(answer, "why_not") is { Length: > 0 } reason)
        {
            Console.Error.WriteLine(TerminalText.Clean($"It would not survive a restart: {reason}"));
            return Commands.Failed;
        }

        return Commands.Ok;
    }

    private static string Text(JsonElement from, string name) =>
        from.TryGetProperty(name, out var value) ? value.GetString() ?? "" : "";
}
