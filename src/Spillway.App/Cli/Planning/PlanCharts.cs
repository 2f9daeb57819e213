using System.Globalization;
using System.Net;
using System.Runtime.CompilerServices;
using System.Text;
using Spillway.App.Load.Plots;
using Spillway.Planner.Answers;
using Spillway.Planner.Outcomes;

namespace Spillway.App.Cli.Planning;

/// <summary>The charts of a report: SVG that takes its colours from the page, so that both schemes are
/// readable.</summary>
/// <remarks>This file is long because the four charts share their frame and their scales.</remarks>
internal static class PlanCharts
{
    private const double Width = 1000;
    private const double Left = 80;
    private const double Right = 30;
    private const double Bottom = 46;
    private const double Top = 16;

    private static readonly string[] s_stages = ["c0", "c4", "c1", "c3", "c2", "c5", "c2"];

    /// <summary>Cost of a month over the 95th percentile, a point for each candidate.</summary>
    public static string Scatter(PlanReport report, IReadOnlyList<Judged> candidates)
    {
        const double Height = 420;
        var goal = report.Plan.Options.Goals.P95Ms;
        var x = new Axis(Wide(candidates.Select(c => c.Outcome.CostPerMonth)));
        var y = new Axis(Wide(candidates.Select(c => c.Outcome.Total.P95Ms).Concat(goal is { } g ? [g] : [])));
        var svg = Begin(Height);
        Frame(svg, x, y, Height, $"{report.Plan.Currency} a month", "p95, ms");
        if (goal is { } limit)
        {
            var at = Y(y, limit, Height);
            Add(svg, $"<path d=\"M{Left} {at:0.#}H{Width - Right}\" style=\"stroke:var(--bad)\" stroke-dasharray=\"6 "
                + $"5\"/>");
        }

        foreach (var judged in candidates.Reverse())
            Point(svg, judged, X(x, judged.Outcome.CostPerMonth), Y(y, judged.Outcome.Total.P95Ms, Height));
        Names(svg, candidates, x, y, Height);
        return End(svg);
    }

    /// <summary>Mean time by stage, a bar for each candidate.</summary>
    public static string Stages(IReadOnlyList<Judged> candidates)
    {
        const double Bar = 22, Gap = 14, NameWidth = 250;
        var height = 50 + (candidates.Count * (Bar + Gap));
        var most = Math.Max(candidates.Max(c => c.Outcome.Stages.Sum(s => s.MeanMs)), 1e-6);
        var svg = Begin(height);
        var seen = Enumerable.Range(0, s_stages.Length)
            .Where(i => candidates.Any(c => c.Outcome.Stages[i].MeanMs > most / 1000)).ToList();
        for (var i = 0; i < seen.Count; i++)
            Legend(svg, 10 + (i * 120), 18, s_stages[seen[i]], candidates[0].Outcome.Stages[seen[i]].Name);
        for (var row = 0; row < candidates.Count; row++)
        {
            var (o, at, top) = (candidates[row].Outcome, NameWidth, 36 + (row * (Bar + Gap)));
            Add(svg, $"<text class=\"strong\" x=\"{NameWidth - 10}\" y=\"{top + 15:0.#}\" "
                + $"text-anchor=\"end\">{Name(o, 38)}</text>");
            foreach (var stage in seen)
            {
                var wide = o.Stages[stage].MeanMs / most * (Width - NameWidth - 110);
                Add(svg, $"<rect x=\"{at:0.##}\" y=\"{top:0.#}\" width=\"{Math.Max(0, wide):0.##}\" height=\"{Bar}\" ");
                Add(svg, $"style=\"fill:var(--{s_stages[stage]})\"><title>{o.Stages[stage].Name}: "
                    + $"{o.Stages[stage].MeanMs:0.##} ms</title></rect>");
                at += wide;
            }

            Add(svg, $"<text x=\"{at + 8:0.#}\" y=\"{top + 15:0.#}\">{Figures.Ms(o.Total.MeanMs)}</text>\n");
        }

        return End(svg);
    }

