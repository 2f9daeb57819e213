using System.Runtime.CompilerServices;
using Spectre.Console;
using Spillway.Planner.Answers;
using Spillway.Planner.Fleet;
using Spillway.Planner.Outcomes;

namespace Spillway.App.Cli.Planning;

/// <summary>A report for people at a terminal.</summary>
internal static class PlanView
{
    private const int ShownMax = 20;

    public static void Write(TextWriter output, PlanReport report, Drill? drill)
    {
        var console = AnsiConsole.Create(new()
        {
            Out = new AnsiConsoleOutput(output),
            Ansi = Console.IsOutputRedirected ? AnsiSupport.No : AnsiSupport.Detect,
        });
        if (Console.IsOutputRedirected)
            console.Profile.Width = 190;
        var options = report.Plan.Options;
        output.WriteLine(Say($"{options.Name}: {report.Candidates.Count} candidates, {options.DurationSeconds:0} "
            + $"simulated "
            + $"seconds each, seed {options.Seed}"));
        foreach (var source in report.Plan.PriceSources)
            output.WriteLine($"Prices in {report.Plan.Currency}: {source}");
        if (drill is not null)
            output.WriteLine(Say($"What if, after {Drill.BeginsAt(options):0} s: {drill.Name}, {drill.What}"));
        if (report.NotRun > 0)
            output.WriteLine($"Interrupted: {report.NotRun} candidates were not finished and are missing below.");
        output.WriteLine();
        console.Write(Candidates(report));
        if (report.Candidates.Count > ShownMax)
            output.WriteLine($"The {report.Candidates.Count - ShownMax} others are in --csv, --json and --html.");
        foreach (var judged in Shown(report).Where(c => !c.IsBest))
            Why(output, judged);
        if ((report.Best ?? report.Candidates.FirstOrDefault(c => c.Outcome.Infeasible.Count == 0)) is { } detail)
            Details(console, output, report, detail);
        output.WriteLine();
        foreach (var line in TerminalText.Wrap(PlanReport.Rules, 118))
            output.WriteLine(line);
        output.WriteLine();
        output.WriteLine(report.Sentence);
    }

    private static IEnumerable<Judged> Shown(PlanReport report) => report.Candidates.Count <= ShownMax
        ? report.Candidates
        : report.Candidates.OrderBy(c => !c.IsBest).ThenBy(c => !c.OnFrontier).ThenBy(c => !c.Outcome.IsFit)
            .ThenBy(c => c.Outcome.CostPerHour).Take(ShownMax);

    private static Table Candidates(PlanReport report)
    {
        var tokens = PlanCells.HasTokens(report);
        var table = new Table { Border = TableBorder.Simple };
        table.AddColumns(new TableColumn(""), new TableColumn("candidate").NoWrap());
        foreach (var head in PlanCells.Heads(report))
            table.AddColumn(new TableColumn(head).RightAligned());
        foreach (var judged in Shown(report))
            table.AddRow([.. Row(judged, tokens).Select(cell => new Text(cell))]);
        table.Caption = new TableTitle("* recommended   + keeps every goal   - does not   x infeasible   "
            + "f on the frontier of cost, p95, capacity and quality   broken: seconds of broken promise   "
            + "use: " + PlanReport.UseIs);
        return table;
    }

    private static IEnumerable<string> Row(Judged judged, bool tokens)
    {
        var o = judged.Outcome;
        var mark = judged.IsBest ? "*" : o.Infeasible.Count > 0 ? "x" : o.IsFit ? "+" : "-";
        return [mark + (judged.OnFrontier ? "f" : ""), o.Candidate.Name, .. PlanCells.Of(o, tokens)];
    }

    private static void Why(TextWriter output, Judged judged)
    {
        var help = judged.WouldHelp.Count == 0 ? "" : $" Would help: {string.Join("; ", judged.WouldHelp)}.";
        foreach (var (line, i) in TerminalText.Wrap($"{judged.Outcome.Candidate.Name}: "
            + $"{judged.Reason.TrimEnd('.')}.{help}", 116)
            .Select((line, i) => (line, i)))
            output.WriteLine((i == 0 ? "  " : "      ") + line);
    }

