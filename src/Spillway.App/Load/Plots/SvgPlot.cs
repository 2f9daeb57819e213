using System.Globalization;
using System.Net;
using System.Text;

namespace Spillway.App.Load.Plots;

/// <summary>
/// The same plot as a picture that every browser opens: one file without scripts, fonts or links. Both axes are
/// logarithmic; every mark has its figures as a tooltip.
/// </summary>
internal static class SvgPlot
{
    private const double Width = 860;
    private const double Height = 520;
    private const double Left = 70;
    private const double Right = 30;
    private const double Top = 50;
    private const double Bottom = 60;

    // Told apart by colour-blind readers as well (Okabe and Ito).
    private static readonly string[] s_colours =
        ["#0072b2", "#e69f00", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#000000", "#f0e442"];

    public static string Draw(string title, IReadOnlyList<Series> series)
    {
        var svg = new StringBuilder();
        Add(svg, $"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {Width} {Height}\" ");
        svg.Append("font-family=\"sans-serif\" font-size=\"13\">\n");
        Add(svg, $"<rect width=\"{Width}\" height=\"{Height}\" fill=\"#fff\"/>\n");
        Add(svg, $"<text x=\"{Left}\" y=\"24\" font-size=\"16\">{WebUtility.HtmlEncode(title)}</text>\n");
        var points = series.SelectMany(s => s.Points).ToList();
        if (points.Count > 0)
        {
            var (x, y) = (new Axis(points.Select(p => p.Rate)), new Axis(points.Select(p => p.Ms)));
            Grid(svg, x, y);
            for (var i = 0; i < series.Count; i++)
                Line(svg, series[i], s_colours[i % s_colours.Length], i, x, y);
        }

        return svg.Append("</svg>\n").ToString();
    }

    private static double X(Axis axis, double value) => Left + (axis.At(value) * (Width - Left - Right));

    private static double Y(Axis axis, double value) => Height - Bottom - (axis.At(value) * (Height - Top - Bottom));

    private static void Grid(StringBuilder svg, Axis x, Axis y)
    {
        foreach (var tick in x.Ticks())
        {
            var at = X(x, tick);
            Add(svg, $"<path d=\"M{at:0.#} {Top}V{Height - Bottom}\" stroke=\"#ddd\"/>");
            Add(svg, $"<text x=\"{at:0.#}\" y=\"{Height - Bottom + 20}\" text-anchor=\"middle\">");
            Add(svg, $"{Axis.Label(tick)}</text>\n");
        }

        foreach (var tick in y.Ticks())
        {
            var at = Y(y, tick);
            Add(svg, $"<path d=\"M{Left} {at:0.#}H{Width - Right}\" stroke=\"#ddd\"/>");
            Add(svg, $"<text x=\"{Left - 8}\" y=\"{at + 4:0.#}\" text-anchor=\"end\">{Axis.Label(tick)}</text>\n");
        }

        Add(svg, $"<text x=\"{(Left + Width - Right) / 2:0.#}\" y=\"{Height - 16}\" ");
        svg.Append("text-anchor=\"middle\">requests/s</text>\n");
        Add(svg, $"<text transform=\"translate(18 {(Top + Height - Bottom) / 2:0.#}) rotate(-90)\" ");
        svg.Append("text-anchor=\"middle\">latency, ms</text>\n");
    }

    private static void Line(StringBuilder svg, Series series, string colour, int index, Axis x, Axis y)
    {
        var path = string.Join(' ', series.Points.Select(p =>
            string.Create(CultureInfo.InvariantCulture, $"{X(x, p.Rate):0.#},{Y(y, p.Ms):0.#}")));
        Add(svg, $"<polyline points=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>\n");
        var name = WebUtility.HtmlEncode(series.Name);
        foreach (var (rate, ms) in series.Points)
        {
            Add(svg, $"<circle cx=\"{X(x, rate):0.#}\" cy=\"{Y(y, ms):0.#}\" r=\"3.5\" fill=\"{colour}\">");
            Add(svg, $"<title>{name}: {ms:0.###} ms at {rate:0.##}/s</title></circle>\n");
        }

        var at = Left + 10 + (index * 110);
        Add(svg, $"<circle cx=\"{at}\" cy=\"40\" r=\"4\" fill=\"{colour}\"/>");
        Add(svg, $"<text x=\"{at + 9}\" y=\"44\">{name}</text>\n");
    }

    private static void Add(StringBuilder svg, FormattableString text) =>
        svg.Append(text.ToString(CultureInfo.InvariantCulture));
}
