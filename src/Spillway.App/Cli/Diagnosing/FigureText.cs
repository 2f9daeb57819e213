using System.Globalization;
using Spillway.Planner.Diagnosis;

namespace Spillway.App.Cli.Diagnosing;

/// <summary>Reads figures as a person types them. Pure.</summary>
internal static class FigureText
{
    private static readonly string[] s_busy = ["gpu", "cpu", "network", "disk", "bandwidth", "memory"];

    private static readonly (string Unit, double Ms)[] s_units =
        [("ms", 1), ("us", 0.001), ("µs", 0.001), ("s", 1000), ("m", 60_000), ("h", 3_600_000)];

    /// <summary>The figures; null where none was given.</summary>
    /// <param name="written">By the name of the option; empty where it is absent.</param>
    public static DiagnosisFigures? Read(IReadOnlyDictionary<string, string> written) =>
        written.Values.All(text => text.Length == 0) ? null : new()
        {
            Busy = [.. s_busy.Where(name => written[name].Length > 0)
                .Select(name => new NamedFigure(name, Number(name, written[name].TrimEnd('%')) / 100))],
            Stages = Parts("stages", written["stages"]),
            Then = Parts("then", written["then"]),
            LatencyMs = written["latency"].Length > 0 ? Ms("latency", written["latency"]) : double.NaN,
            Throughput = Optional("throughput", written),
            Servers = Optional("servers", written),
            Capacity = Optional("capacity", written),
            Concurrency = Optional("concurrency", written),
            CostPerMonth = Optional("cost", written),
        };

    /// <summary>A time in milliseconds: 500ms, 0.5s, 2m; a bare number is milliseconds.</summary>
    public static double Ms(string name, string text)
    {
        foreach (var (unit, ms) in s_units)
        {
            if (text.EndsWith(unit, StringComparison.Ordinal)
                && double.TryParse(text[..^unit.Length], CultureInfo.InvariantCulture, out var value))
                return value * ms;
        }

        return Number(name, text);
    }

    private static double Optional(string name, IReadOnlyDictionary<string, string> written) =>
        written[name].Length > 0 ? Number(name, written[name]) : double.NaN;

    private static List<NamedFigure> Parts(string option, string text)
    {
        var parts = new List<NamedFigure>();
        foreach (var part in text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var at = part.IndexOf('=', StringComparison.Ordinal);
            if (at <= 0)
                throw new CommandException(
                    $"--{option} has '{part}'; parts are written as name=milliseconds, as in "
                        + $"queue=180.", Commands.Usage);
            parts.Add(new(part[..at].Trim().ToLowerInvariant(), Ms(option, part[(at + 1)..].Trim())));
        }

        return parts;
    }

    private static double Number(string name, string text) =>
        double.TryParse(text, CultureInfo.InvariantCulture, out var value) ? value : throw new CommandException(
            $"--{name} has '{text}', which is no number.", Commands.Usage);
}
