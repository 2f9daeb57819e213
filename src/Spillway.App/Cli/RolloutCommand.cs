using System.CommandLine;
using System.Text;
using System.Text.Json;

namespace Spillway.App.Cli;

/// <summary>`spillway rollout`: another model takes over a route, step by step.</summary>
internal static class RolloutCommand
{
    public static Command Create() => new("rollout", """
        Let another model take the place of a route's first: for a growing share of callers, watched, stopped by itself
        when it is worse, and taken back with one command. No request is dropped by any of it.

        A route needs a section for it: routes.<name>.rollout in spillway.yaml.

        Examples:
          spillway rollout start line-ocr-resilient --challenger line-ocr-half --why "half the time"
          spillway rollout status
          spillway rollout promote line-ocr-resilient
          spillway rollout rollback line-ocr-resilient --why "wrong words since noon"
          spillway rollout history line-ocr-resilient
        """)
    {
        Change("start", """
            Begin: the challenger gets the first share of the route's callers. Every caller keeps its side.

            Example:
              spillway rollout start line-ocr-resilient --challenger line-ocr-half
            """),
        Status(),
        Change("promote", """
            The challenger becomes the champion, whatever step it is in; from the next request on it has all of them.

            Example:
              spillway rollout promote line-ocr-resilient --why "a week without a difference"
            """),
        Change("abort", """
            Stop: the champion has every request again, from the next one on.

            Example:
              spillway rollout abort line-ocr-resilient --why "a customer complains"
            """),
        Change("rollback", """
            The champion of before is it again, after a promotion; a rollout that is under way is aborted.

            Example:
              spillway rollout rollback line-ocr-resilient --why "wrong words since noon"
            """),
        History(),
    };

    private static Command Status()
    {
        var route = new Argument<string?>("route")
        {
            Description = "Only this route.", Arity = ArgumentArity.ZeroOrOne,
        };
        var (server, json) = (Commands.ServerOption(), Commands.JsonOption());
        var command = new Command("status", """
            Who answers, which share the challenger has, and what the guards have seen of it.

            Examples:
              spillway rollout status
              spillway rollout status line-ocr-resilient --json
            """)
        {
            route, server, json,
        };
        command.SetAction((parsed, cancellation) => CommandException.GuardAsync(async () =>
        {
            using var client = new ServerClient(parsed.GetValue(server)!);
            var name = parsed.GetValue(route);
            var answer = await client.GetAsync(Path(name), cancellation).ConfigureAwait(false);
            IEnumerable<JsonElement> all = name is null ? answer.GetProperty("rollouts").EnumerateArray() : [answer];
            return Print(answer, parsed.GetValue(json), [.. all.SelectMany(RolloutText.Status)],
                "No route declares a rollout: give one a section, routes.<name>.rollout.");
        }));
        return command;
    }

    private static Command History()
    {
        var (route, server, json) = (Route(), Commands.ServerOption(), Commands.JsonOption());
        var command = new Command("history", """
            Who did what to the rollouts of a route, and why; the oldest first.

            Example:
              spillway rollout history line-ocr-resilient
            """)
        {
            route, server, json,
        };
        command.SetAction((parsed, cancellation) => CommandException.GuardAsync(async () =>
        {
            using var client = new ServerClient(parsed.GetValue(server)!);
            var answer = await client.GetAsync(Path(parsed.GetValue(route)), cancellation).ConfigureAwait(false);
            return Print(answer, parsed.GetValue(json), [.. RolloutText.History(answer)], "Nothing has happened yet.");
        }));
        return command;
    }

    private static Command Change(string verb, string text)
    {
        var (route, server, json) = (Route(), Commands.ServerOption(), Commands.JsonOption());
        var challenger = new Option<string?>("--challenger")
        {
            Description = "What is to take over: a served name or an upstream. By default what the route declares.",
            HelpName = "name",
        };
        var why = new Option<string?>("--why")
        {
            Description = "The reason; the history, the log and the audit log keep it.", HelpName = "text",
        };
        var command = new Command(verb, text) { route, why, server, json };
        if (verb == "start")
            command.Options.Add(challenger);
        command.SetAction((parsed, cancellation) => CommandException.GuardAsync(async () =>
        {
            var path = new StringBuilder(Path(parsed.GetValue(route))).Append('/').Append(verb);
            path.Append("?why=").Append(Uri.EscapeDataString(parsed.GetValue(why) ?? ""));
            if (verb == "start" && parsed.GetValue(challenger) is { } named)
                path.Append("&challenger=").Append(Uri.EscapeDataString(named));
            using var client = new ServerClient(parsed.GetValue(server)!);
            var answer = await client.PostAsync(path.ToString(), cancellation).ConfigureAwait(false);
            var code = Print(answer, parsed.GetValue(json), [RolloutText.Done(answer)], "");
            if (!answer.TryGetProperty("why_not", out var kept))
                return code;
            Console.Error.WriteLine(TerminalText.Clean($"It would not survive a restart: {kept.GetString()}"));
            return Commands.Failed;
        }));
        return command;
    }

    private static Argument<string> Route() => new("route") { Description = "The route's name." };

    private static string Path(string? route) =>
        "/admin/v1/rollouts" + (route is null ? "" : "/" + Uri.EscapeDataString(route));

    private static int Print(JsonElement answer, bool asJson, IReadOnlyList<string> lines, string nothing)
    {
        IReadOnlyList<string> shown = asJson ? [answer.GetRawText()] : lines.Count > 0 ? lines : [nothing];
        foreach (var line in shown)
            Console.WriteLine(asJson ? line : TerminalText.Clean(line));
        return Commands.Ok;
    }
}
