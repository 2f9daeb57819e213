using System.CommandLine;
using System.Text.Json;

namespace Spillway.App.Cli.Keys;

/// <summary>`spillway keys`: who may call a server. Makes, lists, rotates and revokes keys.</summary>
internal static class KeysCommand
{
    public static Command Create() => new("keys", """
        Who may call a server: make, list, rotate and revoke keys. A running server is asked with an operator's key
        (--key or SPILLWAY_KEY); the first one is made beside a stopped server, with --config.

        Examples:
          spillway keys create --config spillway.yaml --tenant ops --role operator
          spillway keys create --tenant team-a --model line-ocr --expires 90d
          spillway keys list
          spillway keys rotate k3vq5n2xw7ab --grace 7d
          spillway keys revoke k3vq5n2xw7ab
        """)
    {
        CreateKey(), List(), Rotate(), Revoke(),
    };

    private static Command CreateKey()
    {
        var (place, order, json) = (new PlaceOptions(), new OrderOptions(), Commands.JsonOption());
        var command = new Command("create", """
            Make a key and print it. It is shown this once: only a digest is kept.

            Examples:
              spillway keys create --config spillway.yaml --tenant ops --role operator     the first key
              spillway keys create --tenant team-a --name "batch job" --expires 90d
              spillway keys create --tenant partner --model classify --top-k 1 --decimals 2
              spillway keys create --tenant partner --model classify --label-only
            """);
        place.AddTo(command);
        order.AddTo(command);
        command.Add(json);
        command.SetAction((parsed, cancellation) => CommandException.GuardAsync(async () =>
        {
            var body = order.Read(parsed);
            await using var desk = await place.OpenAsync(parsed).ConfigureAwait(false);
            var answer = await desk.AskAsync("keys", body, cancellation).ConfigureAwait(false);
            return KeyView.Issued(answer, parsed.GetValue(json));
        }));
        return command;
    }

    private static Command List()
    {
        var (place, json) = (new PlaceOptions(), Commands.JsonOption());
        var command = new Command("list", """
            List every key: id, tenant, roles, models, what it sees, state, last use. Never a secret.

            Example:
              spillway keys list
            """);
        place.AddTo(command);
        command.Add(json);
        command.SetAction((parsed, cancellation) => CommandException.GuardAsync(async () =>
        {
            await using var desk = await place.OpenAsync(parsed).ConfigureAwait(false);
            var answer = await desk.AskAsync("keys", body: null, cancellation).ConfigureAwait(false);
            return KeyView.All(answer, parsed.GetValue(json), TimeProvider.System.GetUtcNow());
        }));
        return command;
    }

    private static Command Rotate()
    {
        var (place, json, id) = (new PlaceOptions(), Commands.JsonOption(), IdArgument());
        var grace = new Option<string>("--grace")
        {
            Description = "How long the former secret works too, as 12h or 7d; 0 ends it at once. By default 1d.",
            DefaultValueFactory = _ => "1d", HelpName = "time",
        };
        var command = new Command("rotate", """
            Give a key another secret and print it. Id, rights, limits and budgets stay; both secrets work for a while.

            Example:
              spillway keys rotate k3vq5n2xw7ab --grace 7d
            """)
        {
            id, grace,
        };
        place.AddTo(command);
        command.Add(json);
        command.SetAction((parsed, cancellation) => CommandException.GuardAsync(async () =>
        {
            var body = Json(("grace_s", OrderOptions.Seconds("--grace", parsed.GetValue(grace)!)));
            await using var desk = await place.OpenAsync(parsed).ConfigureAwait(false);
            var path = Path(parsed.GetValue(id)!, "rotate");
            var answer = await desk.AskAsync(path, body, cancellation).ConfigureAwait(false);
            return KeyView.Issued(answer, parsed.GetValue(json));
        }));
        return command;
    }

    private static Command Revoke()
    {
        var (place, json, id) = (new PlaceOptions(), Commands.JsonOption(), IdArgument());
        var command = new Command("revoke", """
            Refuse a key from now on, for good. The next request that brings it is refused.

            Example:
              spillway keys revoke k3vq5n2xw7ab
            """)
        {
            id,
        };
        place.AddTo(command);
        command.Add(json);
        command.SetAction((parsed, cancellation) => CommandException.GuardAsync(async () =>
        {
            await using var desk = await place.OpenAsync(parsed).ConfigureAwait(false);
            var path = Path(parsed.GetValue(id)!, "revoke");
            var answer = await desk.AskAsync(path, [], cancellation).ConfigureAwait(false);
            return KeyView.Revoked(answer, parsed.GetValue(json));
        }));
        return command;
    }

    private static Argument<string> IdArgument() => new("id")
    {
        Description = "The key's id: the third part of its text, and the first column of `spillway keys list`.",
    };

    /// <summary>Whoever pastes a whole key means its id; the secret goes nowhere.</summary>
    private static string Path(string id, string verb)
    {
        var parts = id.Split('_');
        return $"keys/{Uri.EscapeDataString(parts.Length == 5 ? parts[2] : id)}/{verb}";
    }

    private static byte[] Json((string Name, long Value) member) =>
        JsonSerializer.SerializeToUtf8Bytes(new Dictionary<string, long> { [member.Name] = member.Value });
}