    /// <summary>Cost of 1,000 answers over the use of the capacity.</summary>
    public static string CostCurves(PlanReport report, IReadOnlyList<Judged> candidates)
    {
        const double Height = 380;
        var drawn = candidates.Where(c => c.Outcome.CostCurve.Any(p => p.Per1000 > 0)).Take(6).ToList();
        if (drawn.Count == 0)
            return "";
        var y = new Axis(Wide(drawn.SelectMany(c => c.Outcome.CostCurve.Select(p => p.Per1000))));
        var svg = Begin(Height);
        Horizontal(svg, y, Height, $"{report.Plan.Currency} per 1,000");
        double At(double use) => Left + (use * (Width - Left - Right));
        for (var tick = 0; tick <= 10; tick += 2)
            Add(svg, $"<text x=\"{At(tick / 10.0):0.#}\" y=\"{Height - Bottom + 18}\" "
                + $"text-anchor=\"middle\">{tick * 10} %</text>");
        for (var i = 0; i < drawn.Count; i++)
        {
            var (o, colour) = (drawn[i].Outcome, $"c{i}");
            var path = string.Join(' ', o.CostCurve.Select(p =>
                Say($"{At(p.Utilisation):0.#},{Y(y, p.Per1000, Height):0.#}")));
            Add(svg, $"<polyline points=\"{path}\" fill=\"none\" style=\"stroke:var(--{colour})\" "
                + $"stroke-width=\"2.5\"/>");
            if (o.CapacityUse is { } use)
            {
                var cost = Math.Max(o.CostPer1000 ?? 0, 1e-9);
                Add(svg, $"<circle cx=\"{At(use):0.#}\" cy=\"{Y(y, cost, Height):0.#}\" r=\"5\" "
                    + $"style=\"fill:var(--{colour})\">");
                Add(svg, $"<title>{Name(o, 60)}: {cost:0.######} at {use * 100:0} %</title></circle>");
            }

            Legend(svg, Width - 360, 30 + (i * 20), colour, Name(o, 44));
        }

        return End(svg);
    }

    /// <summary>Requests, answers and failures a second; replicas; p95.</summary>
    public static string Timeline(PlanReport report, CandidateOutcome o)
    {
        const double Part = 150;
        var each = report.Plan.Options.DurationSeconds / Math.Max(1, o.Pieces.Count);
        var svg = Begin((Part * 3) + 30);
        Strip(svg, 0, "requests/s", o.Pieces, ("c0", "sent", p => p.Offered / each),
            ("c2", "answered", p => p.Answered / each),
            ("c1", "failed", p => p.Failed / each));
        Strip(svg, Part, "replicas", o.Pieces, ("c3", "ready", p => p.Ready));
        Strip(svg, Part * 2, "p95, ms", o.Pieces, ("c4", "p95", p => p.P95Ms));
        for (var tick = 0; tick <= 6; tick++)
        {
            var second = report.Plan.Options.DurationSeconds * tick / 6;
            Add(svg, $"<text x=\"{Left + (tick / 6.0 * (Width - Left - Right)):0.#}\" y=\"{(Part * 3) + 18}\" ");
            Add(svg, $"text-anchor=\"middle\">{Clock(second)}</text>");
        }

        return End(svg);
    }

    private static void Strip(StringBuilder svg, double top, string title, IReadOnlyList<Stretch> pieces,
        params (string Colour, string Name, Func<Stretch, double> Value)[] lines)
    {
        var most = Math.Max(lines.Max(l => pieces.Max(l.Value)), 1e-9);
        var (high, low) = (top + 24, top + 136);
        Add(svg, $"<text class=\"strong\" x=\"{Left}\" y=\"{top + 15:0.#}\">{title}</text>");
        Add(svg, $"<path d=\"M{Left} {low}H{Width - Right}M{Left} {high}H{Width - Right}\" "
            + $"style=\"stroke:var(--line)\"/>");
        Add(svg, $"<text x=\"{Left - 8}\" y=\"{high + 4}\" text-anchor=\"end\">{Axis.Label(Round(most))}</text>");
        Add(svg, $"<text x=\"{Left - 8}\" y=\"{low + 4}\" text-anchor=\"end\">0</text>");
        for (var i = 0; i < lines.Length; i++)
        {
            var value = lines[i].Value;
            double At(int n) => Left + ((n + 0.5) / pieces.Count * (Width - Left - Right));
            var path = string.Join(' ', pieces.Select(
                (p, n) => Say($"{At(n):0.#},{low - (value(p) / most * (low - high)):0.#}")));
            Add(svg, $"<polyline points=\"{path}\" fill=\"none\" style=\"stroke:var(--{lines[i].Colour})\" "
                + $"stroke-width=\"2\"/>");
            if (lines.Length > 1)
                Legend(svg, Left + 110 + (i * 100), top + 15, lines[i].Colour, lines[i].Name);
        }
    }

    private static double Round(double value) => Math.Round(value, value >= 100 ? 0 : value >= 1 ? 1 : 3);

    private static string Clock(double second) => second >= 7200 ? Say($"{second / 3600:0.#} h")
        : second >= 600 ? Say($"{second / 60:0} min") : Say($"{second:0} s");

    private static void Point(StringBuilder svg, Judged judged, double x, double y)
    {
        var o = judged.Outcome;
        var colour = o.IsFit ? "var(--good)" : "var(--c6)";
        var fill = o.IsFit ? colour : "none";
        if (judged.IsBest)
            Add(svg, $"<circle cx=\"{x:0.#}\" cy=\"{y:0.#}\" r=\"12\" fill=\"none\" style=\"stroke:var(--good)\" "
                + $"stroke-width=\"2\"/>");
        var shape = judged.OnFrontier
            ? Say($"<path d=\"M{x:0.#} {y - 7:0.#}l7 7l-7 7l-7 -7z\"")
                : Say($"<circle cx=\"{x:0.#}\" cy=\"{y:0.#}\" r=\"5\"");
        Add(svg, $"{shape} style=\"fill:{fill};stroke:{colour}\" stroke-width=\"2\"><title>{Name(o, 80)}: ");
        Add(svg, $"{o.CostPerMonth:0.##} a month, p95 {o.Total.P95Ms:0.##} "
            + $"ms</title>{(judged.OnFrontier ? "</path>" : "</circle>")}\n");
    }

