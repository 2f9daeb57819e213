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
        var server = Commands.ServerOption();
        var command = new Command("verify", """
            Play the plan's workload against a live server, and against the simulation, and print both with the errors.
            Every arrival of one is an arrival of the other. The network of the plan is left out: the server is near.

            Example:
              spillway plan verify samples/plans/line-ocr.yaml --model line-ocr --raw samples/ocr/invoice.png

            Exit codes: 0 compared, 1 the server did not answer, 2 mistakes in the plan, 130 interrupted.
            """)
        {
            file, candidate, model, raw, server,
        };
        command.SetAction((parsed, stop) => RunAsync(
            new(parsed.GetValue(file)!, parsed.GetValue(candidate), parsed.GetValue(model)!, parsed.GetValue(raw) ?? [],
                parsed.GetValue(server)!), Console.Out, Console.Error, stop));
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

        // The load generator has no warm-up on recorded arrivals, and the server no distance.
        plan = Near(plan);
        var simulated = Evaluation.Run(plan, candidate)!;
        var (live, code) = await PlayAsync(plan, asked, error, stop).ConfigureAwait(false);
        if (live is null)
            return code;
        Write(output, plan, candidate.Name, live.Endpoints[0].Total, simulated);
        return stop.IsCancellationRequested ? Commands.Interrupted
            : live.Endpoints[0].Total.Counts.Ok == 0 ? Commands.Failed : Commands.Ok;
    }

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

    private static void Write(
        TextWriter output, Plan plan, string candidate, RoundReport live, CandidateOutcome simulated)
    {
        output.WriteLine(Say($"{plan.Options.Name}, {candidate}: {live.Counts.Offered:N0} requests in "
            + $"{live.Seconds:0.#} s"));
        output.WriteLine($"  {"",-22}{"live",12}{"simulated",12}{"error",10}");
        Line("answers a second", live.OkPerSecond, simulated.Throughput, "");
        var offered = Math.Max(1, live.Counts.Offered);
        var refused = (live.Counts.Offered - live.Counts.Ok) * 100.0 / offered;
        output.WriteLine(Say($"  {"refused, %",-22}{refused,12:0.00}{simulated.RefusedShare * 100,12:0.00}")
            + Say($"{(simulated.RefusedShare * 100) - refused,8:+0.00;-0.00} points"));
        if (live.Counts.Latency is { } latency)
        {
            Line("p50, ms", latency.P50, simulated.Total.P50Ms, "");
            Line("p95, ms", latency.P95, simulated.Total.P95Ms, "");
            Line("p99, ms", latency.P99, simulated.Total.P99Ms, "");
        }

        Stage("queue", PlanStage.Queue, "queue");
        Stage("execute", PlanStage.Execute, "execute");

        void Stage(string name, PlanStage stage, string server)
        {
            if (live.Stages.FirstOrDefault(s => s.Name == server) is not { Time: { } time })
                return;
            var times = simulated.Stages[(int)stage];
            Line($"{name} mean, ms", time.Mean, times.MeanMs, "");
            Line($"{name} p95, ms", time.P95, times.P95Ms, "");
        }

        void Line(string name, double measured, double planned, string unit)
        {
            var off = measured > 0 ? Say($"{(planned / measured - 1) * 100,8:+0.0;-0.0} %") : "";
            output.WriteLine(Say($"  {name + unit,-22}{measured,12:0.00}{planned,12:0.00}{off}"));
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
internal sealed record VerifyRequest(string File, string? Candidate, string Model, string[] Raw, string Server);
