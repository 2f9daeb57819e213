using System.Globalization;
using System.Text.Json;

namespace Spillway.App.Cli;

/// <summary>A cost report of the admin protocol as text. Pure.</summary>
internal static class CostsView
{
    private static readonly string[] s_columns = ["answers", "rows", "billed", "waste", "idle", "total", "per answer"];
    private static readonly string[] s_tokens = ["tokens in", "tokens out"];

    /// <summary>The report as lines.</summary>
    public static string Text(JsonElement report)
    {
        var text = new StringWriter(CultureInfo.InvariantCulture);
        text.WriteLine($"Costs in {Word(report, "currency")} from {Word(report, "from")} to {Word(report, "to")}");
        text.WriteLine();
        Table(text, report);
        foreach (var hardware in report.GetProperty("hardware").EnumerateArray())
            Hardware(text, hardware);
        var ledger = report.GetProperty("ledger");
        if (ledger.GetProperty("missing_entries").GetInt64() is > 0 and var missing)
        {
            text.WriteLine();
            text.WriteLine($"Missing: {missing.ToString("N0", CultureInfo.InvariantCulture)} entries of "
                + $"{Word(ledger, "missing_amount")} were never written (table gaps of ledger.db).");
        }

        if (Word(ledger, "trouble") is { Length: > 0 } trouble)
            text.WriteLine($"The ledger cannot be written: {trouble}");
        return text.ToString();
    }

    private static void Table(StringWriter text, JsonElement report)
    {
        // Only where language models answered.
        var hasTokens = report.GetProperty("total").TryGetProperty("input_tokens", out _);
        List<string[]> rows =
        [
            [Word(report, "by"), .. s_columns[..2], .. hasTokens ? s_tokens : [], .. s_columns[2..]],
        ];
        rows.AddRange(report.GetProperty("groups").EnumerateArray().Select(g => Row(g, Name(g), hasTokens)));
        rows.Add(Row(report.GetProperty("total"), "all", hasTokens));
        var widths = Enumerable.Range(0, rows[0].Length).Select(c => rows.Max(r => r[c].Length)).ToArray();
        foreach (var row in rows)
        {
            var cells = row.Select((cell, c) => c == 0 ? cell.PadRight(widths[c]) : cell.PadLeft(widths[c]));
            text.WriteLine($"  {string.Join("  ", cells)}".TrimEnd());
        }
    }

    private static string Name(JsonElement group) => Word(group, "name") is { Length: > 0 } name ? name : "(none)";

    private static string[] Row(JsonElement sums, string name, bool hasTokens) =>
    [
        name, Whole(sums, "answers"), Whole(sums, "rows"),
        .. hasTokens ? [Tokens(sums, "input_tokens"), Tokens(sums, "output_tokens")] : Array.Empty<string>(),
        Word(sums, "billed"), Word(sums, "waste"), Word(sums, "idle"), Word(sums, "total"), Word(sums, "per_answer"),
    ];

    /// <summary>A group without language models has none.</summary>
    private static string Tokens(JsonElement sums, string name) =>
        sums.TryGetProperty(name, out _) ? Whole(sums, name) : "";

    private static void Hardware(StringWriter text, JsonElement hardware)
    {
        text.WriteLine();
        text.WriteLine($"{Word(hardware, "name")}: {Percent(hardware, "busy_share")} busy, "
            + $"{Percent(hardware, "peak_busy_share")} in its busiest hour; busy time cost {Word(hardware, "busy")}, "
            + $"idle time {Word(hardware, "idle")}");
        foreach (var model in hardware.GetProperty("models").EnumerateArray())
            Model(text, hardware, model);
        var size = Number(hardware, "right_size");
        if (Number(hardware, "busy_share") <= 0)
            return;
        var would = Word(hardware, "saving").StartsWith('-') ? $"cost {Word(hardware, "saving")[1..]} more"
            : $"saved {Word(hardware, "saving")}";
        text.WriteLine($"  Right size: {size.ToString("0.###", CultureInfo.InvariantCulture)} of this hardware "
            + $"would be {Percent(hardware, "target_busy_share")} busy in that hour, and would have {would}.");
    }

    private static void Model(StringWriter text, JsonElement hardware, JsonElement model)
    {
        if (Number(hardware, "busy_share") <= 0)
            return;
        var times = Number(model, "times_full").ToString("0.#", CultureInfo.InvariantCulture);
        text.WriteLine($"  {Word(model, "name")}: at {Percent(hardware, "busy_share")} an answer costs "
            + $"{Word(model, "per_answer")}, {times} times what it would at {Percent(model, "full_busy_share")} "
            + $"({Word(model, "per_answer_full")})");
        foreach (var point in model.GetProperty("curve").EnumerateArray())
        {
            var here = Math.Abs(Number(point, "busy_share") - Number(hardware, "busy_share")) < 1e-9 ? "  <- here" : "";
            text.WriteLine($"    {Percent(point, "busy_share"),7} busy  {Word(point, "per_answer")}{here}");
        }
    }

    private static string Word(JsonElement of, string name) =>
        of.TryGetProperty(name, out var value) ? TerminalText.Clean(value.ToString()) : "";

    private static string Whole(JsonElement of, string name) =>
        of.GetProperty(name).GetInt64().ToString("N0", CultureInfo.InvariantCulture);

    private static double Number(JsonElement of, string name) => of.GetProperty(name).GetDouble();

    private static string Percent(JsonElement of, string name) =>
        (Number(of, name) * 100).ToString("0.##", CultureInfo.InvariantCulture) + " %";
}
