using System.CommandLine;
using Spillway.Planner.Diagnosis;

namespace Spillway.App.Cli.Diagnosing;

/// <summary>
/// `spillway diagnose`: what is saturated, what follows, and what each step would bring; from a running server, one
/// request record, a few figures, or a sheet of claims.
/// </summary>
internal static class DiagnoseCommand
{
    private static readonly (string Name, string Help)[] s_busy =
    [
        ("gpu", "How busy the accelerator is, in percent."),
        ("cpu", "How busy the processors are, in percent."),
        ("network", "How busy the network is, in percent."),
        ("disk", "How busy the disk is, in percent."),
        ("bandwidth", "How busy the accelerator's memory bandwidth is, in percent."),
        ("memory", "How full the memory is, in percent: space, not time."),
    ];

    public static Command Create()
    {
        var record = new Argument<string?>("request")
        {
            Description = "A request id, \"last\", or a file with a record as explain --json prints it. Without one, "
                + "and without figures, the running server is watched.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var texts = Texts();
        var seconds = new Option<double>("--seconds")
        {
            Description = "How long the running server is watched.", DefaultValueFactory = _ => 5,
        };
        var (server, key, json) = (Commands.ServerOption(), Commands.KeyOption(), Commands.JsonOption());
        var command = new Command("diagnose", """
            Say what is saturated, the evidence, what it means, what follows by the laws of queues, which figures cannot
            be right together, and what each step would bring.

            Examples:
              spillway diagnose                                       the running server, for five seconds
              spillway diagnose last                                  the newest request
              spillway diagnose --gpu 95 --network 20 --memory 60 --latency 500ms --throughput 100
              spillway diagnose --stages network=40,queue=180,io=5,prefill=60,decode=100,io=5,network=40 \
                --servers 2 --capacity 100 --throughput 200
              spillway diagnose --stages network=20,queue=150,execute=200,io=30,network=20 --then queue=50
              spillway diagnose --claims samples/plans/claims.yaml
            """)
        {
            record, seconds, server, key, json,
        };
        foreach (var text in texts.Values)
            command.Options.Add(text);
        command.SetAction((parsed, cancellation) => CommandException.GuardAsync(async () =>
        {
            var written = texts.ToDictionary(text => text.Key, text => parsed.GetValue(text.Value) ?? "");
            var place = Commands.Place(parsed, server, key);
            var reports = written["claims"].Length > 0 ? [("", ReadClaims(written["claims"]))]
                : FigureText.Read(written) is { } figures ? [("", Judge(figures))]
                : parsed.GetValue(record) is { } asked
                    ? [await DiagnoseSource.RecordAsync(place, asked, cancellation).ConfigureAwait(false)]
                    : await DiagnoseSource.LiveAsync(place, Seconds(parsed.GetValue(seconds)), cancellation)
                        .ConfigureAwait(false);
            Console.Write(parsed.GetValue(json) ? DiagnoseText.Json(reports) + "\n" : DiagnoseText.Plain(reports));
            return Commands.Ok;
        }));
        return command;
    }

    /// <summary>The diagnosis, or the fault as what a person typed wrong.</summary>
    public static DiagnosisReport Judge(DiagnosisFigures figures) =>
        Diagnose.From(figures).TryGet(out var report, out var fault)
            ? report : throw new CommandException(fault.Message, Commands.Usage);

    private static Dictionary<string, Option<string?>> Texts()
    {
        var texts = new Dictionary<string, Option<string?>>();
        foreach (var (name, help) in s_busy)
            texts[name] = new($"--{name}") { Description = help, HelpName = "percent" };
        texts["latency"] = new("--latency") { Description = "The mean time of a request, as 500ms or "
            + "2s.", HelpName = "time" };
        texts["throughput"] = new("--throughput") { Description = "Requests a second.", HelpName = "number" };
        texts["servers"] = new("--servers") { Description = "Servers, or replicas.", HelpName = "number" };
        texts["capacity"] = new("--capacity")
        {
            Description = "Requests a second that one of them can answer.", HelpName = "number",
        };
        texts["concurrency"] = new("--concurrency") { Description = "Requests at once.", HelpName = "number" };
        texts["cost"] = new("--cost") { Description = "What all servers cost for a month.", HelpName = "money" };
        texts["stages"] = new("--stages")
        {
            Description = "The parts of a request's time in milliseconds.", HelpName = "name=ms,…",
        };
        texts["then"] = new("--then")
        {
            Description = "Parts that would be different, to see what that brings.", HelpName = "name=ms,…",
        };
        texts["claims"] = new("--claims")
        {
            Description = "A file of claims about systems: what in it cannot be right, and why.", HelpName = "file",
        };
        return texts;
    }

    private static double Seconds(double given) => given is >= 0.1 and <= 3600 ? given : throw new CommandException(
        $"--seconds is {given}; it must be 0.1 to 3600.", Commands.Usage);

    private static DiagnosisReport ReadClaims(string file)
    {
        string text;
        try
        {
            text = File.ReadAllText(file);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new CommandException($"{file} cannot be read: {error.Message}", Commands.Usage);
        }

        return ClaimSheet.Read(text, file).TryGet(out var sheet, out var fault)
            ? sheet.Audit() : throw new CommandException(fault.Message, Commands.Usage);
    }
}
