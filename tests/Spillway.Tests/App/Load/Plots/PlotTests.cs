using System.Xml.Linq;
using Spillway.App.Load.Plots;

namespace Spillway.Tests.App.Load.Plots;

public sealed class PlotTests
{
    private static readonly Series s_series = new("p<9>", 'o', [(10, 1.5), (100, 2), (1000, 80)]);

    [Fact]
    public void A_terminal_plot_puts_each_point_where_its_logarithms_lie()
    {
        var lines = TerminalPlot.Draw([s_series]);

        var field = lines.Skip(1).Take(14).ToList();
        Assert.Equal(3, field.Sum(l => l.Count(c => c == 'o')));
        Assert.EndsWith("|o", field[^1], StringComparison.Ordinal);
        Assert.Equal(9 + 63, field[0].LastIndexOf('o'));
        Assert.All(lines, l => Assert.True(l.Length <= 100, l));
        Assert.Contains("requests/s", lines[^1], StringComparison.Ordinal);
        Assert.Empty(TerminalPlot.Draw([new("none", 'x', [])]));
    }

    [Fact]
    public void A_picture_is_well_formed_self_contained_and_has_every_point_as_a_tooltip()
    {
        var svg = XDocument.Parse(SvgPlot.Draw("a & b", [s_series]));

        var text = svg.Root!.Value;
        Assert.Contains("a & b", text, StringComparison.Ordinal);
        Assert.Contains("p<9>: 80 ms at 1000/s", text, StringComparison.Ordinal);
        Assert.DoesNotContain(svg.Descendants(), e => e.Name.LocalName is "script" or "image" or "a" or "style");
        Assert.Equal(4, svg.Descendants().Count(e => e.Name.LocalName == "circle"));
    }

    [Fact]
    public void A_single_point_is_a_plot_too()
    {
        var one = new Series("p99", '#', [(50, 3)]);

        Assert.Contains(TerminalPlot.Draw([one]), l => l.Contains('#', StringComparison.Ordinal));
        XDocument.Parse(SvgPlot.Draw("one", [one]));
    }
}
