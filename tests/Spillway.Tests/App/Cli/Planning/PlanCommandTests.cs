using System.Text.RegularExpressions;
using System.Xml.Linq;
using Spillway.App.Cli;
using Spillway.App.Cli.Planning;
using Spillway.Planner.Answers;
using Spillway.Planner.Fleet;
using Spillway.Tests.Planner.Plans;
using Spillway.Tests.Runtimes.Onnx;

namespace Spillway.Tests.App.Cli.Planning;

public sealed partial class PlanCommandTests
{
    private static readonly string s_plan = Repository.At("samples", "plans", "line-ocr.yaml");

    [Fact]
    public async Task An_unknown_drill_is_refused_with_the_known_ones()
    {
        var (code, _, error) = await RunAsync(new(s_plan, false, null, null, "spike", null, false, false, 1));
        Assert.Equal(Commands.Usage, code);
        Assert.Contains("spike-10x, cold-start-9am", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_unknown_candidate_is_refused_with_the_known_ones()
    {
        var (code, _, error) = await RunAsync(new(s_plan, false, null, null, null, "none", false, true, 1));
        Assert.Equal(Commands.Usage, code);
        Assert.Contains("Known: scanner", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Closed_formulas_answer_without_a_simulation()
    {
        var (code, output, _) = await RunAsync(new(s_plan, false, null, null, null, null, false, true, 1));
        Assert.Equal(Commands.Ok, code);
        Assert.Contains("Allen-Cunneen", output, StringComparison.Ordinal);
        Assert.Contains("no steady state", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Closed_formulas_refuse_what_they_would_ignore()
    {
        var (code, _, error) = await RunAsync(new(s_plan, true, null, null, null, null, false, true, 1));
        Assert.Equal(Commands.Usage, code);
        Assert.Contains("--json would be ignored", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nothing_is_exported_while_candidates_are_missing()
    {
        using var stop = new CancellationTokenSource();
        await stop.CancelAsync();
        var (_, output, error) = await RunAsync(new(s_plan, false, null, null, null, null, true, false, 1), stop.Token);
        Assert.Empty(output);
        Assert.Contains("not simulated to the end", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Interrupted_it_says_what_is_missing()
    {
        using var stop = new CancellationTokenSource();
        await stop.CancelAsync();
        var (code, output, _) = await RunAsync(new(s_plan, false, null, null, null, null, false, false, 1), stop.Token);
        Assert.Equal(Commands.Interrupted, code);
        Assert.Contains("were not finished", output, StringComparison.Ordinal);
    }

    [Fact]
    public void The_report_for_a_browser_is_one_file_without_scripts_or_links_and_its_pictures_are_whole()
    {
        var plan = SmallPlan.Read(("name: small", "name: <small> & bold"));
        var outcomes = plan.Candidates.Select(c => Evaluation.Run(plan, c)!).ToList();
        var html = PlanHtml.Format(PlanReport.Of(plan, outcomes, notRun: 0), Drill.Find("spike-10x"));
        Assert.DoesNotContain("<script", html, StringComparison.Ordinal);
        Assert.DoesNotContain("http", html, StringComparison.Ordinal);
        Assert.DoesNotContain("<small>", html, StringComparison.Ordinal);
        Assert.Contains("prefers-color-scheme: dark", html, StringComparison.Ordinal);
        var pictures = Picture().Matches(html);
        Assert.Equal(4, pictures.Count);
        Assert.All(pictures, picture => Assert.NotEmpty(XElement.Parse(picture.Value).Elements()));
        Assert.DoesNotContain("NaN", html, StringComparison.Ordinal);
    }

    [Fact]
    public void The_table_for_spreadsheets_has_a_line_for_each_candidate_and_no_formulas()
    {
        var plan = SmallPlan.Read(("name: one", "name: =one"));
        var outcomes = plan.Candidates.Select(c => Evaluation.Run(plan, c)!).ToList();
        var lines = PlanCsv.Format(PlanReport.Of(plan, outcomes, notRun: 0)).TrimEnd().Split('\n');
        Assert.Equal(1 + plan.Candidates.Count, lines.Length);
        Assert.StartsWith("\"'=one\"", lines[1], StringComparison.Ordinal);
    }

    private static async Task<(int Code, string Output, string Error)> RunAsync(
        PlanRequest asked, CancellationToken stop = default)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        var code = await PlanCommand.RunAsync(asked, output, error, TimeProvider.System, stop);
        return (code, output.ToString(), error.ToString());
    }

    [GeneratedRegex("<svg.*?</svg>", RegexOptions.Singleline)]
    private static partial Regex Picture();
}
