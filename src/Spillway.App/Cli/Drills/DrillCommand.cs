using System.CommandLine;
using System.Text.Json;
using Spillway.App.Load;
using Spillway.Policies.Drills;

namespace Spillway.App.Cli.Drills;

/// <summary>`spillway drill`: break something on purpose, and see what the rest makes of it.</summary>
internal static class DrillCommand
{
    public static Command Create()
    {
        var command = new Command("drill", """
            Break something of a running server on purpose, for a few seconds, and see what its callers notice: how many
            get a full answer, another one or none, how long that takes to show and to pass, and whether what is
            promised was held. What it showed is printed and kept beside the server's store.

            The server must be marked for it (server.drillable: true). What a drill broke is whole again when the
            command ends, however it ends: it holds a lease of three seconds, which it renews.

            Examples:
              spillway drill list
              spillway drill steps --served line-ocr-resilient --raw samples/ocr/invoice.png
              spillway drill spike --served line-ocr-resilient --raw samples/ocr/invoice.png --json
              spillway drill stop
            """);
        foreach (var kind in Enum.GetValues<DrillKind>())
            command.Add(One(kind));
        command.Add(Look("list", """
            Which drills there are, what each would break here, or what it needs; and those that were kept.

            Example:
              spillway drill list
            """, DrillText.List));
        command.Add(Look("status", """
            What is broken on purpose now.

            Example:
              spillway drill status
            """, DrillText.Status));
        command.Add(Show());
        command.Add(Stop());
        return command;
    }

    private static Command One(DrillKind kind)
    {
        var served = new Option<string?>("--served")
        {
            Description = "The route or model whose callers are watched. By default the first that it applies to.",
            HelpName = "name",
        };
        var raw = new Option<string[]>("--raw")
        {
            Description = "A file to send as it is; repeatable. By default what the model's metadata says.",
            HelpName = "file",
        };
        var rate = new Option<double?>("--rate")
        {
            Description = kind is DrillKind.Spike
                ? "Usual requests a second. By default a quarter of what is measured first."
                : "Requests a second. By default 20.",
            HelpName = "n",
        };
        var (before, broken, after) = (Span("--before", "3s"), Span("--broken", "5s"), Span("--after", "5s"));
        var target = new Option<string?>("--target")
        {
            Description = "Which target: a name, upstream/name, or all. By default the first.", HelpName = "name",
        };
        var delay = new Option<double>("--delay-ms")
        {
            Description = "How much later it answers.", HelpName = "ms", DefaultValueFactory = _ => 300,
        };
        var criticality = Class("--criticality",
            "How much the drill's own requests matter. By default they are critical, as others are.");
        var spike = Class("--spike-criticality",
            "How much the requests of the spike matter that the drill does not watch. By default as --criticality.");
        var (server, key, json) = (Commands.ServerOption(), Commands.KeyOption(), Commands.JsonOption());
        var word = DrillWords.Of(kind);
        var command = new Command(word, $"""
            {char.ToUpperInvariant(DrillWords.What(kind)[0])}{DrillWords.What(kind)[1..]}.

            Example:
              spillway drill {word}
            """)
        {
            served, raw, rate, criticality, before, broken, after, server, key, json,
        };
        if (kind is DrillKind.Spike)
            command.Add(spike);
        if (kind is DrillKind.TargetDead or DrillKind.TargetSlow or DrillKind.TargetThrottled)
            command.Add(target);
        if (kind is DrillKind.TargetSlow)
            command.Add(delay);
        command.SetAction((parsed, cancellation) => CommandException.GuardAsync(() => RunAsync(
            new(kind, Commands.Place(parsed, server, key))
            {
                Served = parsed.GetValue(served) ?? "", Raw = parsed.GetValue(raw) ?? [], Rate = parsed.GetValue(rate),
                Before = Seconds(parsed, before), Broken = Seconds(parsed, broken), After = Seconds(parsed, after),
                Target = parsed.GetValue(target) ?? "", DelayMs = parsed.GetValue(delay),
                Criticality = Class(parsed, criticality),
                SpikeCriticality = kind is DrillKind.Spike ? Class(parsed, spike) : "",
            },
            parsed.GetValue(json), cancellation)));
        return command;
    }

    private static async Task<int> RunAsync(DrillWish wish, bool asJson, CancellationToken cancellation)
    {
        if (wish.Rate is <= 0 or > 1000)
            throw new CommandException("--rate is above 0 and at most 1000.", Commands.Usage);
        using var client = new ServerClient(wish.Place);
        var session = new DrillSession(wish, client, line => Console.Error.WriteLine(TerminalText.Clean(line)));
        var evidence = await session.RunAsync(cancellation).ConfigureAwait(false);
        var kept = await KeepAsync(client, evidence).ConfigureAwait(false);
        Print(evidence, asJson);
        if (kept.Length > 0)
            await Console.Error.WriteLineAsync(TerminalText.Clean(kept)).ConfigureAwait(false);
        return evidence.Verdict switch
        {
            "held" => kept.Length == 0 ? Commands.Ok : Commands.Failed,
            "interrupted" => Commands.Interrupted,
            _ => Commands.Failed,
        };
    }

