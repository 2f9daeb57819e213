using System.CommandLine;
using Spillway.Planner.Answers;
using Spillway.Planner.Fleet;
using Spillway.Planner.Plans;

namespace Spillway.App.Cli.Planning;

/// <summary>`spillway plan`: what will it cost, where will it break, and what is the cheapest thing that keeps the
/// promise?</summary>
internal static class PlanCommand
{
    public static Command Create()
    {
        var file = new Argument<string>("plan") { Description = "A plan.yaml. docs/features/planning.md explains it." };
        var json = Commands.JsonOption();
        var csv = new Option<string?>("--csv") { Description = "Also write a line for each candidate.", HelpName =
            "file" };
        var html = new Option<string?>("--html") { Description = "Also write a report for a browser: one file.",
            HelpName = "file" };
        var quick = new Option<bool>("--quick")
        {
            Description = "Closed formulas only, at once: means of a steady state, without refusals, caches or "
                + "scaling.",
        };
        var whatIf = new Option<string?>("--what-if")
        {
            Description = $"Let something go wrong: {string.Join(", ", Drill.All.Select(d => d.Name))}.", HelpName =
                "drill",
        };
        var export = new Option<string?>("--export")
        {
            Description = "Print the recommended candidate (or --candidate) as objects for: kubernetes.", HelpName =
                "what",
        };
        export.AcceptOnlyFromAmong("kubernetes");
        var only = new Option<string?>("--candidate") { Description = "Only this candidate.", HelpName = "name" };
        var jobs = new Option<int>("--jobs")
        {
            Description = "Candidates simulated at once.", DefaultValueFactory = _ => Environment.ProcessorCount,
                HelpName = "n",
        };
        var command = new Command("plan", """
            Simulate deployments before they exist: latency by stage, refusals, cost, and which one to take.
            The server's own code decides, on simulated time: queues, deadlines, early refusal and batches
            (DeploymentFlow), the cache's order of leaving, and the scaling policies; before somebody else's server the
            chain, cache, retries, breakers and limits of a route. Not simulated: budgets, rate limits and rollouts.

            Examples:
              spillway plan samples/plans/line-ocr.yaml
              spillway plan samples/plans/chatbot.yaml --html report.html
              spillway plan samples/plans/line-ocr.yaml --what-if spike-10x
              spillway plan samples/plans/line-ocr.yaml --quick
              spillway plan samples/plans/line-ocr.yaml --export kubernetes

            Exit codes: 0 a candidate keeps every goal, 1 none does, 2 mistakes in the plan, 130 interrupted (the
            candidates that were done are shown).
            """)
        {
            file, json, csv, html, quick, whatIf, only, export, jobs,
        };
        command.Subcommands.Add(VerifyCommand.Create());
        command.Subcommands.Add(CalibrateCommand.Create());
        command.SetAction(async (parsed, stop) =>
        {
            var asked = new PlanRequest(parsed.GetValue(file)!, parsed.GetValue(json), parsed.GetValue(csv),
                parsed.GetValue(html), parsed.GetValue(whatIf), parsed.GetValue(only),
                parsed.GetValue(export) is not null, parsed.GetValue(quick), Math.Max(1, parsed.GetValue(jobs)));
            return await RunAsync(asked, Console.Out, Console.Error, TimeProvider.System, stop).ConfigureAwait(false);
        });
        return command;
    }

    /// <summary>Reads, simulates, answers.</summary>
    internal static async Task<int> RunAsync(
        PlanRequest asked, TextWriter output, TextWriter error, TimeProvider time, CancellationToken stop)
    {
        if (!TryDrill(asked.WhatIf, error, out var drill) || PlanFiles.Read(asked.File, error) is not { } whole
            || Only(whole, asked.Only, error) is not { } plan || !IsText(asked, error))
            return Commands.Usage;
        if (asked.Quick)
        {
            QuickView.Write(output, plan);
            return Commands.Ok;
        }

        var progress = new PlanProgress(Console.IsErrorRedirected ? null : error, plan.Candidates.Count, time);
        var done = await PlanRunner.RunAsync(plan, drill, asked.Jobs, progress, stop).ConfigureAwait(false);
        if (drill is not null && !asked.Json && !asked.Export)
        {
            var calm = await PlanRunner.RunAsync(plan, null, asked.Jobs, progress, stop).ConfigureAwait(false);
            DrillView.Write(output, drill, calm, done, plan.Currency);
        }

        var report = PlanReport.Of(plan, done, plan.Candidates.Count - done.Count, drill?.Name);
        var code = Answer(asked, report, drill, output, error);
        return stop.IsCancellationRequested ? Commands.Interrupted : code;
    }

