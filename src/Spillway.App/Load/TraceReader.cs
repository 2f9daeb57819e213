using System.Globalization;
using System.Text.Json;

namespace Spillway.App.Load;

/// <summary>
/// Reads recorded arrivals: CSV (first column; a header line is skipped) or JSON lines (first field), each an arrival
/// time in seconds or an ISO 8601 timestamp, ascending. The first arrival becomes second 0. At most 10 million.
/// </summary>
internal static class TraceReader
{
    private const int ArrivalsMax = 10_000_000;
    private const int LineCharsMax = 1 << 20;

    public static double[] Read(string path)
    {
        if (!File.Exists(path))
            throw LoadException.Usage($"The trace '{path}' does not exist. Give --trace a CSV or JSON lines file.");
        using var reader = new StreamReader(path);
        return Read(reader, path);
    }

    public static double[] Read(TextReader reader, string name)
    {
        List<double> times = [];
        var (number, header) = (0, false);
        while (reader.ReadLine() is { } line)
        {
            number++;
            if (string.IsNullOrWhiteSpace(line) || line[0] == '#')
                continue;
            if (!TryParse(line, out var seconds))
            {
                if (times.Count == 0 && !header && line[0] != '{')
                {
                    header = true;
                    continue;
                }

                throw Bad(name, number, line, "is not a time. Write seconds (12.5) or an ISO timestamp "
                    + "(2026-01-31T12:00:00.250Z) in the first column or field.");
            }

            Append(times, seconds, name, number, line);
        }

        if (times.Count == 0)
            throw LoadException.Usage($"The trace '{name}' has no arrivals. Its first column or field is their time.");
        var first = times[0];
        return [.. times.Select(t => t - first)];
    }

    private static void Append(List<double> times, double seconds, string name, int number, string line)
    {
        if (times.Count > 0 && seconds < times[^1])
            throw Bad(name, number, line, $"is earlier than the arrival before it ({times[^1]:0.######} s). Sort it.");
        if (times.Count == ArrivalsMax)
            throw Bad(name, number, line,
                $"is one more than the {ArrivalsMax:N0} arrivals a trace may hold. Split it.");
        times.Add(seconds);
    }

    private static bool TryParse(string line, out double seconds)
    {
        seconds = 0;
        if (line.Length > LineCharsMax)
            return false;
        return line[0] == '{' ? TryParseJson(line, out seconds) : TryParseTime(FirstColumn(line), out seconds);
    }

    private static string FirstColumn(string line)
    {
        var end = line.AsSpan().IndexOfAny(',', ';', '\t');
        return (end < 0 ? line : line[..end]).Trim().Trim('"');
    }

    private static bool TryParseJson(string line, out double seconds)
    {
        seconds = 0;
        try
        {
            using var json = JsonDocument.Parse(line);
            foreach (var field in json.RootElement.EnumerateObject())
            {
                return field.Value.ValueKind switch
                {
                    JsonValueKind.Number => TryFinite(field.Value.GetRawText(), out seconds),
                    JsonValueKind.String => TryParseTime(field.Value.GetString()!, out seconds),
                    _ => false,
                };
            }

            return false;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static bool TryParseTime(string text, out double seconds)
    {
        if (TryFinite(text, out seconds))
            return true;
        if (!DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time))
            return false;
        seconds = (time - DateTimeOffset.UnixEpoch).TotalSeconds;
        return true;
    }

    private static bool TryFinite(string text, out double value) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out value) && double.IsFinite(value);

    private static LoadException Bad(string name, int number, string line, string why)
    {
        var shown = line.Length > 60 ? line[..60] + "…" : line;
        return LoadException.Usage($"{name}, line {number}: '{shown}' {why}");
    }
}
