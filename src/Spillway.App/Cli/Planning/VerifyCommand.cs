using System.CommandLine;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using Spillway.App.Load;
using Spillway.Planner.Answers;
using Spillway.Planner.Outcomes;
using Spillway.Planner.Plans;
using Spillway.Planner.Workloads;

namespace Spillway.App.Cli.Planning;

/// <summary>`spillway plan verify`: the same arrivals against a live server and against the simulation, side by
/// side.</summary>
internal static class VerifyCommand
{
    public static Command Create()
    {
        var file = new Argument<string>("plan") { Description = "A plan.yaml." };
        var candidate = new Option<string?>("--candidate")
        {
            Description = "The candidate that the server is; by default the first.", HelpName = "name",
        };
        var model = new Option<string>("--model") { Description = "The served name to ask.", Required = true,
            HelpName = "name" };
        var raw = new Option<string[]>("--raw") { Description = "A file to send, as for `spillway load`.", HelpName =
            "file" };
        var band = new Option<double>("--band")
        {
            Description = "Simulate a machine that is so many percent slower, and one that is faster, as well: what a "
                + "small error in the run times does to each figure. 0 leaves it out.", HelpName = "percent",
            DefaultValueFactory = _ => 3,
        };
        var speed = new Option<double>("--speed")
        {
            Description = "How fast the machine is now, as a part of what it was when the run times were fitted: what "
                + "it answers at most, now over then. For machines whose speed is not always the same.",
            HelpName = "factor", DefaultValueFactory = _ => 1,
        };
        var server = Commands.ServerOption();
        var json = Commands.JsonOption();
        var command = new Command("verify", """
            Play the plan's workload against a live server, and against the simulation, and print both with the errors.
            Every arrival of one is an arrival of the other. The network of the plan is left out: the server is near.

            Examples:
              spillway plan verify samples/plans/line-ocr.yaml --model line-ocr --raw samples/ocr/invoice.png
              spillway plan verify mlp.yaml --model mlp --band 5 --speed 0.8 --json

            Exit codes: 0 compared, 1 the server did not answer, 2 mistakes in the plan, 130 interrupted.
            """)
        {
            file, candidate, model, raw, band, speed, server, json,
        };
        command.SetAction((parsed, stop) => RunAsync(
            new(parsed.GetValue(file)!, parsed.GetValue(candidate), parsed.GetValue(model)!, parsed.GetValue(raw) ?? [],
                parsed.GetValue(server)!, parsed.GetValue(band), parsed.GetValue(speed), parsed.GetValue(json)),
            Console.Out, Console.Error, stop));
        return command;
    }

    /// <summary>Plays, simulates, compares.</summary>
    internal static async Task<int> RunAsync(
        VerifyRequest asked, TextWriter output, TextWriter error, CancellationToken stop)
    {
        if (PlanFiles.Read(asked.File, error) is not { } plan)
            return Commands.Usage;
        var candidate = asked.Candidate is null ? plan.Candidates[0]
            : plan.Candidates.FirstOrDefault(c => c.Name == asked.Candidate);
        if (candidate is null)
        {
            await error.WriteLineAsync($"--candidate '{asked.Candidate}' is not in the plan.").ConfigureAwait(false);
            return Commands.Usage;
        }

        if (Mistake(asked, plan.Options.Variants[candidate.Variant]) is { } mistake)
        {
            await error.WriteLineAsync(mistake).ConfigureAwait(false);
            return Commands.Usage;
        }

        // The load generator has no warm-up on recorded arrivals, and the server no distance.
        plan = AtSpeed(Near(plan), asked.Speed);
        var simulated = Evaluation.Run(plan, candidate)!;
        CandidateOutcome[] band = asked.Band > 0
            ? [.. new[] { 1 - (asked.Band / 100), 1 + (asked.Band / 100) }
                .Select(speed => Evaluation.Run(AtSpeed(plan, speed), candidate)!)] : [];
        var (live, code) = await PlayAsync(plan, asked, error, stop).ConfigureAwait(false);
        if (live is null)
            return code;
        var comparison = new VerifyComparison(
            plan.Options.Name, candidate.Name, live.Endpoints[0].Total, simulated, band)
        {
            Speed = asked.Speed,
        };
        if (asked.Json)
            output.WriteLine(comparison.Json());
        else
            comparison.Write(output);
        return stop.IsCancellationRequested ? Commands.Interrupted
            : live.Endpoints[0].Total.Counts.Ok == 0 ? Commands.Failed : Commands.Ok;
    }

