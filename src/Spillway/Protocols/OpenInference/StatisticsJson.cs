using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Spillway.Engine;
using Spillway.Telemetry;

namespace Spillway.Protocols.OpenInference;

/// <summary>The statistics extension's JSON.</summary>
internal static class StatisticsJson
{
    private static readonly JsonWriterOptions s_options = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>GET …/stats of these served names.</summary>
    public static void Write(IEnumerable<Door> doors, Recorder recorder, IBufferWriter<byte> into)
    {
        using var json = new Utf8JsonWriter(into, s_options);
        json.WriteStartObject();
        json.WriteStartArray("model_stats"u8);
        foreach (var door in doors)
            Write(json, door.Route.Model, recorder.Instruments(door).Statistics.Look());
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, ModelRef model, StatisticsView view)
    {
        json.WriteStartObject();
        json.WriteString("name"u8, model.Name);
        json.WriteString("version"u8, model.Version);
        json.WriteNumber("last_inference"u8, view.LastInferenceUnixMs);
        json.WriteNumber("inference_count"u8, view.InferenceCount);
        json.WriteNumber("execution_count"u8, view.ExecutionCount);
        json.WriteStartObject("inference_stats"u8);
        Write(json, "success"u8, view.Success);
        Write(json, "fail"u8, view.Fail);
        Write(json, "queue"u8, view.Queue);
        Write(json, "compute_input"u8, view.ComputeInput);
        Write(json, "compute_infer"u8, view.ComputeInfer);
        Write(json, "compute_output"u8, view.ComputeOutput);
        Write(json, "cache_hit"u8, default);
        Write(json, "cache_miss"u8, default);
        json.WriteEndObject();
        json.WriteStartArray("batch_stats"u8);
        foreach (var batch in view.Batches)
        {
            json.WriteStartObject();
            json.WriteNumber("batch_size"u8, batch.Rows);
            Write(json, "compute_input"u8, batch.ComputeInput);
            Write(json, "compute_infer"u8, batch.ComputeInfer);
            Write(json, "compute_output"u8, batch.ComputeOutput);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, ReadOnlySpan<byte> name, StatisticDuration duration)
    {
        json.WriteStartObject(name);
        json.WriteNumber("count"u8, duration.Count);
        json.WriteNumber("ns"u8, duration.Nanoseconds);
        json.WriteEndObject();
    }
}
