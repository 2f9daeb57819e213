using System.Globalization;
using System.Text.Json;

namespace Spillway.App.Cli;

/// <summary>Rollouts as lines for people. Pure.</summary>
internal static class RolloutText
{
    /// <summary>Everything that is known of one.</summary>
    public static IEnumerable<string> Status(JsonElement one)
    {
        yield return $"{Text(one, "route")}  {Text(one, "phase")}";
        var challenger = Text(one, "challenger");
        if (Text(one, "phase") is "none")
        {
            yield return $"  champion    {Text(one, "champion")}";
            if (challenger.Length > 0)
                yield return $"  challenger  {challenger}, when somebody starts";
            yield break;
        }

        yield return $"  champion    {Side(one, "champion")}";
        yield return $"  challenger  {Side(one, "challenger")}";
        if (Text(one, "phase") is "running" or "ready")
        {
            yield return Line($"  share       {Number(one, "percent"):0.##} %, step {Number(one, "step"):0} of ")
                + Line($"{one.GetProperty("steps_percent").GetArrayLength()}; ")
                + Line($"{Number(one, "step_requests"):0} of {Number(one, "step_requests_min"):0} requests in it");
        }

        // Zero while too little is seen to tell.
        if (Number(one, "slower") is not 0 and var slower)
            yield return Line($"  latency     the challenger takes {Math.Abs(slower) * 100:0.##} % ")
                + (slower > 0 ? "longer" : "less");
        foreach (var guard in one.GetProperty("guards").EnumerateArray())
        {
            yield return Line($"  guard       {Text(guard, "guard"),-9}  p = {Number(guard, "p_value"):0.####}, ")
                + Line($"stopped at {Number(guard, "stopped_at"):0.####}");
        }

        var copies = one.GetProperty("copies");
        if (Number(copies, "compared") + Number(copies, "dropped") > 0)
            yield return Copies(copies);
        var history = one.GetProperty("history");
        if (history.GetArrayLength() > 0)
            yield return $"  last        {Entry(history[history.GetArrayLength() - 1])}";
    }

    /// <summary>What happened, the oldest first.</summary>
    public static IEnumerable<string> History(JsonElement one) =>
        one.TryGetProperty("history", out var history) ? history.EnumerateArray().Select(Entry) : [];

    /// <summary>What a change came to.</summary>
    public static string Done(JsonElement one)
    {
        var (route, champion, challenger) = (Text(one, "route"), Text(one, "champion"), Text(one, "challenger"));
        return Text(one, "phase") switch
        {
            "running" or "ready" => Line($"{route}: {challenger} gets {Number(one, "percent"):0.##} % of the callers, ")
                + $"{champion} the rest.",
            "promoted" => $"{route}: {champion} is the champion and gets every request. "
                + $"Back to {challenger}: spillway rollout rollback {route}",
            "rolled_back" => $"{route}: {champion} is the champion again and gets every request.",
            _ => $"{route}: {champion} gets every request, {challenger} none.",
        };
    }

    private static string Entry(JsonElement entry)
    {
        var (what, why) = (Text(entry, "what"), Text(entry, "why"));
        var step = what is "advanced" ? Line($" to step {Number(entry, "step"):0}") : "";
        return $"{Text(entry, "at")}  {what}{step} by {Text(entry, "who")}; champion {Text(entry, "champion")}, "
            + $"challenger {Text(entry, "challenger")}{(why.Length > 0 ? $"  ({why})" : "")}";
    }

    private static string Side(JsonElement one, string side) => Text(one, side)
        + Line($"  {Number(one, side + "_requests"):0} requests, {Number(one, side + "_failures"):0} failed");

    private static string Copies(JsonElement copies)
    {
        var ratio = copies.TryGetProperty("latency_ratio", out var times)
            ? Line($"; {times.GetDouble():0.##} times the champion's latency") : "";
        return Line($"  copies      {Number(copies, "agreed"):0} of {Number(copies, "compared"):0} agree, ")
            + Line($"{Number(copies, "dropped"):0} dropped") + ratio;
    }

    private static double Number(JsonElement from, string name) => from.GetProperty(name).GetDouble();

    private static string Text(JsonElement from, string name) =>
        from.TryGetProperty(name, out var value) ? value.GetString() ?? "" : "";

    private static string Line(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
