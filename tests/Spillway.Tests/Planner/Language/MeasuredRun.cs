using System.Text.Json;
using Spillway.Planner.Language;

namespace Spillway.Tests.Planner.Language;

/// <summary>Requests of a real vLLM server with their instants.</summary>
internal static class MeasuredRun
{
    /// <summary>Reads a run of LLMServingSim's collection, on the clock of the first arrival.</summary>
    public static List<ObservedRequest> Read(params string[] path)
    {
        var file = Path.Combine([Environment.GetEnvironmentVariable("SPILLWAY_DATA")!, "traces", .. path]);
        var rows = File.ReadLines(file).Select(line => JsonSerializer.Deserialize<JsonElement>(line)).ToList();
        double Of(JsonElement row, string name) => row.GetProperty(name).GetDouble();
        // Arrivals are on the calendar's clock, the rest on the machine's: nobody is queued before he arrives.
        var origin = Of(rows[0], "arrival_time");
        var offset = rows.Min(row => Of(row, "queued_ts") - (Of(row, "arrival_time") - origin));
        Instant At(double seconds) => new((long)(seconds * TimeSpan.TicksPerSecond));
        return [.. rows.Select(row => new ObservedRequest(
            new(At(Of(row, "arrival_time") - origin), (int)Of(row, "input_toks"), (int)Of(row, "output_toks")),
            At(Of(row, "first_token_ts") - offset), At(Of(row, "last_token_ts") - offset))
            {
                Queued = At(Of(row, "queued_ts") - offset), Scheduled = At(Of(row, "scheduled_ts") - offset),
            })
            .OrderBy(one => one.Request.Arrival)];
    }
}