    /// <summary>Names beside the points that have room for one; the tooltip has them all.</summary>
    private static void Names(StringBuilder svg, IReadOnlyList<Judged> candidates, Axis x, Axis y, double height)
    {
        List<(double X, double Y)> taken = [];
        foreach (var judged in candidates.OrderBy(c => !c.IsBest).ThenBy(c => !c.OnFrontier))
        {
            var (px, py) = (X(x, judged.Outcome.CostPerMonth), Y(y, judged.Outcome.Total.P95Ms, height));
            if (taken.Exists(t => Math.Abs(t.X - px) < 230 && Math.Abs(t.Y - py) < 16))
                continue;
            taken.Add((px, py));
            var right = px < Width * 0.68;
            Add(svg, $"<text class=\"strong\" x=\"{(right ? px + 15 : px - 15):0.#}\" y=\"{py + 4:0.#}\" ");
            Add(svg, $"text-anchor=\"{(right ? "start" : "end")}\">{Name(judged.Outcome, 34)}</text>");
        }
    }

    private static void Frame(StringBuilder svg, Axis x, Axis y, double height, string nameX, string nameY)
    {
        Horizontal(svg, y, height, nameY);
        foreach (var tick in x.Ticks())
        {
            Add(svg, $"<path d=\"M{X(x, tick):0.#} {Top}V{height - Bottom}\" style=\"stroke:var(--line)\"/>");
            Add(svg, $"<text x=\"{X(x, tick):0.#}\" y=\"{height - Bottom + 18}\" "
                + $"text-anchor=\"middle\">{Axis.Label(tick)}</text>");
        }

        Add(svg, $"<text x=\"{(Left + Width - Right) / 2}\" y=\"{height - 6}\" "
            + $"text-anchor=\"middle\">{Safe(nameX)}</text>\n");
    }

    private static void Horizontal(StringBuilder svg, Axis y, double height, string name)
    {
        foreach (var tick in y.Ticks())
        {
            var at = Y(y, tick, height);
            Add(svg, $"<path d=\"M{Left} {at:0.#}H{Width - Right}\" style=\"stroke:var(--line)\"/>");
            Add(svg, $"<text x=\"{Left - 8}\" y=\"{at + 4:0.#}\" text-anchor=\"end\">{Axis.Label(tick)}</text>");
        }

        Add(svg, $"<text transform=\"translate(16 {(Top + height - Bottom) / 2:0.#}) rotate(-90)\" "
            + $"text-anchor=\"middle\">");
        Add(svg, $"{Safe(name)}</text>\n");
    }

    private static void Legend(StringBuilder svg, double x, double y, string colour, string name)
    {
        Add(svg, $"<rect x=\"{x}\" y=\"{y - 10}\" width=\"12\" height=\"12\" rx=\"2\" "
            + $"style=\"fill:var(--{colour})\"/>");
        Add(svg, $"<text class=\"strong\" x=\"{x + 18}\" y=\"{y}\">{name}</text>");
    }

    /// <summary>A little room around the values.</summary>
    private static IEnumerable<double> Wide(IEnumerable<double> values)
    {
        var all = values.Where(v => v > 0).ToList();
        return all.Count == 0 ? [1] : [.. all, all.Min() / 1.25, all.Max() * 1.25];
    }

    private static double X(Axis axis, double value) => Left + (axis.At(value) * (Width - Left - Right));

    private static double Y(Axis axis, double value, double height) =>
        height - Bottom - (axis.At(value) * (height - Top - Bottom));

    private static StringBuilder Begin(double height) =>
        new StringBuilder().Append(CultureInfo.InvariantCulture,
            $"<svg viewBox=\"0 0 {Width} {height}\" role=\"img\">\n");

    private static string End(StringBuilder svg) => svg.Append("</svg>\n").ToString();

    private static string Name(CandidateOutcome o, int most) =>
        Safe(o.Candidate.Name.Length <= most ? o.Candidate.Name : o.Candidate.Name[..(most - 1)] + "…");

    private static string Safe(string text) => WebUtility.HtmlEncode(text);

    /// <summary>The process has no culture but the invariant one.</summary>
    private static string Say(ref DefaultInterpolatedStringHandler text) => text.ToStringAndClear();

    private static void Add(StringBuilder svg, ref DefaultInterpolatedStringHandler text) =>
        svg.Append(text.ToStringAndClear());
}
