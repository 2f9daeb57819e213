using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Spillway.App.Cli.Top;

/// <summary>A frame as text for a log, or as one line of JSON for a program. Pure.</summary>
internal static class TopLines
{
    /// <summary>A line for the process and one for each model; the titles where asked for.</summary>
    public static string Plain(Frame frame, TopState state, bool titles)
    {
        var text = new StringBuilder();
        var time = frame.Now.At.ToString("HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        text.Append(time).Append("  ").Append(TopScreen.ProcessLine(frame)).Append('\n');
        foreach (var line in TopTable.Lines(state.Order(frame), titles))
            text.Append(time).Append("  ").Append(line).Append('\n');
        return text.ToString();
    }

    /// <summary>One object in one line; what is not known is null.</summary>
    public static string Json(Frame frame, TopState state)
    {
        var into = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(into))
        {
            json.WriteStartObject();
            json.WriteString("time", frame.Now.At.UtcDateTime);
            Number(json, "seconds", frame.Seconds);
            Server(json, frame);
            json.WriteStartArray("models");
            foreach (var row in state.Order(frame))
                Model(json, row);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(into.WrittenSpan);
    }

    /// <summary>The line of an interval without an answer.</summary>
    public static string Json(string waiting, DateTimeOffset now)
    {
        var into = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(into))
        {
            json.WriteStartObject();
            json.WriteString("time", now.UtcDateTime);
            json.WriteString("waiting", waiting);
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(into.WrittenSpan);
    }

    private static void Server(Utf8JsonWriter json, Frame frame)
    {
        var (name, version, ready, stopping) = frame.Now.Server;
        json.WriteStartObject("server");
        json.WriteString("name", name);
        json.WriteString("version", version);
        json.WriteBoolean("ready", ready);
        json.WriteBoolean("stopping", stopping);
        Number(json, "uptime_seconds", frame.UptimeSeconds);
        Number(json, "cpu", frame.Cpu);
        Number(json, "memory_bytes", frame.Now["process_resident_memory_bytes"]);
        Number(json, "heap_bytes", frame.Now["dotnet_gc_heap_size_bytes"]);
        Number(json, "allocated_bytes_per_second", frame.Allocated);
        Number(json, "gc_pause_share", frame.GcPause);
        Number(json, "in_flight", frame.Now.InFlight);
        Number(json, "body_bytes_held", frame.Now.BytesHeld);
        json.WriteEndObject();
    }

    private static void Model(Utf8JsonWriter json, FrameRow row)
    {
        json.WriteStartObject();
        json.WriteString("model", row.State.Name);
        json.WriteString("version", row.State.Version);
        json.WriteString("deployment", row.State.Deployment);
        json.WriteString("state", row.State.State);
        Number(json, "requests_per_second", row.Rate);
        Number(json, "ok_per_second", row.OkRate);
        Number(json, "p50_ms", row.P50);
        Number(json, "p95_ms", row.P95);
        Number(json, "p99_ms", row.P99);
        Number(json, "queue_depth", row.QueueDepth);
        Number(json, "queue_length_max", row.QueueLengthMax);
        Number(json, "in_flight", row.InFlight);
        Number(json, "runners", row.Runners);
        Number(json, "busy", row.Busy);
        Number(json, "predicted_wait_ms", row.PredictedWaitMs);
        Number(json, "batches_per_second", row.BatchRate);
        Number(json, "batch_requests_mean", row.BatchRequests);
        Number(json, "batch_rows_p95", row.BatchRowsP95);
        Number(json, "memory_bytes", row.MemoryBytes);
        Rates(json, "outcomes", row.Outcomes);
        Rates(json, "cuts", row.Cuts);
        Rates(json, "drops", row.Drops);
        json.WriteStartObject("stages");
        foreach (var stage in row.Stages)
        {
            json.WriteStartObject(stage.Name);
            Number(json, "mean_ms", stage.MeanMs);
            Number(json, "p95_ms", stage.P95Ms);
            json.WriteEndObject();
        }

        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void Rates(Utf8JsonWriter json, string name, IReadOnlyList<NamedRate> rates)
    {
        json.WriteStartObject(name);
        foreach (var rate in rates)
            Number(json, rate.Name, rate.PerSecond);
        json.WriteEndObject();
    }

    private static void Number(Utf8JsonWriter json, string name, double value)
    {
        if (double.IsFinite(value))
            json.WriteNumber(name, Math.Round(value, 6));
        else
            json.WriteNull(name);
    }
}