    /// <summary>Keeps what it showed beside the server's store; why not, or nothing.</summary>
    private static async Task<string> KeepAsync(ServerClient client, DrillEvidence evidence)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(evidence, DrillEvidenceJson.Default.DrillEvidence);
        using var late = new CancellationTokenSource(TimeSpan.FromSeconds(5), TimeProvider.System);
        try
        {
            await client.PostAsync($"/admin/v1/drills/keep?id={evidence.Id}", body, late.Token).ConfigureAwait(false);
            return "";
        }
        catch (Exception failed) when (failed is CommandException or OperationCanceledException)
        {
            return $"It is not kept: {failed.Message}";
        }
    }

    private static void Print(DrillEvidence evidence, bool asJson)
    {
        if (asJson)
        {
            Console.WriteLine(JsonSerializer.Serialize(evidence, DrillEvidenceJson.Default.DrillEvidence));
            return;
        }

        foreach (var line in DrillText.Of(evidence))
            Console.WriteLine(TerminalText.Clean(line));
    }

    private static Command Look(string verb, string text, Func<JsonElement, IEnumerable<string>> lines)
    {
        var (server, key, json) = (Commands.ServerOption(), Commands.KeyOption(), Commands.JsonOption());
        var command = new Command(verb, text) { server, key, json };
        command.SetAction((parsed, cancellation) => CommandException.GuardAsync(async () =>
        {
            using var client = new ServerClient(Commands.Place(parsed, server, key));
            var answer = await client.GetAsync("/admin/v1/drills", cancellation).ConfigureAwait(false);
            foreach (var line in parsed.GetValue(json) ? [answer.GetRawText()] : lines(answer))
                Console.WriteLine(parsed.GetValue(json) ? line : TerminalText.Clean(line));
            return Commands.Ok;
        }));
        return command;
    }

    private static Command Show()
    {
        var id = new Argument<string>("id") { Description = "From `spillway drill list`." };
        var (server, key, json) = (Commands.ServerOption(), Commands.KeyOption(), Commands.JsonOption());
        var command = new Command("show", """
            What an earlier drill showed.

            Example:
              spillway drill show 20261122-151233-3f2a
            """)
        {
            id, server, key, json,
        };
        command.SetAction((parsed, cancellation) => CommandException.GuardAsync(async () =>
        {
            using var client = new ServerClient(Commands.Place(parsed, server, key));
            var path = $"/admin/v1/drills/{Uri.EscapeDataString(parsed.GetValue(id)!)}";
            var answer = await client.GetAsync(path, cancellation).ConfigureAwait(false);
            Print(Read(answer), parsed.GetValue(json));
            return Commands.Ok;
        }));
        return command;
    }

    private static DrillEvidence Read(JsonElement kept)
    {
        try
        {
            return kept.Deserialize(DrillEvidenceJson.Default.DrillEvidence)!;
        }
        catch (JsonException other)
        {
            throw new CommandException($"What is kept is not of this version of Spillway: {other.Message} See it with "
                + "curl at /admin/v1/drills/<id>.");
        }
    }

    private static Command Stop()
    {
        var (server, key, json) = (Commands.ServerOption(), Commands.KeyOption(), Commands.JsonOption());
        var command = new Command("stop", """
            Mend at once whatever is broken on purpose, whoever broke it.

            Example:
              spillway drill stop
            """)
        {
            server, key, json,
        };
        command.SetAction((parsed, cancellation) => CommandException.GuardAsync(async () =>
        {
            using var client = new ServerClient(Commands.Place(parsed, server, key));
            var answer = await client.PostAsync("/admin/v1/drills/stop", cancellation).ConfigureAwait(false);
            Console.WriteLine(parsed.GetValue(json) ? answer.GetRawText()
                : answer.GetProperty("stopped").GetString() is { } stopped ? $"Mended: {stopped} is over."
                : "Nothing was broken on purpose.");
            return Commands.Ok;
        }));
        return command;
    }

    private static Option<string?> Class(string name, string description) => new(name)
    {
        Description = $"{description} One of {string.Join(", ", CriticalityWords.All)}.", HelpName = "class",
    };

    private static string Class(ParseResult parsed, Option<string?> option)
    {
        var word = parsed.GetValue(option) ?? "";
        return word.Length == 0 || CriticalityWords.TryParse(word, out _) ? word
            : throw new CommandException(
                $"{option.Name} '{word}' is none of {string.Join(", ", CriticalityWords.All)}.",
                Commands.Usage);
    }

    private static Option<string> Span(string name, string otherwise) => new(name)
    {
        Description = $"How long that part lasts. By default {otherwise}.", HelpName = "time",
        DefaultValueFactory = _ => otherwise,
    };

    private static double Seconds(ParseResult parsed, Option<string> option)
    {
        try
        {
            return Quantity.Seconds(option.Name, parsed.GetValue(option)!);
        }
        catch (LoadException wrong)
        {
            throw new CommandException(wrong.Message, Commands.Usage);
        }
    }
}
