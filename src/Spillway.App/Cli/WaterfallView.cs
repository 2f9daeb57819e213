using System.Globalization;
using Spectre.Console;
using Spillway.Telemetry;

namespace Spillway.App.Cli;

/// <summary>
/// The stages of one request as a waterfall: each with its start, its time, its share, and a bar at its place in the
/// total. Colour where the console has it; the same characters without. Fits the console's width, from 60 columns.
/// </summary>
internal sealed class WaterfallView
{
    private const int WidthMin = 60;
    private const int WidthMax = 120;

    // Indent, name, start, time, share and the gaps between: all but the bar.
    private const int FixedWidth = 2 + 8 + 11 + 11 + 6 + 2;

    private readonly IReadOnlyList<(string Name, decimal Ms)> _stages;
    private readonly decimal _total;

    /// <param name="stages">Names and milliseconds in order.</param>
    public WaterfallView(IReadOnlyList<(string Name, decimal Ms)> stages)
    {
        _stages = stages;
        _total = stages.Sum(stage => stage.Ms);
    }

    /// <summary>
    /// The waterfall of an answer of which only the Server-Timing header is known; null when it has none.
    /// </summary>
    public static WaterfallView? FromServerTiming(string header)
    {
        if (!ServerTiming.TryParse(header, out var timings))
            return null;
        var stages = new List<(string, decimal)>();
        foreach (var stage in StageNames.All)
        {
            if (timings.Has(stage))
                stages.Add((stage.Name(), (decimal)timings[stage].Ticks / TimeSpan.TicksPerMillisecond));
        }

        if (stages.Count == 0)
            stages.Add(("total", (decimal)timings.Total!.Value.Ticks / TimeSpan.TicksPerMillisecond));
        return new(stages);
    }

    /// <summary>
    /// One line: the stages that took time, and the total. "receive 0.1 · execute 12.0 · total 12.1 ms".
    /// </summary>
    public string OneLine()
    {
        var parts = _stages.Where(stage => stage.Ms > 0).Select(stage => $"{stage.Name} {Short(stage.Ms)}");
        return string.Join(" · ", [.. parts, $"total {Short(_total)} ms"]);
    }

    /// <summary>Writes the waterfall.</summary>
    public void Write(IAnsiConsole console)
    {
        var bars = Math.Clamp(console.Profile.Width, WidthMin, WidthMax) - FixedWidth;
        console.MarkupLine($"[grey]  {"stage",-8}{"start ms",11}{"ms",11}{"share",6}[/]");
        var start = 0m;
        foreach (var (name, ms) in _stages)
        {
            var colour = Colour(name);
            var bar = Bar(start, ms, bars, console.Profile.Capabilities.Unicode).TrimEnd();
            var line = $"  {Pad(name)}{Number(start),11}{Number(ms),11}{Share(ms),6}";
            console.MarkupLine(ms > 0 ? $"{line}  [{colour}]{bar}[/]" : $"[grey]{line}[/]");
            start += ms;
        }

        console.MarkupLine($"[bold]  {"total",-8}{"",11}{Number(_total),11}{"100%",6}[/]");
    }

    private static string Pad(string name) => Markup.Escape(TerminalText.Clean(name).PadRight(8)[..8]);

    private static string Number(decimal ms) => ms.ToString("0.000", CultureInfo.InvariantCulture);

    private static string Short(decimal ms) =>
        ms.ToString(ms >= 100 ? "0" : ms >= 10 ? "0.0" : ms >= 0.01m ? "0.00" : "0.000", CultureInfo.InvariantCulture);

    private static string Colour(string stage) => stage switch
    {
        "queue" => "yellow",
        "execute" => "green",
        "batch" => "olive",
        "receive" or "write" => "blue",
        _ => "teal",
    };

    private string Share(decimal ms) =>
        _total == 0 ? "" : (ms / _total).ToString("0%", CultureInfo.InvariantCulture);

    /// <summary>
    /// A bar at its start, as long as its time, rounded; less than half a cell is a sliver, so that nothing that took
    /// time is invisible and nothing short looks long.
    /// </summary>
    private string Bar(decimal start, decimal ms, int width, bool unicode)
    {
        if (_total == 0 || ms <= 0)
            return "";
        var (full, sliver) = unicode ? ('█', '▏') : ('#', '|');
        var from = Math.Min((int)(start * width / _total), width - 1);
        var length = Math.Min((int)Math.Round(ms * width / _total), width - from);
        return new string(' ', from) + (length < 1 ? sliver.ToString() : new string(full, length));
    }
}
