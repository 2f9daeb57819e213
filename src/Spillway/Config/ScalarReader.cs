using System.Buffers;
using System.Globalization;

namespace Spillway.Config;

/// <summary>
/// Turns one written value into text, a switch, a number or a word, or reports what is wrong with it.
/// </summary>
internal sealed class ScalarReader(ErrorList errors)
{
    private static readonly SearchValues<char> s_whole = SearchValues.Create("+-0123456789");
    private static readonly SearchValues<char> s_digits = SearchValues.Create("0123456789.,_");

    private static readonly (string Suffix, string Unit, double Factor)[] s_units =
    [
        ("kib", "bytes", 1024), ("mib", "bytes", 1024 * 1024), ("gib", "bytes", 1024 * 1024 * 1024),
        ("kb", "bytes", 1e3), ("mb", "bytes", 1e6), ("gb", "bytes", 1e9), ("b", "bytes", 1), ("bytes", "bytes", 1),
        ("ms", "ms", 1), ("s", "ms", 1000), ("min", "ms", 60_000), ("m", "ms", 60_000), ("h", "ms", 3_600_000),
    ];

    /// <summary>The value, or null after an error.</summary>
    /// <param name="node">As written.</param>
    /// <param name="shape">What is expected.</param>
    /// <param name="option">Range, unit, words.</param>
    /// <param name="fallback">The default, for the error's text.</param>
    /// <param name="path">The key.</param>
    /// <param name="at">Where errors point.</param>
    public object? Read(ConfigScalar node, OptionShape shape, OptionAttribute option, object? fallback, string path,
        Mark at)
    {
        if (node.IsNull)
        {
            errors.Add(at, path, "", "The key has no value.",
                $"Give {OptionText.Expected(shape)}, or remove the key{Default(fallback, option)}.");
            return null;
        }

        return shape.Kind switch
        {
            OptionKind.Switch => Switch(node, fallback, option, path, at),
            OptionKind.Whole or OptionKind.Number => Number(node, shape, option, fallback, path, at),
            OptionKind.Text or OptionKind.Word => Text(node, shape, option, path, at),
            OptionKind.List or OptionKind.Map or OptionKind.Section => null,
        };
    }

    private object? Text(ConfigScalar node, OptionShape shape, OptionAttribute option, string path, Mark at)
    {
        if (option.Required && string.IsNullOrWhiteSpace(node.Text))
        {
            errors.Add(at, path, node.Text, "The text is empty.", option.Description);
            return null;
        }

        var words = OptionSet.Words(shape, option);
        if (words.Count == 0)
            return node.Text;
        if (words.Contains(node.Text, StringComparer.Ordinal))
            return shape.Kind == OptionKind.Word ? Enum.Parse(shape.Type, node.Text, ignoreCase: true) : node.Text;
        errors.Add(at, path, node.Text, "The word is unknown.", $"Use one of: {string.Join(", ", words)}.",
            Suggestion.Nearest(node.Text, words));
        return null;
    }

    private object? Switch(ConfigScalar node, object? fallback, OptionAttribute option, string path, Mark at)
    {
        if (node.Plain && node.Text is "true" or "false")
            return node.Text == "true";
        var meant = node.Text.ToLowerInvariant() switch
        {
            "true" or "yes" or "on" or "1" => "true",
            "false" or "no" or "off" or "0" => "false",
            _ => "",
        };
        errors.Add(at, path, node.Text, "This is neither true nor false.",
            $"Write true or false, without quotes{Default(fallback, option)}.", meant);
        return null;
    }

    private object? Number(
        ConfigScalar node, OptionShape shape, OptionAttribute option, object? fallback, string path, Mark at)
    {
        if (!TryNumber(node.Text, out var number, out var isWhole) || !node.Plain
            || (shape.Kind == OptionKind.Whole && !isWhole))
        {
            var quoted = !node.Plain && TryNumber(node.Text, out _, out _) ? " without quotes" : "";
            errors.Add(at, path, node.Text, $"This is not {OptionText.Expected(shape)}{quoted}.",
                $"Write {OptionText.Expected(shape)}{quoted}{Limits(shape, option, fallback)}.",
                    Meant(node.Text, option));
            return null;
        }

        var (min, max) = OptionText.Range(shape, option);
        if (!(number >= min && number <= max && double.IsFinite(number)))
            return OutOfRange(node, shape, option, fallback, path, at);
        return shape.Kind == OptionKind.Number
            ? number
            : Whole(node.Text, shape) ?? OutOfRange(node, shape, option, fallback, path, at);
    }

    /// <summary>
    /// The boxed int or long; null beyond a long, where a double's rounding let the range check pass.
    /// </summary>
    private static object? Whole(string text, OptionShape shape)
    {
        return long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole)
            ? Convert.ChangeType(whole, shape.Type, CultureInfo.InvariantCulture)
            : null;
    }

    /// <summary>A decimal number with a digit at its end, which leaves out NaN and infinity.</summary>
    private static bool TryNumber(string text, out double number, out bool isWhole)
    {
        const NumberStyles Style = NumberStyles.Float
            & ~(NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite);
        isWhole = text.AsSpan().IndexOfAnyExcept(s_whole) < 0;
        number = 0;
        return text.Length > 0 && char.IsAsciiDigit(text[^1])
            && double.TryParse(text, Style, CultureInfo.InvariantCulture, out number);
    }

    private object? OutOfRange(
        ConfigScalar node, OptionShape shape, OptionAttribute option, object? fallback, string path, Mark at)
    {
        errors.Add(at, path, node.Text,
            $"The number is out of range: {ErrorList.Clean(node.Text)}{OptionText.UnitText(option)}.",
            $"Allowed is {Allowed(shape, option)}{Default(fallback, option)}.");
        return null;
    }

    private static string Allowed(OptionShape shape, OptionAttribute option)
    {
        var text = OptionText.RangeText(shape, option);
        return (text == "any" ? $"any {shape.Type.Name}" : text) + OptionText.UnitText(option);
    }

    private static string Limits(OptionShape shape, OptionAttribute option, object? fallback)
    {
        var range = OptionText.RangeText(shape, option);
        return $"{(range is "any" or "" ? "" : $", {range}")}{OptionText.UnitText(option)}{Default(fallback, option)}";
    }

    private static string Default(object? fallback, OptionAttribute option)
    {
        var text = option.Required ? "" : OptionText.Value(fallback);
        return text.Length > 0 ? $" (default {text})" : "";
    }

    /// <summary>"64MiB" for bytes is 67108864; "2s" for milliseconds is 2000; "8.0" for a whole number is 8.</summary>
    private static string Meant(string text, OptionAttribute option)
    {
        var digits = text.AsSpan().IndexOfAnyExcept(s_digits);
        var (head, tail) = digits < 0 ? (text, "") : (text[..digits], text[digits..].Trim().ToLowerInvariant());
        if (!decimal.TryParse(head.Replace("_", "", StringComparison.Ordinal),
            NumberStyles.AllowDecimalPoint | NumberStyles.AllowThousands,
            CultureInfo.InvariantCulture, out var number) || number > 1_000_000_000_000m)
        {
            return "";
        }

        foreach (var (suffix, unit, factor) in s_units)
        {
            if (tail == suffix && option.Unit == unit)
                return OptionText.Number((double)number * factor);
        }

        return tail.Length == 0 && decimal.IsInteger(number) ? OptionText.Number((double)number) : "";
    }
}
