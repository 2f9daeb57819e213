using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Spillway.Config;

/// <summary>One option's value on one line, as YAML and JSON both read it; absent sections are left out.</summary>
internal static partial class FlowText
{
    private static readonly JsonWriterOptions s_layout = new()
    {
        // Line breaks become spaces below: YAML wants one behind a colon.
        Indented = true,
        IndentSize = 0,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, // the result is a file, never part of a page
    };

    /// <summary>The value's text.</summary>
    public static string Of(object value, OptionShape shape)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, s_layout))
            EffectiveJson.Value(json, value, shape, nulls: false);
        var text = Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length).Replace('\n', ' ');
        // YAML knows no pairs of escapes for one character.
        return Pair().Replace(text, m => string.Concat(Half(m.Groups[1]), Half(m.Groups[2])));
    }

    /// <summary>Text, in quotes where YAML would take it for something else.</summary>
    public static string Word(string text)
    {
        var plain = text.Length > 0 && char.IsAsciiLetter(text[0])
            && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.' or '/')
            && text.ToLowerInvariant() is not ("true" or "false" or "null" or "yes" or "no" or "on" or "off" or "y"
                or "n");
        return plain ? text : Of(text, new(OptionKind.Text, typeof(string)));
    }

    private static string Half(Group group) =>
        ((char)int.Parse(group.ValueSpan, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture)).ToString();

    [GeneratedRegex(@"\\u(D[89AB][0-9A-F]{2})\\u(D[C-F][0-9A-F]{2})")]
    private static partial Regex Pair();
}
