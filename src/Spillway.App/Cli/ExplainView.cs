using System.Text.Json;
using Spectre.Console;

namespace Spillway.App.Cli;

/// <summary>
/// What `spillway explain` prints of one request record, as the admin protocol gives it: who and what, the waterfall,
/// every decision with its reason, the batch, the bill. Members that a record lacks are left out, so that an older
/// server's record can be read too.
/// </summary>
internal static class ExplainView
{
    private const int Indent = 2;
    private const int WidthMax = 120;

    /// <summary>Writes the record; colour only where the console has it.</summary>
    public static void Write(JsonElement record, IAnsiConsole console)
    {
        Header(record, console);
        console.WriteLine();
        new WaterfallView(Stages(record)).Write(console);
        Decisions(record, console);
        Facts(record, console);
        ChatView.Write(record, (name, value) => Pair(console, name, value), title => Title(console, title));
        Bill(record, console);
        Provenance(record, console);
    }

    private static void Header(JsonElement record, IAnsiConsole console)
    {
        var outcome = Text(record, "outcome");
        var colour = outcome == "ok" ? "green" : "red";
        var id = Safe(Text(record, "id"));
        console.MarkupLine($"[bold]request {id}[/]  [{colour}]{Safe(outcome)}[/]{Status(record)}");
        if (Truth(record, "simulated"))
            Line(console, "SIMULATED: no real model ran; times and answers come from a declared profile.", "yellow");
        if (Text(record, "message") is { Length: > 0 } message)
            Line(console, message, "red");
        Pair(console, "model", Model(record));
        Pair(console, "started", Text(record, "started"));
        Pair(console, "client id", Text(record, "client_id"));
        Pair(console, "trace id", Text(record, "trace_id"));
        Pair(console, "input", $"{Count(record, "rows", "row")}, {Count(record, "elements", "element")}, "
            + $"{Text(record, "bytes_in")} bytes in, {Text(record, "bytes_out")} bytes out");
    }

    private static string Status(JsonElement record) =>
        Text(record, "status") is { Length: > 0 } status and not "0" ? $"  status {Safe(status)}" : "";

    private static string Model(JsonElement record)
    {
        var model = Text(record, "model");
        if (model.Length == 0)
            return "";
        var deployment = Text(record, "deployment");
        var behind = deployment.Length > 0 && deployment != model ? $" (deployment {deployment})" : "";
        return $"{model} version {Text(record, "version")}{behind}";
    }

    private static List<(string Name, decimal Ms)> Stages(JsonElement record)
    {
        var stages = new List<(string, decimal)>();
        foreach (var stage in Items(record, "stages"))
            stages.Add((Text(stage, "stage"), Number(stage, "ms")));
        return stages;
    }

    private static void Decisions(JsonElement record, IAnsiConsole console)
    {
        Title(console, "decisions");
        var number = 0;
        foreach (var decision in Items(record, "decisions"))
        {
            var head = $"{++number,4}  ";
            var text = TerminalText.Clean(Text(decision, "text"));
            foreach (var line in TerminalText.Wrap(text, Width(console) - head.Length))
            {
                console.MarkupLine($"[grey]{head}[/]{Markup.Escape(line)}");
                head = new(' ', head.Length);
            }
        }

        if (Number(record, "decisions_omitted") is > 0 and var omitted)
            Line(console, $"{omitted} more were taken than a record holds.", "yellow");
    }

    private static void Facts(JsonElement record, IAnsiConsole console)
    {
        if (!record.TryGetProperty("batch", out var batch) || batch.ValueKind != JsonValueKind.Object)
            return;
        Title(console, "batch");
        Pair(console, "size", $"{Count(batch, "requests", "request")}, {Count(batch, "rows", "row")}");
        Pair(console, "cut", Text(batch, "cut"));
        Pair(console, "runner", $"{Text(batch, "runner")} on {Text(batch, "device")}");
    }

    private static void Bill(JsonElement record, IAnsiConsole console)
    {
        var any = false;
        foreach (var line in Items(record, "bill"))
        {
            if (!any)
                Title(console, "bill");
            any = true;
            Pair(console, Text(line, "label"), $"{Text(line, "amount"),18}");
        }

        if (any)
            Pair(console, "total", $"{Text(record, "bill_total"),18}");
    }

    /// <summary>What the answer was made with: the same digests as in the audit log.</summary>
    private static void Provenance(JsonElement record, IAnsiConsole console)
    {
        if (!record.TryGetProperty("provenance", out var known) || known.ValueKind != JsonValueKind.Object
            || !known.EnumerateObject().Any())
            return;
        Title(console, "provenance");
        Pair(console, "model", Text(known, "model_digest"));
        Pair(console, "signed by", Text(known, "signed_by"));
        Pair(console, "config", Text(known, "config_digest"));
        Pair(console, "prices", Text(known, "price_digest"));
    }

    private static int Width(IAnsiConsole console) => Math.Clamp(console.Profile.Width, 40, WidthMax);

    private static string Safe(string text) => Markup.Escape(TerminalText.Clean(text));

    private static void Title(IAnsiConsole console, string title)
    {
        console.WriteLine();
        console.MarkupLine($"[bold]{title}[/]");
    }

    private static void Pair(IAnsiConsole console, string name, string value)
    {
        if (value.Length == 0)
            return;
        var head = $"{new string(' ', Indent)}{TerminalText.Clean(name),-10}";
        foreach (var line in TerminalText.Wrap(TerminalText.Clean(value), Width(console) - head.Length))
        {
            console.MarkupLine($"[grey]{Markup.Escape(head)}[/]{Markup.Escape(line)}");
            head = new(' ', head.Length);
        }
    }

    private static void Line(IAnsiConsole console, string text, string colour)
    {
        foreach (var line in TerminalText.Wrap(TerminalText.Clean(text), Width(console) - Indent))
            console.MarkupLine($"[{colour}]{new string(' ', Indent)}{Markup.Escape(line)}[/]");
    }

    private static string Count(JsonElement record, string name, string noun) =>
        Text(record, name) is { Length: > 0 } count ? $"{count} {noun}{(count == "1" ? "" : "s")}" : $"no {noun}s";

    private static bool Truth(JsonElement record, string name) =>
        record.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.True;

    private static string Text(JsonElement record, string name)
    {
        if (!record.TryGetProperty(name, out var value))
            return "";
        return value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText();
    }

    private static decimal Number(JsonElement record, string name) =>
        record.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number
            && value.TryGetDecimal(out var number) ? number : 0;

    private static JsonElement[] Items(JsonElement record, string name) =>
        record.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Array
            ? [.. value.EnumerateArray()] : [];
}
