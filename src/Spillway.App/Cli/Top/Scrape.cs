using System.Globalization;
using System.Text;

namespace Spillway.App.Cli.Top;

/// <summary>One line of an exposition.</summary>
/// <param name="Name">With the suffix _bucket, _sum or _count of a histogram.</param>
/// <param name="Labels">In the order of the line.</param>
/// <param name="Value">May be NaN or infinite.</param>
internal sealed record Sample(string Name, IReadOnlyList<KeyValuePair<string, string>> Labels, double Value)
{
    /// <summary>The value of a label; empty when it has none of that name.</summary>
    public string Label(string name)
    {
        foreach (var (key, value) in Labels)
        {
            if (key == name)
                return value;
        }

        return "";
    }
}

/// <summary>
/// Reads Prometheus' text format 0.0.4, as much as a viewer needs: samples without comments and timestamps. Lines that
/// it does not understand are passed over, so that a newer server can be watched too.
/// </summary>
internal static class Scrape
{
    /// <summary>More lines than a server of a thousand models has; what follows is passed over.</summary>
    public const int SamplesMax = 1_000_000;

    /// <summary>Every sample, in order.</summary>
    public static IEnumerable<Sample> Read(string text)
    {
        var count = 0;
        foreach (var range in Lines(text))
        {
            if (count == SamplesMax)
                yield break;
            if (Line(text.AsSpan(range)) is { } sample)
            {
                count++;
                yield return sample;
            }
        }
    }

    private static IEnumerable<Range> Lines(string text)
    {
        for (var from = 0; from < text.Length;)
        {
            var end = text.IndexOf('\n', from);
            if (end < 0)
                end = text.Length;
            yield return from..end;
            from = end + 1;
        }
    }

    private static Sample? Line(ReadOnlySpan<char> line)
    {
        if (line.IsEmpty || line[0] == '#')
            return null;
        var nameEnd = line.IndexOfAny('{', ' ');
        if (nameEnd <= 0)
            return null;
        var labels = new List<KeyValuePair<string, string>>();
        var at = nameEnd;
        if (line[at] == '{' && !Labels(line, ref at, labels))
            return null;
        var value = line[at..].Trim();
        if (value.IndexOf(' ') is > 0 and var stamp)
            value = value[..stamp];
        return TryNumber(value, out var number) ? new(line[..nameEnd].ToString(), labels, number) : null;
    }

    /// <summary>Reads from the opening brace to behind the closing one.</summary>
    private static bool Labels(ReadOnlySpan<char> line, ref int at, List<KeyValuePair<string, string>> labels)
    {
        at++;
        while (at < line.Length && line[at] != '}')
        {
            var sign = line[at..].IndexOf("=\"");
            if (sign <= 0)
                return false;
            var name = line.Slice(at, sign).ToString();
            at += sign + 2;
            if (Quoted(line, ref at) is not { } value)
                return false;
            labels.Add(new(name, value));
            if (at < line.Length && line[at] == ',')
                at++;
        }

        return at++ < line.Length;
    }

    /// <summary>Reads to behind the closing quote; null when there is none.</summary>
    private static string? Quoted(ReadOnlySpan<char> line, ref int at)
    {
        var from = at;
        while (at < line.Length && line[at] != '"')
            at += line[at] == '\\' ? 2 : 1;
        if (at >= line.Length)
            return null;
        var raw = line[from..at++];
        // It ends on a terminal.
        return TerminalText.Clean(raw.Contains('\\') ? Unescape(raw) : raw.ToString());
    }

    private static string Unescape(ReadOnlySpan<char> raw)
    {
        var text = new StringBuilder(raw.Length);
        for (var i = 0; i < raw.Length; i++)
        {
            if (raw[i] == '\\' && i + 1 < raw.Length)
                text.Append(raw[++i] == 'n' ? '\n' : raw[i]);
            else
                text.Append(raw[i]);
        }

        return text.ToString();
    }

    private static bool TryNumber(ReadOnlySpan<char> text, out double number)
    {
        number = text switch
        {
            "+Inf" => double.PositiveInfinity,
            "-Inf" => double.NegativeInfinity,
            _ => double.NaN,
        };
        return !double.IsNaN(number) || text is "NaN"
            || double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out number);
    }
}