    private static int Answer(PlanRequest asked, PlanReport report, Drill? drill, TextWriter output, TextWriter error)
    {
        if (asked.Export)
            return Export(report, output, error);
        if (asked.Json)
            output.WriteLine(PlanJson.Format(report));
        else
            PlanView.Write(output, report, drill);
        if (!Files(asked, report, drill, error))
            return Commands.Usage;
        return report.Best is null ? Commands.Failed : Commands.Ok;
    }

    private static bool Files(PlanRequest asked, PlanReport report, Drill? drill, TextWriter error) =>
        (asked.Csv is not { } csv || PlanFiles.Write(csv, PlanCsv.Format(report), error))
        && (asked.Html is not { } html || PlanFiles.Write(html, PlanHtml.Format(report, drill), error));

    private static int Export(PlanReport report, TextWriter output, TextWriter error)
    {
        if (report.NotRun > 0)
        {
            error.WriteLine($"{report.NotRun} candidates were not simulated to the end: which one is best is not "
                + "known, and nothing is exported. Let it finish, or name one with --candidate.");
            return Commands.Failed;
        }

        var chosen = report.Best?.Outcome ?? (report.Candidates.Count == 1 ? report.Candidates[0].Outcome : null);
        if (chosen is null)
        {
            error.WriteLine($"{report.Sentence} Name one with --candidate to export it all the same.");
            return Commands.Failed;
        }

        var objects = KubernetesExport.Format(report.Plan, chosen);
        if (objects.Length == 0)
            error.WriteLine($"{chosen.Candidate.Name} has no site with machines: there is nothing to export.");
        output.Write(objects);
        return objects.Length == 0 ? Commands.Failed : Commands.Ok;
    }

    /// <summary>The plan with only that candidate; null after a message when there is none of that name.</summary>
    private static Plan? Only(Plan plan, string? name, TextWriter error)
    {
        if (name is null)
            return plan;
        var found = plan.Candidates.Where(c => c.Name == name).ToList();
        if (found.Count > 0)
            return plan.With(found);
        error.WriteLine($"--candidate '{name}' is not in the plan. Known: "
            + $"{string.Join(", ", plan.Candidates.Select(c => c.Name))}.");
        return null;
    }

    /// <summary>Closed formulas are told as text, and have no drills: what cannot be given is refused.</summary>
    private static bool IsText(PlanRequest asked, TextWriter error)
    {
        string[] others = [.. new[]
        {
            ("--json", asked.Json), ("--csv", asked.Csv is not null), ("--html", asked.Html is not null),
            ("--what-if", asked.WhatIf is not null), ("--export", asked.Export),
        }.Where(o => asked.Quick && o.Item2).Select(o => o.Item1)];
        if (others.Length == 0)
            return true;
        error.WriteLine($"--quick writes text only and simulates nothing; {string.Join(", ", others)} would be "
            + "ignored. Leave one of them out: without --quick the formulas stand beside the simulation.");
        return false;
    }

    private static bool TryDrill(string? name, TextWriter error, out Drill? drill)
    {
        drill = name is null ? null : Drill.Find(name);
        if (name is null || drill is not null)
            return true;
        error.WriteLine($"--what-if '{name}' is no drill. Known: {string.Join(", ", Drill.All.Select(d => d.Name))}.");
        return false;
    }
}

/// <summary>What the command line asked for.</summary>
/// <param name="File">The plan.</param>
/// <param name="Json">JSON in place of text.</param>
/// <param name="Csv">Where to write a table; null for nowhere.</param>
/// <param name="Html">Where to write a report; null for nowhere.</param>
/// <param name="WhatIf">The drill; null for none.</param>
/// <param name="Only">Only this candidate; null for all.</param>
/// <param name="Export">Objects for Kubernetes in place of a report.</param>
/// <param name="Quick">Closed formulas only.</param>
/// <param name="Jobs">Candidates at once.</param>
internal sealed record PlanRequest(
    string File, bool Json, string? Csv, string? Html, string? WhatIf, string? Only, bool Export, bool Quick, int Jobs);
