using System.Globalization;

namespace Spillway.App.Cli.Top;

/// <summary>Numbers as short texts for narrow columns; "-" for what is not known.</summary>
internal static class Figures
{
    private const double Kilo = 1000;
    private const double Kibi = 1024;
    private const int ListMax = 8;

    /// <summary>A rate or a count: 0, 0.4, 12.3, 456, 7890, 12.3k, 4.5M.</summary>
    public static string Rate(double value) => !double.IsFinite(value) ? "-" : value switch
    {
        0 => "0",
        < 0.05 => "<0.1",
        < 99.95 => Text(value, "0.0"),
        < 9999.5 => Text(value, "0"),
        < 999_950 => Text(value / Kilo, "0.0") + "k",
        _ => Text(value / Kilo / Kilo, "0.0") + "M",
    };

    /// <summary>Milliseconds: 0.04, 1.23, 12.3, 456; from ten seconds on in seconds.</summary>
    public static string Ms(double value) => !double.IsFinite(value) ? "-" : value switch
    {
        0 => "0",
        < 9.995 => Text(value, "0.00"),
        < 99.95 => Text(value, "0.0"),
        < 9999.5 => Text(value, "0"),
        _ => Text(value / Kilo, "0.0") + "s",
    };

    /// <summary>A whole number.</summary>
    public static string Whole(double value) => double.IsFinite(value) ? Text(value, "0") : "-";

    /// <summary>Bytes: 512, 3.4K, 120M, 1.2G.</summary>
    public static string Bytes(double value)
    {
        if (!double.IsFinite(value))
            return "-";
        var units = new[] { "", "K", "M", "G", "T" };
        var unit = 0;
        for (; value >= Kibi && unit < units.Length - 1; unit++)
            value /= Kibi;
        return Text(value, unit > 0 && value < 10 ? "0.0" : "0") + units[unit];
    }

    /// <summary>A share as percent; may be above 100.</summary>
    public static string Percent(double share) => double.IsFinite(share) ? Text(share * 100, "0") + "%" : "-";

    /// <summary>A span of seconds: 12s, 3m04s, 5h06m, 7d08h.</summary>
    public static string Uptime(double seconds)
    {
        if (!double.IsFinite(seconds) || seconds < 0)
            return "-";
        var time = TimeSpan.FromSeconds(Math.Min(seconds, int.MaxValue));
        return time switch
        {
            { TotalMinutes: < 1 } => $"{time.Seconds}s",
            { TotalHours: < 1 } => $"{time.Minutes}m{time.Seconds:00}s",
            { TotalDays: < 1 } => $"{time.Hours}h{time.Minutes:00}m",
            _ => $"{time.Days}d{time.Hours:00}h",
        };
    }

    /// <summary>"a 12.3/s, b 4.5/s": the first few.</summary>
    public static string Rates(IReadOnlyList<NamedRate> rates) =>
        List(rates, rate => $"{rate.Name} {Rate(rate.PerSecond)}/s");

    /// <summary>"a 80%, b 20%": shares of the whole, the first few.</summary>
    public static string Shares(IReadOnlyList<NamedRate> rates)
    {
        var all = rates.Sum(r => r.PerSecond);
        return List(rates, rate => $"{rate.Name} {Percent(rate.PerSecond / all)}");
    }

    private static string List(IReadOnlyList<NamedRate> rates, Func<NamedRate, string> text) => rates.Count == 0
        ? "none" : string.Join(", ", rates.Take(ListMax).Select(text)) + (rates.Count > ListMax ? ", …" : "");

    private static string Text(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
