using System.Text;

namespace Spillway.App.Load.Plots;

/// <summary>Latency over load in characters, both axes logarithmic; at most 80 columns.</summary>
internal static class TerminalPlot
{
    private const int Width = 64;
    private const int Height = 14;
    private const int Margin = 9;

    /// <summary>The lines of the plot; none without points.</summary>
    public static IReadOnlyList<string> Draw(IReadOnlyList<Series> series)
    {
        var points = series.SelectMany(s => s.Points).ToList();
        if (points.Count == 0)
            return [];
        var (x, y) = (new Axis(points.Select(p => p.Rate)), new Axis(points.Select(p => p.Ms)));
        var field = Enumerable.Range(0, Height).Select(_ => Enumerable.Repeat(' ', Width).ToArray()).ToArray();
        foreach (var one in series)
        {
            foreach (var (rate, ms) in one.Points)
                field[RowOf(y, ms)][ColumnOf(x, rate)] = one.Mark;
        }

        List<string> lines = ["milliseconds   " + string.Join("   ", series.Select(s => $"{s.Mark} {s.Name}"))];
        var labels = y.Ticks().GroupBy(t => RowOf(y, t))
            .ToDictionary(g => g.Key, g => Axis.Label(g.First()));
        for (var row = 0; row < Height; row++)
            lines.Add($"{labels.GetValueOrDefault(row, ""),Margin - 2} |{new string(field[row])}".TrimEnd());
        lines.Add(new string(' ', Margin - 1) + "+" + new string('-', Width));
        lines.Add(XLabels(x));
        return lines;
    }

    private static int RowOf(Axis y, double value) => Height - 1 - (int)Math.Round(y.At(value) * (Height - 1));

    private static int ColumnOf(Axis x, double value) => (int)Math.Round(x.At(value) * (Width - 1));

    private static string XLabels(Axis x)
    {
        var line = new StringBuilder(new string(' ', Margin + Width + 20));
        var free = 0;
        foreach (var tick in x.Ticks())
        {
            var label = Axis.Label(tick);
            var at = Margin + ColumnOf(x, tick) - (label.Length / 2);
            if (at < free)
                continue;
            line.Remove(at, label.Length).Insert(at, label);
            free = at + label.Length + 1;
        }

        var end = Math.Max(free, Margin + Width - 10);
        return line.ToString(0, end).TrimEnd() + "  requests/s";
    }
}