    private static string? Mistake(VerifyRequest asked, VariantOptions variant) => asked switch
    {
        { Band: not (>= 0 and <= 50) } => Say($"--band {asked.Band} is not from 0 to 50 percent."),
        { Speed: not (>= 0.05 and <= 20) } => Say($"--speed {asked.Speed} is not from 0.05 to 20."),
        { Speed: not 1 } when variant.Curves.Count == 0 =>
            "--speed is of measured run times, and the variant of that candidate has no curve.",
        _ => null,
    };

    private static Plan Near(Plan plan) => plan with
    {
        Options = plan.Options with
        {
            WarmUpSeconds = 0,
            Sites = plan.Options.Sites.ToDictionary(s => s.Key, s => s.Value with
            {
                NetworkMs = s.Value.NetworkMs.ToDictionary(n => n.Key, _ => 0.0), BandwidthMbps = 1e6,
            }),
        },
    };

    /// <summary>The plan on a machine whose runs take 1/<paramref name="speed"/> of their time.</summary>
    private static Plan AtSpeed(Plan plan, double speed)
    {
        VariantOptions Scaled(VariantOptions variant) => variant with
        {
            Curves = variant.Curves.ToDictionary(c => c.Key, c => (IReadOnlyList<CurvePointOptions>)
                [.. c.Value.Select(p => p with { Ms = p.Ms / speed })]),
            Before = variant.Before is { } own ? own with { Ms = own.Ms / speed } : null,
            ServerlessMs = variant.ServerlessMs / speed,
        };
        return plan with
        {
            Options = plan.Options with
            {
                Variants = plan.Options.Variants.ToDictionary(v => v.Key, v => Scaled(v.Value)),
            },
        };
    }

    private static async Task<(LoadReport? Report, int Code)> PlayAsync(
        Plan plan, VerifyRequest asked, TextWriter error, CancellationToken stop)
    {
        var trace = Path.Combine(Path.GetTempPath(), $"spillway-verify-{Environment.ProcessId}.csv");
        try
        {
            var text = new StringBuilder("arrival\n");
            foreach (var second in PlanArrivals.Seconds(plan))
                text.Append(CultureInfo.InvariantCulture, $"{second:0.0000000}\n");
            await File.WriteAllTextAsync(trace, text.ToString(), stop).ConfigureAwait(false);
            var load = await LoadPlanner.CreateAsync(new()
            {
                Servers = [asked.Server], Models = [asked.Model], Raw = asked.Raw, Trace = trace,
                DeadlineMs = plan.Options.Workloads[0].DeadlineMs,
            }, stop).ConfigureAwait(false);
            await Task.Yield();
            var clock = new LoadClock(TimeProvider.System);
            var progress = new ProgressLine(Console.IsErrorRedirected ? null : error, clock, rounds: 1);
            var rounds = await new LoadRunner(load, clock, csv: null, progress).RunAsync(stop).ConfigureAwait(false);
            return (ReportBuilder.Build(load, rounds, stop.IsCancellationRequested), Commands.Ok);
        }
        catch (LoadException wrong)
        {
            await error.WriteLineAsync($"spillway plan verify: {wrong.Message}").ConfigureAwait(false);
            return (null, wrong.ExitCode);
        }
        finally
        {
            File.Delete(trace);
        }
    }

    /// <summary>The process has no culture but the invariant one.</summary>
    private static string Say(ref DefaultInterpolatedStringHandler text) => text.ToStringAndClear();
}

/// <summary>What the command line asked for.</summary>
/// <param name="File">The plan.</param>
/// <param name="Candidate">Its candidate; null for the first.</param>
/// <param name="Model">The served name.</param>
/// <param name="Raw">Files to send.</param>
/// <param name="Server">The live server.</param>
/// <param name="Band">Percent by which the machine may be faster or slower; 0 for no band.</param>
/// <param name="Speed">The machine's, over what it was when it was fitted.</param>
/// <param name="Json">JSON in place of text.</param>
internal sealed record VerifyRequest(
    string File, string? Candidate, string Model, string[] Raw, string Server, double Band = 3, double Speed = 1,
    bool Json = false);
