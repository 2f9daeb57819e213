using System.Globalization;
using System.Text.Json;

namespace Spillway.Telemetry;

/// <summary>
/// A request record as JSON, for the admin protocol. Times are milliseconds to 100 ns; money is exact.
/// </summary>
internal static class RequestRecordJson
{
    private const string TimeFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z'";

    /// <summary>Writes one record as an object.</summary>
    public static void Write(Utf8JsonWriter json, in RequestRecord record)
    {
        json.WriteStartObject();
        Identity(json, record);
        Provenance(json, record);
        Prediction(json, record);
        Stages(json, record);
        Decisions(json, record);
        if (record.Chat is { } chat)
            Chat(json, chat);
        Bill(json, record);
        json.WriteEndObject();
    }

    private static void Identity(Utf8JsonWriter json, in RequestRecord record)
    {
        json.WriteString("id", record.RequestId);
        json.WriteString("client_id", record.ClientId);
        json.WriteString("trace_id", record.TraceId.IsEmpty ? "" : record.TraceId.ToString());
        if (!ReferenceEquals(record.Caller, Caller.Local))
        {
            json.WriteString("tenant", record.Caller.Tenant);
            json.WriteString("key", record.Caller.Key);
        }

        json.WriteString("model", record.Model);
        json.WriteString("version", record.Version);
        json.WriteString("deployment", record.Deployment);
        json.WriteBoolean("simulated", record.Simulated);
        json.WriteString("started", record.Started.UtcDateTime.ToString(TimeFormat, CultureInfo.InvariantCulture));
        json.WriteString("outcome", FaultLabels.Of(record.Outcome));
        json.WriteString("message", record.Message);
        json.WriteNumber("status", record.Status);
        json.WriteNumber("rows", record.Rows);
        json.WriteNumber("elements", record.Elements);
        json.WriteNumber("bytes_in", record.BytesIn);
        json.WriteNumber("bytes_out", record.BytesOut);
    }

    /// <summary>What the answer was made with; members that are not known are left out.</summary>
    private static void Provenance(Utf8JsonWriter json, in RequestRecord record)
    {
        json.WriteStartObject("provenance");
        Known(json, "model_digest", record.ModelDigest);
        Known(json, "signed_by", record.SignedBy);
        Known(json, "config_digest", record.ConfigDigest);
        Known(json, "price_digest", record.PriceDigest);
        json.WriteEndObject();
    }

    private static void Known(Utf8JsonWriter json, string name, string value)
    {
        if (value.Length > 0)
            json.WriteString(name, value);
    }

    private static void Prediction(Utf8JsonWriter json, in RequestRecord record)
    {
        WriteMs(json, "deadline_ms", record.Deadline);
        WriteMs(json, "predicted_wait_ms", record.PredictedWait);
        WriteMs(json, "predicted_run_ms", record.PredictedRun);
        json.WriteNumber("queue_depth", record.QueueDepth);
        if (record.BatchRequests == 0)
        {
            json.WriteNull("batch");
            return;
        }

        json.WriteStartObject("batch");
        json.WriteNumber("rows", record.BatchRows);
        json.WriteNumber("requests", record.BatchRequests);
        json.WriteString("cut", record.Cut.Label());
        json.WriteNumber("runner", record.Runner);
        json.WriteString("device", record.Device);
        json.WriteEndObject();
    }

    private static void Stages(Utf8JsonWriter json, in RequestRecord record)
    {
        var timeline = record.Stages;
        json.WriteStartArray("stages");
        foreach (var stage in StageNames.All)
        {
            json.WriteStartObject();
            json.WriteString("stage", stage.Name());
            WriteMs(json, "ms", timeline[stage]);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        WriteMs(json, "total_ms", timeline.Total);
    }

    private static void Decisions(Utf8JsonWriter json, in RequestRecord record)
    {
        json.WriteStartArray("decisions");
        foreach (ref readonly var decision in record.Decisions)
        {
            json.WriteStartObject();
            json.WriteString("kind", DecisionText.Name(decision.Kind));
            json.WriteString("text", DecisionText.Render(decision, record));
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteNumber("decisions_omitted", record.DecisionsOmitted);
    }

    private static void Chat(Utf8JsonWriter json, ChatFacts chat)
    {
        json.WriteStartObject("chat");
        json.WriteString("operation", chat.Operation);
        json.WriteBoolean("stream", chat.Stream);
        Known(json, "upstream", chat.Upstream);
        Known(json, "target", chat.Target);
        Known(json, "response_model", chat.ResponseModel);
        Known(json, "response_id", chat.ResponseId);
        Known(json, "finish_reason", chat.FinishReason);
        json.WriteNumber("input_tokens", chat.Used.Input);
        json.WriteNumber("cached_tokens", chat.Used.Cached);
        json.WriteNumber("output_tokens", chat.Used.Output);
        json.WriteNumber("reasoning_tokens", chat.Used.Reasoning);
        json.WriteString("tokens_from", chat.IsReported ? "upstream" : chat.IsTokenized ? "tokenizer" : "counted");
        json.WriteBoolean("partial", chat.IsPartial);
        WriteMs(json, "connect_ms", chat.Connect);
        if (chat.Prefill is { } prefill)
            WriteMs(json, "prefill_ms", prefill);
        WriteMs(json, "decode_ms", chat.Decode);
        if (chat.FirstToken is { } first)
            WriteMs(json, "first_token_ms", first);
        if (chat.TimePerToken is { } pace)
            WriteMs(json, "time_per_token_ms", pace);
        WriteMs(json, "gap_max_ms", chat.GapMax);
        if (chat.UpstreamPrefill > TimeSpan.Zero || chat.UpstreamDecode > TimeSpan.Zero)
        {
            WriteMs(json, "upstream_prefill_ms", chat.UpstreamPrefill);
            WriteMs(json, "upstream_decode_ms", chat.UpstreamDecode);
        }

        if (chat.Content.Count > 0)
            Content(json, chat.Content);

        json.WriteEndObject();
    }

    private static void Content(Utf8JsonWriter json, IReadOnlyList<ContentCount> counts)
    {
        json.WriteStartArray("content");
        foreach (var count in counts)
        {
            json.WriteStartObject();
            json.WriteString("rule", count.Rule);
            json.WriteString("where", count.Where);
            json.WriteString("done", count.Do);
            json.WriteNumber("count", count.Count);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void Bill(Utf8JsonWriter json, in RequestRecord record)
    {
        json.WriteStartArray("bill");
        foreach (ref readonly var line in record.Bill)
        {
            json.WriteStartObject();
            json.WriteString("label", line.Label);
            json.WriteString("amount", line.Amount.ToString());
            json.WriteNumber("nano", line.Amount.Nano);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteString("bill_total", record.Total.ToString());
    }

    private static void WriteMs(Utf8JsonWriter json, string name, TimeSpan time) =>
        json.WriteNumber(name, (decimal)time.Ticks / TimeSpan.TicksPerMillisecond);
}