    private static void Details(IAnsiConsole console, TextWriter output, PlanReport report, Judged judged)
    {
        var o = judged.Outcome;
        output.WriteLine();
        output.WriteLine($"{o.Candidate.Name} in detail. Service times are {Evaluation.Word(o.Evidence)}: "
            + $"{report.Plan.Options.Variants[o.Candidate.Variant].Source}");
        var table = new Table { Border = TableBorder.Simple };
        table.AddColumns("stage", "mean", "p50", "p95", "p99", "rests on");
        foreach (var stage in o.Stages.Where(s => s.P99Ms > 0 || s.MeanMs > 0))
            AddStage(table, stage);
        AddStage(table, o.Total with { Evidence = "simulated" });
        if (o.FirstToken is { } first)
            AddStage(table, first);
        if (o.PerToken is { } each)
            AddStage(table, each);
        foreach (var step in o.Steps)
            AddStage(table, step);
        console.Write(table);
        Counts(output, o);
        QuickView.Beside(output, QuickAnswer.Of(report.Plan, o.Candidate, o));
        foreach (var line in o.Costs)
            output.WriteLine(Say($"  {line.Site}: {line.Quantity:0.######} {line.Unit} of {line.What} at "
                + $"{line.Price} = {line.Amount}"));
        output.WriteLine(Say($"  the bill of the simulated time: {o.Bill} {report.Plan.Currency}"));
        Curve(output, report, o);
        Plot(output, o);
    }

    private static void AddStage(Table table, StageTimes stage) => table.AddRow(
        new Text(stage.Name), new Text(Figures.Ms(stage.MeanMs)), new Text(Figures.Ms(stage.P50Ms)),
        new Text(Figures.Ms(stage.P95Ms)), new Text(Figures.Ms(stage.P99Ms)), new Text(stage.Evidence));

    private static void Counts(TextWriter output, CandidateOutcome o)
    {
        var faults = o.Faults.Count == 0 ? "" : $" "
            + $"({string.Join(", ", o.Faults.Select(f => $"{f.Value:N0} {f.Key}"))})";
        output.WriteLine(Say($"  {o.Offered:N0} requests, {o.Answered:N0} answered, {o.FromCache:N0} of them from a "
            + $"cache, ")
            + Say($"{o.Offered - o.Answered:N0} not{faults}; {o.ColdStarts:N0} cold starts; promise broken in "
                + $"{o.BrokenSeconds:N0} s"));
        foreach (var (site, count) in o.Turned.Where(t => t.Count.Refused > 0 || t.Count.Waited > 0))
            output.WriteLine(Say($"  {site}: {(count.IsBudget ? "budget" : "rate limit")} {count.Rule} turned "
                + $"{count.Refused:N0} away, {count.Waited:N0} waited for it"));
        if (o.Retries + o.Hedges > 0)
            output.WriteLine(Say($"  {o.Retries:N0} second attempts, {o.Hedges:N0} second copies of slow calls"));
        output.WriteLine(Say($"  Little's law: {o.Little.InSystem:0.####} requests in the system, rate times time "
            + $"{o.Little.RateTimesTime:0.####}"));
    }

    private static void Curve(TextWriter output, PlanReport report, CandidateOutcome o)
    {
        if (o.CostCurve.Count == 0)
            return;
        var points = o.CostCurve.Where(p => p.Utilisation is 0.05 or 0.1 or 0.2 or 0.4 or 0.6 or 0.8 or 1)
            .Select(p => Say($"{p.Utilisation * 100:0} % {Figures.Money(p.Per1000)}"));
        output.WriteLine($"  {report.Plan.Currency} per 1,000 answers over the use of the capacity: "
            + $"{string.Join("   ", points)}" + (o.CapacityUse is { } use ? Say($"; here {use * 100:0} %") : ""));
    }

    private static void Plot(TextWriter output, CandidateOutcome o)
    {
        var pieces = o.Pieces.Where(p => p.Answered > 0 && p.P95Ms > 0).ToList();
        if (pieces.Count < 2)
            return;
        output.WriteLine();
        output.WriteLine("  " + Bars("requests", [.. o.Pieces.Select(p => (double)p.Offered)]));
        output.WriteLine("  " + Bars("p95     ", [.. o.Pieces.Select(p => p.P95Ms)]));
        output.WriteLine("  " + Bars("failed  ", [.. o.Pieces.Select(p => (double)p.Failed)]));
        output.WriteLine("  " + Bars("replicas", [.. o.Pieces.Select(p => (double)p.Ready)]));
    }

    /// <summary>A line of bars over the simulated time, from 0 to the largest value.</summary>
    private static string Bars(string name, IReadOnlyList<double> values)
    {
        const string Steps = " ▁▂▃▄▅▆▇█";
        var most = values.Max();
        var bars = string.Concat(values.Chunk(2).Select(c =>
            Steps[most <= 0 ? 0 : (int)Math.Round(c.Max() / most * 8)]));
        return Say($"{name} {bars} up to {most:#,##0.##}");
    }

    /// <summary>The process has no culture but the invariant one.</summary>
    private static string Say(ref DefaultInterpolatedStringHandler text) => text.ToStringAndClear();
}
