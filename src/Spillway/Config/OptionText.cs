using System.Collections;
using System.Globalization;

namespace Spillway.Config;

/// <summary>Words for options, shared by errors, the reference page and the schema.</summary>
internal static class OptionText
{
    /// <summary>The allowed range of a number: declared, else what its type holds.</summary>
    public static (double Min, double Max) Range(OptionShape shape, OptionAttribute option)
    {
        var (min, max) = (option.Min, option.Max);
        if (shape.Kind != OptionKind.Whole)
            return (min, max);
        var isInt = shape.Type == typeof(int);
        return (Math.Max(min, isInt ? int.MinValue : long.MinValue),
            Math.Min(max, isInt ? int.MaxValue : long.MaxValue));
    }

    /// <summary>"1 to 16384", "at least 0", or "any" for a number; empty for what has no range.</summary>
    public static string RangeText(OptionShape shape, OptionAttribute option)
    {
        if (shape.Kind is OptionKind.List or OptionKind.Map)
            return RangeText(shape.Element!, option);
        if (shape.Kind is not (OptionKind.Whole or OptionKind.Number))
            return "";
        return (double.IsFinite(option.Min), double.IsFinite(option.Max)) switch
        {
            (true, true) => $"{Number(option.Min)} to {Number(option.Max)}",
            (true, false) => $"at least {Number(option.Min)}",
            (false, true) => $"at most {Number(option.Max)}",
            (false, false) => "any",
        };
    }

    /// <summary>Plain digits, no exponent, up to nine decimals.</summary>
    public static string Number(double value) => Math.Abs(value) < 7.9e27
        ? ((decimal)value).ToString("0.#########", CultureInfo.InvariantCulture)
        : value.ToString("R", CultureInfo.InvariantCulture);

    /// <summary>A default as YAML writes it; empty for a section and for what must be given.</summary>
    public static string Value(object? value) => value switch
    {
        null => "",
        string text => text,
        bool flag => flag ? "true" : "false",
        double number => Number(number),
        Enum word => System.Text.Json.JsonNamingPolicy.CamelCase.ConvertName(word.ToString()),
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        IEnumerable => "",
        _ => "",
    };

    /// <summary>What an option expects: "a whole number", "true or false" …</summary>
    public static string Expected(OptionShape shape) => shape.Kind switch
    {
        OptionKind.Text => "text",
        OptionKind.Switch => "true or false",
        OptionKind.Whole => "a whole number",
        OptionKind.Number => "a number",
        OptionKind.Word => "a word",
        OptionKind.List => "a list",
        OptionKind.Map => "a mapping of names to values",
        OptionKind.Section => "a section with keys of its own",
    };

    /// <summary>The type in one or two words, for tables.</summary>
    public static string TypeName(OptionShape shape, OptionAttribute option) => shape.Kind switch
    {
        OptionKind.Text => option.OneOf.Length > 0 ? "word" : "text",
        OptionKind.Switch => "true or false",
        OptionKind.Whole => "whole number",
        OptionKind.Number => "number",
        OptionKind.Word => "word",
        OptionKind.List => $"list of {TypeName(shape.Element!, option)}",
        OptionKind.Map => shape.Element!.Kind == OptionKind.Section
            ? "section by name"
            : $"{TypeName(shape.Element, option)} by {(shape.Key == typeof(int) ? "whole number" : "name")}",
        OptionKind.Section => "section",
    };

    /// <summary>" requests", or nothing.</summary>
    public static string UnitText(OptionAttribute option) => option.Unit.Length > 0 ? $" {option.Unit}" : "";
}
