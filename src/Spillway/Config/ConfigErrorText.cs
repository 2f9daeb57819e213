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
    public static string Format(IReadOnlyList<ConfigError> errors) => Blocks(errors, "error");

    /// <summary>
    /// The same for notes: what a configuration says that has no effect here, or another one than its author may think.
    /// </summary>
    public static string FormatNotes(IReadOnlyList<ConfigError> notes) => Blocks(notes, "note");

    private static string Blocks(IReadOnlyList<ConfigError> entries, string what)
    {
        if (entries.Count == 0)
            return "";
        var text = new StringBuilder();
        foreach (var entry in entries)
        {
            var value = entry.Value.Length > 0 ? $" = {entry.Value}" : "";
            text.Append($"{entry.Place}  {entry.Key}{value}".Trim()).Append('\n');
            text.Append("  ").Append(entry.Problem).Append('\n');
            text.Append("  ").Append(entry.Remedy).Append('\n');
            if (entry.Suggestion.Length > 0)
                text.Append("  Did you mean ").Append(entry.Suggestion).Append("?\n");
            text.Append('\n');
        }

        var count = entries.Count.ToString(CultureInfo.InvariantCulture);
        return text.Append($"{count} {what}{(entries.Count == 1 ? "" : "s")}.\n").ToString();
    }

    /// <summary>
    /// Writes an array of objects with severity (error or note), file, key, line, column, value, problem, remedy and
    /// suggestion; line and column are 0 and suggestion is empty where there is none. Errors come first.
    /// </summary>
    public static void WriteJson(Utf8JsonWriter json, IReadOnlyList<ConfigError> errors,
        IReadOnlyList<ConfigError>? notes = null)
    {
        json.WriteStartArray();
        foreach (var (error, severity) in errors.Select(e => (e, "error"))
            .Concat((notes ?? []).Select(n => (n, "note"))))
        {
            json.WriteStartObject();
            json.WriteString("severity", severity);
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
