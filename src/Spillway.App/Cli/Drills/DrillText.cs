using System.Globalization;
using System.Text.Json;

namespace Spillway.App.Cli.Drills;

/// <summary>Drills as lines for people. Pure.</summary>
internal static class DrillText
{
    private const int Width = 100;

    /// <summary>What one showed.</summary>
    public static IEnumerable<string> Of(DrillEvidence drill)
    {
        yield return $"Drill {drill.Id}: {drill.What}";
        yield return Line($"{drill.Rate:0.#} requests a second to {drill.Served}, ")
            + Line($"from {drill.Began:yyyy-MM-dd HH:mm:ss} UTC on");
        yield return "";
        foreach (var line in drill.Stretches.SelectMany(s => Of(s, isNamed: drill.Stretches.Count > 3)).Prepend(Head))
            yield return line;
        yield return "";
        yield return drill.EffectMs is { } effect ? Line($"First effect    {effect:0} ms after the breaking")
            : "First effect    none: no request noticed";
        yield return drill.RecoveryMs is { } recovery ? Line($"As before       {recovery:0} ms after the mending")
            : "As before       not while it was watched";
        foreach (var promise in drill.Promises)
            yield return $"{(promise.Held ? "held  " : "BROKEN")}  {promise.Name}: {promise.Seen}";
        foreach (var note in drill.Notes)
            yield return note;
        if (drill.Example is { } example)
        {
            foreach (var line in Of(example))
                yield return line;
        }
    }

    /// <summary>Which there are, what each would break, what runs, what was kept.</summary>
    public static IEnumerable<string> List(JsonElement all)
    {
        if (all.TryGetProperty("why_not", out var not))
            yield return not.GetString()!;
        foreach (var drill in all.GetProperty("drills").EnumerateArray())
        {
            yield return $"{Text(drill, "name"),-13}{Text(drill, "what")}";
            var here = Text(drill, "would") is { Length: > 0 } would ? "here: " + would : Text(drill, "needs");
            yield return $"{"",-13}{here}";
        }

        foreach (var line in Status(all))
            yield return line;
        foreach (var kept in all.GetProperty("kept").EnumerateArray())
        {
            yield return $"kept  {Text(kept, "id")}  {Text(kept, "drill")} on {Text(kept, "served")}: "
                + Text(kept, "verdict");
        }
    }

    /// <summary>What runs.</summary>
    public static IEnumerable<string> Status(JsonElement all) =>
        all.GetProperty("running") is { ValueKind: JsonValueKind.Object } run
            ? [$"Running: {Text(run, "id")} by {Text(run, "who")}: {Text(run, "text")}"]
            : ["Nothing is broken on purpose."];

    private static string Head => $"{"",-10}{"seconds",8}{"sent",7}{"full",7}{"degraded",10}{"refused",9}{"lost",6}"
        + $"{"p50 ms",9}{"p95 ms",9}{"p99 ms",9}";

    private static IEnumerable<string> Of(DrillStretch stretch, bool isNamed)
    {
        yield return Line($"{stretch.Name,-10}{(stretch.ToMs - stretch.FromMs) / 1000,8:0.0}{stretch.Sent,7}")
            + Line($"{stretch.Full,7}{stretch.Degraded,10}{stretch.Refused,9}{stretch.Lost,6}")
            + Line($"{Ms(stretch.P50Ms),9}{Ms(stretch.P95Ms),9}{Ms(stretch.P99Ms),9}");
        if (stretch.IsBroken && isNamed)
            yield return $"          {stretch.What}";
        if (stretch.By.Count > 0)
            yield return $"          {string.Join(", ", stretch.By.Select(b => $"{b.Key} {b.Value}"))}";
    }

    private static IEnumerable<string> Of(DrillExample example)
    {
        yield return "";
        yield return $"One request that noticed ({example.RequestId}):";
        foreach (var (decision, i) in example.Decisions.Select((d, i) => (d, i)))
        {
            foreach (var (line, j) in TerminalText.Wrap(decision, Width - 6).Select((l, j) => (l, j)))
                yield return j == 0 ? Line($"{i + 1,4}  {line}") : $"      {line}";
        }
    }

    private static string Ms(double? ms) => ms is { } some ? some.ToString("0.0", CultureInfo.InvariantCulture) : "-";

    private static string Text(JsonElement from, string name) =>
        from.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.String ? value.GetString()! : "";

    private static string Line(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
