using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Spillway.Config;

/// <summary>Errors as a terminal and as programs want them.</summary>
public static class ConfigErrorText
{
    /// <summary>
    /// One block per error: "file:line:column  key = value", the problem, the remedy, and what was probably meant;
    /// then a line with their number. Ends with a line break; empty for no errors.
    /// </summary>
    public static string Format(IReadOnlyList<ConfigError> errors)
    {
        if (errors.Count == 0)
            return "";
        var text = new StringBuilder();
        foreach (var error in errors)
        {
            var value = error.Value.Length > 0 ? $" = {error.Value}" : "";
            text.Append($"{error.Place}  {error.Key}{value}".Trim()).Append('\n');
            text.Append("  ").Append(error.Problem).Append('\n');
            text.Append("  ").Append(error.Remedy).Append('\n');
            if (error.Suggestion.Length > 0)
                text.Append("  Did you mean ").Append(error.Suggestion).Append("?\n");
            text.Append('\n');
        }

        var count = errors.Count.ToString(CultureInfo.InvariantCulture);
        return text.Append(errors.Count == 1 ? "1 error.\n" : $"{count} errors.\n").ToString();
    }

    /// <summary>
    /// Writes an array of objects with file, key, line, column, value, problem, remedy and suggestion; line and
    /// column are 0 and suggestion is empty where there is none.
    /// </summary>
    public static void WriteJson(Utf8JsonWriter json, IReadOnlyList<ConfigError> errors)
    {
        json.WriteStartArray();
        foreach (var error in errors)
        {
            json.WriteStartObject();
            json.WriteString("file", error.File);
            json.WriteString("key", error.Key);
            json.WriteNumber("line", error.Line);
            json.WriteNumber("column", error.Column);
            json.WriteString("value", error.Value);
            json.WriteString("problem", error.Problem);
            json.WriteString("remedy", error.Remedy);
            json.WriteString("suggestion", error.Suggestion);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}
