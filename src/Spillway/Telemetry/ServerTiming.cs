using System.Globalization;
using System.Runtime.CompilerServices;

namespace Spillway.Telemetry;

/// <summary>
/// The response header Server-Timing: every stage up to the first byte in milliseconds, then their sum.
/// <c>receive;dur=0.1, parse;dur=0.0213, …, output;dur=0.02, total;dur=12.5</c>. Durations are printed to 100 ns, the
/// resolution of a <see cref="Timeline"/>, so the printed stages add up to the printed total exactly.
/// </summary>
public static class ServerTiming
{
    /// <summary>The header's name.</summary>
    public const string HeaderName = "Server-Timing";

    /// <summary>The longest header value that <see cref="TryParse"/> reads; a longer one is refused.</summary>
    public const int LengthMax = 4096;

    /// <summary>The name of the sum.</summary>
    internal const string TotalName = "total";

    private const int StagesPrinted = (int)Stage.Output + 1;

    // Ten entries of at most ", execute;dur=" (14) and "922337203685477.5807" (20).
    private const int FormattedMax = 10 * 34;

    /// <summary>
    /// The header value of a timeline whose first byte is about to be written. Allocates only the string.
    /// </summary>
    public static string Format(in Timeline timeline)
    {
        Span<char> text = stackalloc char[FormattedMax];
        var length = 0;
        var total = 0L;
        for (var i = 0; i < StagesPrinted; i++)
        {
            var ticks = timeline[(Stage)i].Ticks;
            total += ticks;
            Append(text, ref length, ((Stage)i).Name(), ticks);
        }

        Append(text, ref length, TotalName, total);
        return new(text[..length]);
    }

    /// <summary>
    /// Reads a header value by the grammar of W3C Server Timing. Unknown names and parameters are passed over, the
    /// first of several equal names counts. False when it is malformed, longer than <see cref="LengthMax"/>, or names
    /// no stage and no total.
    /// </summary>
    public static bool TryParse(ReadOnlySpan<char> header, out ServerTimings timings)
    {
        timings = default;
        if (header.Length > LengthMax)
            return false;
        while (!header.IsEmpty)
        {
            var end = EndOf(header, ',');
            var entry = header[..end].Trim();
            header = end == header.Length ? [] : header[(end + 1)..];
            if (!entry.IsEmpty && !Read(entry, ref timings))
                return false;
        }

        return timings.Any;
    }

    private static void Append(Span<char> text, ref int length, string name, long ticks)
    {
        if (length > 0)
            Copy(text, ref length, ", ");
        Copy(text, ref length, name);
        Copy(text, ref length, ";dur=");
        var (whole, rest) = Math.DivRem(ticks, TimeSpan.TicksPerMillisecond);
        whole.TryFormat(text[length..], out var written, default, CultureInfo.InvariantCulture);
        length += written;
        if (rest == 0)
            return;
        text[length++] = '.';
        for (var unit = TimeSpan.TicksPerMillisecond / 10; rest > 0; unit /= 10)
        {
            text[length++] = (char)('0' + rest / unit);
            rest %= unit;
        }
    }

    private static void Copy(Span<char> text, ref int length, string part)
    {
        part.CopyTo(text[length..]);
        length += part.Length;
    }

    /// <summary>One entry: a name, then parameters.</summary>
    private static bool Read(ReadOnlySpan<char> entry, ref ServerTimings timings)
    {
        var end = EndOf(entry, ';');
        var name = entry[..end].Trim();
        if (name.IsEmpty || name.ContainsAny(" \t=\""))
            return false;
        while (end < entry.Length)
        {
            entry = entry[(end + 1)..];
            end = EndOf(entry, ';');
            var parameter = entry[..end].Trim();
            if (!parameter.StartsWith("dur=", StringComparison.OrdinalIgnoreCase))
                continue;
            if (!TryTicks(parameter[4..].Trim('"'), out var ticks))
                return false;
            timings.Set(name, ticks);
            return true;
        }

        return true;
    }

    private static bool TryTicks(ReadOnlySpan<char> text, out long ticks)
    {
        ticks = 0;
        const NumberStyles Style = NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;
        if (!decimal.TryParse(text, Style, CultureInfo.InvariantCulture, out var ms) || ms < 0 || ms > 1e14m)
            return false;
        ticks = (long)Math.Round(ms * TimeSpan.TicksPerMillisecond);
        return true;
    }

    /// <summary>Where the next separator outside a quoted string is, or the end.</summary>
    private static int EndOf(ReadOnlySpan<char> text, char separator)
    {
        var quoted = false;
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '"')
                quoted = !quoted;
            else if (quoted && text[i] == '\\')
                i++;
            else if (!quoted && text[i] == separator)
                return i;
        }

        return text.Length;
    }
}

/// <summary>What a Server-Timing header says.</summary>
public struct ServerTimings
{
    private Ticks _stages;
    private int _seen;

    /// <summary>The stage's time; zero when the header does not name it.</summary>
    public readonly TimeSpan this[Stage stage] => new(_stages[(int)stage]);

    /// <summary>The server's own sum; null when the header has none.</summary>
    public TimeSpan? Total { get; private set; }

    /// <summary>True when the header names that stage.</summary>
    public readonly bool Has(Stage stage) => (_seen & (1 << (int)stage)) != 0;

    internal readonly bool Any => _seen != 0 || Total is not null;

    internal void Set(ReadOnlySpan<char> name, long ticks)
    {
        if (name.SequenceEqual(ServerTiming.TotalName))
        {
            Total ??= new TimeSpan(ticks);
            return;
        }

        for (var i = 0; i < Timeline.StageCount; i++)
        {
            if (!name.SequenceEqual(((Stage)i).Name()) || Has((Stage)i))
                continue;
            _stages[i] = ticks;
            _seen |= 1 << i;
        }
    }

    [InlineArray(Timeline.StageCount)]
    private struct Ticks
    {
        private long _first;
    }
}
