using System.Net;
using System.Runtime.CompilerServices;
using System.Text;
using Spillway.Planner.Answers;
using Spillway.Planner.Fleet;
using Spillway.Planner.Outcomes;

namespace Spillway.App.Cli.Planning;

/// <summary>A report for a browser: one file without scripts, fonts or links, in both colour schemes.</summary>
internal static class PlanHtml
{
    private const int ShownMax = 40;
    private const int ChartedMax = 8;

    private const string Diamond =
        " <span class=\"soft\" title=\"no other candidate is better in everything\">◆</span>";

    private const string Style = """
        :root { color-scheme: light dark; --ground: #ffffff; --text: #1b1f24; --soft: #57606a; --line: #d0d7de;
          --panel: #f6f8fa; --good: #0a7d33; --bad: #b42318;
          --c0: #0072b2; --c1: #d55e00; --c2: #009e73; --c3: #b6569a; --c4: #a87400; --c5: #2a8fc4; --c6: #6e7781; }
        @media (prefers-color-scheme: dark) { :root { --ground: #0d1117; --text: #e6edf3; --soft: #9aa4af;
          --line: #30363d; --panel: #161b22; --good: #4ac26b; --bad: #ff7b72;
          --c0: #58a6ff; --c1: #ff9f5a; --c2: #3fd0a0; --c3: #e79bd0; --c4: #e3b341; --c5: #79c0ff; --c6: #9aa4af; } }
        * { box-sizing: border-box; }
        body { margin: 0 auto; max-width: 1280px; padding: 24px 20px 60px; background: var(--ground);
          color: var(--text); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; }
        h1 { font-size: 26px; margin: 0 0 4px; } h2 { font-size: 18px; margin: 34px 0 8px; }
        .soft, figcaption { color: var(--soft); font-size: 13px; }
        .answer { border-left: 4px solid var(--good); background: var(--panel); padding: 12px 16px; margin: 18px 0;
          font-size: 17px; }
        .answer.none { border-color: var(--bad); }
        .scroll { overflow-x: auto; }
        table { border-collapse: collapse; width: 100%; font-size: 13.5px; font-variant-numeric: tabular-nums; }
        th, td { padding: 5px 8px; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
        th { color: var(--soft); font-weight: 600; }
        td.word, th.word { text-align: left; white-space: normal; min-width: 11em; }
        tr.best td { background: var(--panel); font-weight: 600; }
        .yes { color: var(--good); } .no { color: var(--bad); }
        figure { margin: 10px 0 0; } svg { width: 100%; height: auto; display: block; }
        svg text { fill: var(--soft); font: 12px system-ui, sans-serif; } svg .strong { fill: var(--text); }
        """;

    public static string Format(PlanReport report, Drill? drill)
    {
        var html = new StringBuilder();
        var title = Safe(report.Plan.Options.Name);
        html.Append("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
            + $"content=\"width=device-width, "
                + $"initial-scale=1\">\n<title>{title}</title>\n<style>\n{Style}\n</style>\n</head>\n<body>\n");
        html.Append($"<h1>{title}</h1>\n<p class=\"soft\">{Safe(Facts(report, drill))}</p>\n");
        html.Append($"<p class=\"answer{(report.Best is null ? " none" : "")}\">{Safe(report.Sentence)}</p>\n");
        Candidates(html, report);
        Charts(html, report);
        Reasons(html, report);
        if ((report.Best ?? report.Candidates.FirstOrDefault(c => c.Outcome.Infeasible.Count == 0)) is { } detail)
            Details(html, report, detail.Outcome);
        Method(html, report);
        return html.Append("</body>\n</html>\n").ToString();
    }

    private static string Facts(PlanReport report, Drill? drill)
    {
        var options = report.Plan.Options;
        var facts = Say($"{report.Candidates.Count} candidates, {options.DurationSeconds:#,##0} simulated seconds "
            + $"each, seed ")
            + Say($"{options.Seed}. Prices in {report.Plan.Currency}: ") + string.Join("; ", report.Plan.PriceSources)
                + ".";
        if (drill is not null)
            facts += Say($" What if, after {Drill.BeginsAt(options):#,##0} s: {drill.Name}, {drill.What}.");
        return report.NotRun == 0 ? facts : facts + $" Interrupted: {report.NotRun} candidates are missing.";
    }

