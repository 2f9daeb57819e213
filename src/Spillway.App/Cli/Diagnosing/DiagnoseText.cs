using System.Text;
using System.Text.Json;
using Spillway.Planner.Diagnosis;

namespace Spillway.App.Cli.Diagnosing;

/// <summary>Diagnoses as text for people and JSON for programs. Pure.</summary>
internal static class DiagnoseText
{
    private const int Width = 110;
    private const int Column = 15;

    /// <summary>A line for each sentence, behind the word for its kind.</summary>
    public static string Plain(IReadOnlyList<(string Title, DiagnosisReport Report)> reports)
    {
        var text = new StringBuilder();
        foreach (var (title, report) in reports)
        {
            if (text.Length > 0)
                text.Append('\n');
            if (title.Length > 0)
                text.Append(TerminalText.Clean(title)).Append("\n\n");
            DiagnosisKind? last = null;
            foreach (var line in report.Lines)
            {
                var head = line.Kind == last ? "" : WordOf(line.Kind);
                last = line.Kind;
                foreach (var part in TerminalText.Wrap(TerminalText.Clean(line.Text), Width - Column))
                {
                    text.Append(head.PadRight(Column)).Append(part).Append('\n');
                    head = "";
                }
            }
        }

        return text.ToString();
    }

    /// <summary>The same with the figures.</summary>
    public static string Json(IReadOnlyList<(string Title, DiagnosisReport Report)> reports)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, new() { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteStartArray("diagnoses");
            foreach (var (title, report) in reports)
                Write(json, title, report);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.ToArray());
    }

    private static void Write(Utf8JsonWriter json, string title, DiagnosisReport report)
    {
        json.WriteStartObject();
        json.WriteString("title", title);
        json.WriteString("bottleneck", report.Bottleneck);
        json.WriteStartArray("lines");
        foreach (var line in report.Lines)
        {
            json.WriteStartObject();
            json.WriteString("kind", WordOf(line.Kind));
            json.WriteString("text", line.Text);
            if (double.IsFinite(line.AfterMs))
                json.WriteNumber("after_ms", Math.Round(line.AfterMs, 3));
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static string WordOf(DiagnosisKind kind) => kind switch
    {
        DiagnosisKind.Bottleneck => "bottleneck",
        DiagnosisKind.Evidence => "evidence",
        DiagnosisKind.Meaning => "meaning",
        DiagnosisKind.Consequence => "it follows",
        DiagnosisKind.Contradiction => "contradiction",
        DiagnosisKind.Step => "step",
        DiagnosisKind.NoUse => "no use",
    };
}
