using System.Globalization;

namespace Spillway.App.Load;

/// <summary>Reads what people write for times, phases and <c>name=value</c> pairs.</summary>
internal static class Quantity
{
    /// <summary>Each phase has histograms of its own in every round.</summary>
    private const int PhasesMax = 100;

    private const int RatesMax = 50;

    private static readonly (string Suffix, double Seconds)[] s_units =
        [("ms", 0.001), ("s", 1), ("m", 60), ("h", 3600)];

    /// <summary>"10s", "500ms", "2m", "1h"; a bare number is seconds.</summary>
    public static double Seconds(string option, string text, bool zeroAllowed = false)
    {
        if (TrySeconds(text, out var seconds) && (seconds > 0 || (zeroAllowed && seconds == 0)) && seconds <= 7 * 86400)
            return seconds;
        throw LoadException.Usage(
            $"{option} '{text}' is not a time {(zeroAllowed ? "from 0" : "above 0")} up to 7 days. "
            + "Write 10s, 500ms or 2m.");
    }

    /// <summary>"1x:10s,10x:10s,1x:20s".</summary>
    public static Phase[] Phases(string text)
    {
        var parts = text.Split(',', StringSplitOptions.TrimEntries);
        if (parts.Length > PhasesMax)
            throw LoadException.Usage(
                $"--phases has {parts.Length} phases; at most {PhasesMax}. Use --trace for more.");
        var phases = parts.Select(ParsePhase).ToArray();
        return phases[0].Factor > 0 ? phases
            : throw LoadException.Usage(
                $"--phases '{text}' begins with a pause. The first phase is what the others are "
                + "compared with: give it a rate above 0.");
    }

    /// <summary>"99%" or "0.99", from 0 to 1.</summary>
    public static double Share(string option, string text)
    {
        var percent = text.EndsWith('%');
        if (TryNumber(percent ? text[..^1].TrimEnd() : text, out var value)
            && (value /= percent ? 100 : 1) is >= 0 and <= 1)
            return value;
        throw LoadException.Usage($"{option} '{text}' is not a share from 0 % to 100 %. Write 99% or 0.99.");
    }

    /// <summary>
    /// "100,200,400", or "50..1600:6" for six rates with the same factor between them (8 without a number).
    /// </summary>
    public static double[] Rates(string text)
    {
        var ends = text.Split("..");
        double[] rates = [];
        if (ends.Length == 1 && TryRates(text.Split(',', StringSplitOptions.TrimEntries), out var listed))
        {
            rates = listed;
        }
        else if (ends.Length == 2)
        {
            var (last, count) = Pair(ends[1], ':') is { Name: { } name } pair ? (name, pair.Value) : (ends[1], "8");
            if (TryRates([ends[0], last], out var range) && range[0] < range[1]
                && int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out var steps)
                && steps is >= 2 and <= RatesMax)
            {
                rates = [.. Enumerable.Range(0, steps).Select(i =>
                    range[0] * Math.Pow(range[1] / range[0], i / (steps - 1.0)))];
            }
        }

        return rates.Length is > 0 and <= RatesMax ? rates
            : throw LoadException.Usage($"--sweep '{text}' is not a list of rates. Write 100,200,400 or 50..1600:6, at "
                + $"most {RatesMax} rates between 0.001 and 1000000 requests per second.");
    }

    private static bool TryRates(string[] parts, out double[] rates)
    {
        rates = new double[parts.Length];
        for (var i = 0; i < parts.Length; i++)
        {
            if (!TryNumber(parts[i], out rates[i]) || rates[i] is < 1e-3 or > 1e6)
                return false;
        }

        return true;
    }

    /// <summary>Splits "name=value" at the first sign; name is null without one.</summary>
    public static (string? Name, string Value) Pair(string text, char sign = '=')
    {
        var at = text.IndexOf(sign, StringComparison.Ordinal);
        return at <= 0 ? (null, text) : (text[..at], text[(at + 1)..]);
    }

    private static Phase ParsePhase(string part)
    {
        var (factor, seconds) = Pair(part, ':');
        if (factor is null || !factor.EndsWith('x')
            || !TryNumber(factor[..^1], out var value) || value is < 0 or > 1e6)
            throw LoadException.Usage($"--phases: '{part}' is not a phase. Write factor and length, such as 10x:10s.");
        return new(value, Seconds("--phases", seconds));
    }

    private static bool TrySeconds(string text, out double seconds)
    {
        foreach (var (suffix, unit) in s_units)
        {
            if (text.EndsWith(suffix, StringComparison.Ordinal) && TryNumber(text[..^suffix.Length], out seconds))
            {
                seconds *= unit;
                return true;
            }
        }

        return TryNumber(text, out seconds);
    }

    private static bool TryNumber(string text, out double value) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out value);
}
