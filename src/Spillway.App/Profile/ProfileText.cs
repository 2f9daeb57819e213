using System.Globalization;
using Spillway.App.Cli;

namespace Spillway.App.Profile;

/// <summary>The report for people.</summary>
internal static class ProfileText
{
    private const int OperatorsMax = 10;

    public static void Write(TextWriter output, ProfileReport report)
    {
        Line($"{report.Model}  {report.File}");
        Line($"  in   {string.Join(" · ", report.Inputs)}");
        Line($"  out  {string.Join(" · ", report.Outputs)}");
        Line($"\nLoading            time        memory");
        Line($"  without cache {report.Load.PlainMs,8:0.0} ms {Megabytes(report.Load.PlainBytes),10}");
        if (report.Load.CachedMs is { } cached)
            Line($"  with cache    {cached,8:0.0} ms {Megabytes(report.Load.CachedBytes),10}");
        if (report.PeakBytes is not null)
            Line($"  after the largest batch    {Megabytes(report.PeakBytes),10}");
        Line($"\nRows in a run, with 1 .. {report.Curves[^1].Threads} thread(s) inside an operator:");
        Line($"ms a run (ms a row, CPU ms a row)");
        foreach (var rows in report.Curves.SelectMany(static c => c.Points).Select(static p => p.Rows).Distinct()
            .Order())
        {
            var cells = report.Curves.Select(c => Cell(c.Points.FirstOrDefault(p => p.Rows == rows)));
            Line($"  {rows,5}  {string.Join("   ", cells)}");
        }

        Line($"\nCallers side by side");
        foreach (var side in report.SideBySide)
            Line($"  {side.Callers,5}  {side.RowsPerSecond,10:0.0} rows/s, {side.Rows} row(s) a run");
        Line($"\nOperators           share   nodes");
        foreach (var op in report.Operators.Take(OperatorsMax))
            Line($"  {op.Name,-16} {op.Share,6:0.0%} {op.Nodes,7}");
        Line($"\nAdvice");
        foreach (var (sentence, i) in report.Advice.SelectMany(static s =>
            TerminalText.Wrap(s, 110).Select(static (part, i) => (part, i))))
            Line($"  {(i == 0 ? "-" : " ")} {sentence}");

        void Line(FormattableString text) => output.WriteLine(string.Join(
            '\n', text.ToString(CultureInfo.InvariantCulture).Split('\n').Select(TerminalText.Clean)));
    }

    private static string Cell(CurvePoint? point) => point is null ? new string(' ', 30) : string.Create(
        CultureInfo.InvariantCulture,
            $"{point.Ms,10:0.###} ({point.Ms / point.Rows:0.###}, {point.CpuMs / point.Rows:0.###})").PadRight(30);

    private static string Megabytes(long? bytes) =>
        bytes is { } known ? string.Create(CultureInfo.InvariantCulture, $"{known / 1e6:0.0} MB") : "-";
}