    private static IEnumerable<Judged> Shown(PlanReport report) => report.Candidates.OrderBy(c => !c.IsBest)
        .ThenBy(c => !c.Outcome.IsFit).ThenBy(c => c.Outcome.Infeasible.Count > 0).ThenBy(c => c.Outcome.CostPerHour);

    private static void Candidates(StringBuilder html, PlanReport report)
    {
        var tokens = PlanCells.HasTokens(report);
        html.Append("<h2>Candidates</h2>\n<div class=\"scroll\"><table>\n<tr><th class=\"word\">candidate</th>"
            + "<th class=\"word\">keeps goals</th>");
        foreach (var head in PlanCells.Heads(report))
            html.Append($"<th>{Safe(head)}</th>");
        html.Append("</tr>\n");
        foreach (var judged in Shown(report).Take(ShownMax))
            Row(html, judged, tokens);
        html.Append($"</table></div>\n<p class=\"soft\">Use: {Safe(PlanReport.UseIs)}. Broken: seconds of broken "
            + "promise.</p>\n");
        if (report.Candidates.Count > ShownMax)
            html.Append($"<p class=\"soft\">{report.Candidates.Count - ShownMax} more are in the JSON and CSV "
                + $"reports.</p>\n");
    }

    private static void Row(StringBuilder html, Judged judged, bool tokens)
    {
        var o = judged.Outcome;
        var verdict = o.Infeasible.Count > 0 ? "infeasible" : o.IsFit ? "yes" : "no";
        html.Append($"<tr{(judged.IsBest ? " class=\"best\"" : "")}><td class=\"word\">{Safe(o.Candidate.Name)}"
            + $"{(judged.OnFrontier ? Diamond : "")}</td>"
            + $"<td class=\"word {(o.IsFit ? "yes" : "no")}\">{verdict}</td>");
        foreach (var cell in PlanCells.Of(o, tokens))
            html.Append($"<td>{Safe(cell)}</td>");
        html.Append("</tr>\n");
    }

    private static void Charts(StringBuilder html, PlanReport report)
    {
        var some = Shown(report).Where(c => c.Outcome.Infeasible.Count == 0 && c.Outcome.Answered > 0).ToList();
        if (some.Count == 0)
            return;
        html.Append("<h2>Cost against latency</h2>\n<figure>").Append(PlanCharts.Scatter(report, some))
            .Append("<figcaption>Both axes are logarithmic. ◆ on the Pareto frontier of cost, p95, capacity and "
                + "quality; filled: "
                + "keeps every goal; ring: recommended. The dashed line is the promised p95.</figcaption></figure>\n");
        var charted = some.Take(ChartedMax).ToList();
        html.Append("<h2>Where the time goes</h2>\n<figure>").Append(PlanCharts.Stages(charted))
            .Append("<figcaption>Mean time of an answer by stage.</figcaption></figure>\n");
        if (charted.Any(c => c.Outcome.CostCurve.Count > 0))
            html.Append("<h2>What an answer costs, over the use of the fleet</h2>\n<figure>")
                .Append(PlanCharts.CostCurves(report, charted))
                    .Append("<figcaption>Machines cost the same used or not: half "
                + "the use, twice the cost of an answer. Points: the use that was simulated.</figcaption></figure>\n");
        var focus = some.FirstOrDefault(c => c.IsBest) ?? some[0];
        html.Append($"<h2>The simulated time of {Safe(focus.Outcome.Candidate.Name)}</h2>\n<figure>")
            .Append(PlanCharts.Timeline(report, focus.Outcome))
                .Append("<figcaption>Requests a second, replicas that take "
                + "requests, and the 95th percentile of the answers.</figcaption></figure>\n");
    }

    private static void Reasons(StringBuilder html, PlanReport report)
    {
        html.Append("<h2>Why, and what would have to change</h2>\n<div class=\"scroll\"><table>\n<tr><th "
            + "class=\"word\">candidate"
            + "</th><th class=\"word\">why</th><th class=\"word\">would help</th></tr>\n");
        foreach (var judged in Shown(report).Take(ShownMax))
        {
            html.Append($"<tr><td class=\"word\">{Safe(judged.Outcome.Candidate.Name)}</td><td class=\"word\">"
                + $"{Safe(judged.Reason)}</td><td "
                    + $"class=\"word\">{Safe(string.Join("; ", judged.WouldHelp))}</td></tr>\n");
        }

        html.Append("</table></div>\n");
    }

    private static void Details(StringBuilder html, PlanReport report, CandidateOutcome o)
    {
        html.Append($"<h2>{Safe(o.Candidate.Name)} in detail</h2>\n<div class=\"scroll\"><table>\n<tr><th "
            + $"class=\"word\">stage"
            + "</th><th>mean</th><th>p50</th><th>p95</th><th>p99</th><th class=\"word\">rests on</th></tr>\n");
        List<StageTimes?> rows = [.. o.Stages.Where(s => s.P99Ms > 0).Select(s => (StageTimes?)s),
            o.Total with { Evidence = "simulated" }, o.FirstToken, o.PerToken, .. o.Steps];
        foreach (var stage in rows.OfType<StageTimes>())
        {
            string[] cells = [.. new[] { stage.MeanMs, stage.P50Ms, stage.P95Ms, stage.P99Ms }.Select(Figures.Ms)];
            html.Append($"<tr><td class=\"word\">{stage.Name}</td><td>{string.Join("</td><td>", cells)}</td>"
                + $"<td class=\"word\">{Safe(stage.Evidence)}</td></tr>\n");
        }

        html.Append("</table></div>\n<div class=\"scroll\"><table>\n<tr><th class=\"word\">site</th><th "
            + "class=\"word\">what</th>"
            + "<th>quantity</th><th class=\"word\">unit</th><th>price</th><th>amount</th></tr>\n");
        foreach (var line in o.Costs)
        {
            html.Append($"<tr><td class=\"word\">{Safe(line.Site)}</td><td class=\"word\">{Safe(line.What)}</td><td>"
                + Say($"{line.Quantity:0.######}</td><td "
                    + $"class=\"word\">{line.Unit}</td><td>{line.Price}</td><td>{line.Amount}</td></tr>\n"));
        }

        html.Append($"<tr class=\"best\"><td class=\"word\">the "
            + $"bill</td><td></td><td></td><td></td><td></td><td>{o.Bill} "
            + $"{Safe(report.Plan.Currency)}</td></tr>\n</table></div>\n");
    }

    private static void Method(StringBuilder html, PlanReport report)
    {
        html.Append($"<h2>What these figures are</h2>\n<p>A simulation of every request. {Safe(PlanReport.Rules)} "
            + "Service times come from the variants' figures:</p>\n<ul>\n");
        foreach (var (name, variant) in report.Plan.Options.Variants)
        {
            var quality = variant.Quality is { } q ? Say($"quality {q:0.###} ({variant.QualitySource})")
                : "quality unknown";
            html.Append($"<li>{Safe(name)}: {Evaluation.Word(variant.Evidence)}; {Safe(variant.Source)}; "
                + $"{Safe(quality)}</li>\n");
        }

        html.Append("</ul>\n<p class=\"soft\">The stages of each request add up to its time, Little's law holds in "
            + "each run, and a "
            + "bill is the sum of its lines: a run in which one of them fails ends with an error. A month has 730 "
                + "hours.</p>\n");
    }

    private static string Safe(string text) => WebUtility.HtmlEncode(text);

    /// <summary>The process has no culture but the invariant one.</summary>
    private static string Say(ref DefaultInterpolatedStringHandler text) => text.ToStringAndClear();
}
